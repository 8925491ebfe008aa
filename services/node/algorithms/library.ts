/**
 * The library: algorithms that come with the node as packages. A package is packed into the one file
 * that runs when it is first asked for; the same sources give the same bytes at every site.
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Description } from "./sextant/description.ts";

export interface LibraryPackage {
  /** As tasks name it, behind `deno:`: `glm@1.0.0`. */
  name: string;
  /** The path of its `algorithm.ts`. */
  entry: string;
  description: Description;
}

const FOLDER = new URL("./packages/", import.meta.url);

let packages: Promise<LibraryPackage[]> | undefined;
const packed = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

/** All packages, by name. */
export function libraryPackages(): Promise<LibraryPackage[]> {
  return packages ??= readPackages();
}

async function readPackages(): Promise<LibraryPackage[]> {
  const folders = await Array.fromAsync(Deno.readDir(FOLDER));
  const found = folders.filter(({ isDirectory }) => isDirectory).map(async ({ name: folder }) => {
    // Of this project, so that it can be trusted to be only read; others are asked in the sandbox.
    const module = await import(new URL(`${folder}/description.ts`, FOLDER).href);
    const description: Description = module.description;
    const entry = fileURLToPath(new URL(`${folder}/algorithm.ts`, FOLDER));
    return { name: `${description.name}@${description.version}`, entry, description };
  });
  return (await Promise.all(found)).sort((a, b) => a.name < b.name ? -1 : 1);
}

/** The file of a package, by its name with its version; undefined where there is no such package. */
export async function packedFromLibrary(
  name: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const found = (await libraryPackages()).find((one) => one.name === name);
  if (!found) return undefined;
  let code = packed.get(name);
  if (!code) {
    packed.set(name, code = packNow(found.entry));
    // What failed may go well the next time.
    code.catch(() => packed.delete(name));
  }
  return await code;
}

async function packNow(entry: string): Promise<Uint8Array<ArrayBuffer>> {
  // Only now: most agents start without a run of the library waiting.
  const { pack } = await import("../workshop/pack.ts");
  return (await pack(entry)).code;
}
