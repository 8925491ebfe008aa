/**
 * A bundled page in a folder, as the process that serves it reads it: each asset as it is, and
 * compressed in advance.
 * @module
 */
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import { type BundledPage, bundlePage, type PageSource } from "./bundle.ts";
import type { PageManifest } from "./manifest.ts";
import { removeAllBut } from "./page_files.ts";

/** The page that the hub shows at `/`. */
export const HUB_PAGE: PageSource = {
  entry: new URL("../main.tsx", import.meta.url),
  styles: new URL("../style/page.css", import.meta.url),
  workers: { results: new URL("../results/worker/main.ts", import.meta.url) },
  title: "Sextant",
  noScript: "This page needs JavaScript. The API is at api/, its description at api/docs.",
};

/** Puts a page together and into `folder`; what an earlier version left there goes. */
export async function setUpPage(source: PageSource, folder: string): Promise<void> {
  await writePage(folder, await bundlePage(source));
}

export async function writePage(folder: string, { document, assets }: BundledPage): Promise<void> {
  const assetFolder = join(folder, "assets");
  await Deno.mkdir(assetFolder, { recursive: true });
  const written = new Set<string>();
  async function write(name: string, content: Uint8Array): Promise<void> {
    written.add(name);
    await Deno.writeFile(join(assetFolder, name), content);
  }
  for (const { name, content } of assets) {
    await write(name, content);
    await write(`${name}.br`, await promisify(brotliCompress)(content));
    await write(`${name}.gz`, await promisify(gzip)(content));
  }
  const manifest: PageManifest = {
    document,
    assets: Object.fromEntries(assets.map(({ name, type }) => [name, type])),
  };
  await Deno.writeTextFile(join(folder, "page.json"), JSON.stringify(manifest));
  await removeAllBut(written, assetFolder);
}
