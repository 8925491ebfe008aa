/**
 * The files of a page that was put together.
 * @module
 */
import { join } from "node:path";

/** Copies a page; what an earlier version left in the folder `to` goes. */
export async function copyPage(from: string, to: string): Promise<void> {
  const names = [...Deno.readDirSync(join(from, "assets"))].map(({ name }) => name);
  const assets = join(to, "assets");
  await Deno.mkdir(assets, { recursive: true });
  for (const name of names) await Deno.copyFile(join(from, "assets", name), join(assets, name));
  await Deno.copyFile(join(from, "page.json"), join(to, "page.json"));
  await removeAllBut(new Set(names), assets);
}

export async function removeAllBut(names: Set<string>, folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!names.has(name)) await Deno.remove(join(folder, name));
  }
}
