import { basename, dirname, extname } from "node:path";
import { readArgs, typedPath, UsageError } from "../../../shared/command_line/read_args.ts";
import { libraryPackages } from "../algorithms/library.ts";
import { entryOf, pack, PackError } from "./pack.ts";

/** What commands say of the algorithm that they work on. */
export const TARGET_HELP =
  "a folder with algorithm.ts, a single file, or the name of an algorithm of the library";

export const PACK_HELP = `Makes the one self-contained file that nodes run.

Usage: deno task algorithm pack TARGET [--out FILE]

  TARGET       ${TARGET_HELP}
  --out FILE   where to write it; default: <name>.js in the current folder

Prints the file's SHA-256, by which tasks can name it: deno:https://…/<name>.js#sha256=…
In an algorithm folder of a node it must be called <name>@<version>.ts, and tasks name it
deno:<name>@<version>. The library is there without.`;

export async function packCommand(args: string[]): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: { out: { type: "string" } },
  });
  const entry = await entryOfTarget(onlyTarget(positionals));
  const { code, digest } = await pack(entry);
  const out = typedPath(values.out ?? `${nameOf(entry)}.js`);
  await Deno.writeFile(out, code);
  console.log(`${out}\nsha256 ${digest}  ${code.length} bytes`);
  return 0;
}

/** The algorithm that a command is to work on, as it was typed. */
export function onlyTarget(positionals: readonly string[]): string {
  const [target, more] = positionals;
  if (target === undefined) {
    throw new UsageError("Name the algorithm: its folder, its file, or its name in the library");
  }
  if (more !== undefined) throw new UsageError(`One algorithm at a time: what is "${more}"?`);
  return target;
}

/** The file of an algorithm that was named so. */
export async function entryOfTarget(target: string): Promise<string> {
  const library = await libraryPackages();
  const ofLibrary = library.find(({ name, description }) =>
    target === description.name || target === name
  );
  const path = typedPath(target);
  if (ofLibrary && !await Deno.stat(path).catch(() => undefined)) return ofLibrary.entry;
  return await entryOf(path).catch((error) => {
    if (/[/.]/.test(target)) throw error;
    const names = library.map(({ description }) => description.name).join(", ");
    throw new PackError(`${error.message} The library has: ${names}.`);
  });
}

/** What people call the algorithm with this entry: its folder's or its file's name. */
export function nameOf(entry: string): string {
  const name = basename(entry, extname(entry));
  return name === "algorithm" ? basename(dirname(entry)) : name;
}

/** Whether the algorithm with this entry comes with the node. */
export async function isOfLibrary(entry: string): Promise<boolean> {
  return (await libraryPackages()).some((one) => one.entry === entry);
}

/** How tasks refer to the algorithm with this entry; a folder of no version is taken for 0.0.0. */
export async function imageOf(entry: string): Promise<string> {
  const ofLibrary = (await libraryPackages()).find((one) => one.entry === entry);
  const name = ofLibrary?.name ?? nameOf(entry);
  return `deno:${name}${name.includes("@") ? "" : "@0.0.0"}`;
}
