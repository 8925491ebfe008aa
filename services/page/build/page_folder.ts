/**
 * The page as it was set up in a folder (`write_page.ts`): nothing is compiled
 * here.
 * @module
 */
import { join } from "node:path";
import { type PageManifest, pageManifest } from "./manifest.ts";

/** How browsers may get it, the best first; each lies beside the file under this ending. */
const ENCODINGS = [["br", ".br"], ["gzip", ".gz"]] as const;

export interface AssetFile {
  type: string;
  encoding: string | undefined;
  content: Uint8Array<ArrayBuffer>;
}

export interface PageFolder {
  /** The document at `/`. */
  document(): Promise<string>;
  /** An asset by its name, in an encoding of those accepted; `undefined` when there is none. */
  asset(name: string, accepted: string): Promise<AssetFile | undefined>;
}

/** The page in `folder`. It may be set up anew while it is served. */
export function openPageFolder(folder: string): PageFolder {
  async function manifest(): Promise<PageManifest> {
    return pageManifest.parse(JSON.parse(await Deno.readTextFile(join(folder, "page.json"))));
  }

  return {
    async document() {
      return (await manifest()).document;
    },
    async asset(name, accepted) {
      const { assets } = await manifest();
      const type = Object.hasOwn(assets, name) ? assets[name] : undefined;
      if (type === undefined) return undefined;
      const wanted = accepted.split(",").map((one) => one.split(";", 1)[0]!.trim());
      const [encoding, ending] = ENCODINGS.find(([one]) => wanted.includes(one)) ?? [undefined, ""];
      const content = await Deno.readFile(join(folder, "assets", name + ending));
      return { type, encoding, content };
    },
  };
}
