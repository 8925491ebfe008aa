/**
 * The library: algorithms that come with the node as packages. A package is packed into the one
 * file that runs when it is first asked for, and kept, since that takes seconds of work; the same
 * sources give the same bytes at every site.
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256Hex } from "../../../shared/service/digest.ts";
import type { Description } from "./sextant/description.ts";

export interface LibraryPackage {
  /** As tasks name it, behind `deno:`: `glm@1.0.0`. */
  name: string;
  /** The path of its `algorithm.ts`. */
  entry: string;
  description: Description;
}

const FOLDER = new URL("./packages/", import.meta.url);

const ROOT = new URL("../../../", import.meta.url);

let packages: Promise<LibraryPackage[]> | undefined;
let digestOfSources: Promise<string> | undefined;
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

/**
 * The file of a package, by its name with its version; undefined where there is no such package.
 * `cacheDir` keeps it for the next start.
 */
export async function packedFromLibrary(
  name: string,
  cacheDir: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const found = (await libraryPackages()).find((one) => one.name === name);
  if (!found) return undefined;
  let code = packed.get(name);
  if (!code) {
    packed.set(name, code = keptOrPacked(found, cacheDir));
    // What failed may go well the next time.
    code.catch(() => packed.delete(name));
  }
  return await code;
}

async function keptOrPacked(
  { name, entry }: LibraryPackage,
  cacheDir: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const sources = await (digestOfSources ??= readDigestOfSources());
  await Deno.mkdir(cacheDir, { recursive: true });
  const earlier = (await Array.fromAsync(Deno.readDir(cacheDir))).map((file) => file.name)
    .filter((file) => file.startsWith(`${name} of `));
  for (const file of earlier) {
    const [, digest] = file.split(` of ${sources} is `);
    const kept = digest && await Deno.readFile(join(cacheDir, file)).catch(() => undefined);
    if (kept && `${await sha256Hex(kept)}.js` === digest) return kept;
  }
  // Only now: most agents start without having to.
  const { pack } = await import("../workshop/pack.ts");
  const { code, digest } = await pack(entry);
  for (const file of earlier) await Deno.remove(join(cacheDir, file)).catch(() => {});
  const path = join(cacheDir, `${name} of ${sources} is ${digest}.js`);
  await Deno.writeFile(`${path}.new`, code);
  await Deno.rename(`${path}.new`, path);
  return code;
}

/** Of all that is packed into algorithms: the library's own files and the versions of packages. */
async function readDigestOfSources(): Promise<string> {
  const hash = createHash("sha256");
  async function add(folder: URL): Promise<void> {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
      if (isDirectory) await add(new URL(`${name}/`, folder));
      else if (!name.endsWith("_test.ts")) await addFile(new URL(name, folder));
    }
  }
  async function addFile(file: URL): Promise<void> {
    hash.update(`${file.pathname.slice(ROOT.pathname.length)}\n`);
    hash.update(await Deno.readFile(file));
  }
  await add(FOLDER);
  await add(new URL("./sextant/", import.meta.url));
  await addFile(new URL("deno.lock", ROOT));
  return hash.digest("hex").slice(0, 16);
}
