import { basename, dirname, extname } from "node:path";
import { readArgs, typedPath, UsageError } from "../../../shared/command_line/read_args.ts";
import { entryOf, pack } from "./pack.ts";

export const PACK_HELP = `Makes the one self-contained file that nodes run.

Usage: deno task algorithm pack TARGET [--out FILE]

  TARGET       a folder with algorithm.ts, or a single file
  --out FILE   where to write it; default: <name>.js in the current folder

Prints the file's SHA-256, by which tasks can name it: deno:https://…/<name>.js#sha256=…
In an algorithm folder of a node it must be called <name>@<version>.ts, and tasks name it
deno:<name>@<version>.`;

export async function packCommand(args: string[]): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: { out: { type: "string" } },
  });
  const target = onlyTarget(positionals);
  const entry = await entryOf(target);
  const { code, digest } = await pack(entry);
  const out = typedPath(values.out ?? `${nameOf(entry)}.js`);
  await Deno.writeFile(out, code);
  console.log(`${out}\nsha256 ${digest}  ${code.length} bytes`);
  return 0;
}

/** The algorithm that a command is to work on, as an absolute path. */
export function onlyTarget(positionals: readonly string[]): string {
  const [target, more] = positionals;
  if (target === undefined) throw new UsageError("Name the algorithm: its folder or its file");
  if (more !== undefined) throw new UsageError(`One algorithm at a time: what is "${more}"?`);
  return typedPath(target);
}

/** What people call the algorithm with this entry: its folder's or its file's name. */
export function nameOf(entry: string): string {
  const name = basename(entry, extname(entry));
  return name === "algorithm" ? basename(dirname(entry)) : name;
}
