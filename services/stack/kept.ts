/**
 * What was made of this checkout before and need not be made again.
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { ROOT } from "./service_part.ts";

/** Whoever uses those of before may read parts of them late. What is half made counts, too. */
const KEPT = 4;

/**
 * The folder below `parent` with what `make` makes of the checkout as it is now, in the folder that
 * it is given. It is made unless it was before, of the same sources; the oldest go. `finish` is
 * called once, when what was made has its place.
 */
export async function keepMade(
  parent: string,
  make: (draft: string) => Promise<void>,
  finish: (folder: string) => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  await Deno.mkdir(parent, { recursive: true });
  // By its one true name: what Deno has read once, it knows by that.
  const folder = join(await Deno.realPath(parent), await digestOfSources(ROOT));
  if (!await isThere(folder)) {
    const draft = await Deno.makeTempDir({ dir: parent, prefix: ".draft-" });
    try {
      await make(draft);
      await Deno.rename(draft, folder);
      await finish(folder);
    } catch (error) {
      await Deno.remove(draft, { recursive: true });
      // Another launcher was faster.
      if (!await isThere(folder)) throw error;
    }
  }
  await Deno.utime(folder, new Date(), new Date());
  await removeOldest(parent);
  return folder;
}

/** SHA-256 of all that they are made of: our sources, and which packages they name. */
async function digestOfSources(root: string): Promise<string> {
  const hash = createHash("sha256").update(root).update(Deno.version.deno);
  for (const name of ["deno.json", "deno.lock"]) hash.update(await Deno.readFile(join(root, name)));
  for (const path of [...sourcesIn(join(root, "services")), ...sourcesIn(join(root, "shared"))]) {
    hash.update(`\0${path}\0`).update(await Deno.readFile(path));
  }
  return hash.digest("hex").slice(0, 32);
}

/** The files below a folder, but tests, in an order that is always the same. */
function sourcesIn(folder: string): string[] {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return sourcesIn(path);
    return name.endsWith("_test.ts") ? [] : [path];
  });
}

async function removeOldest(parent: string): Promise<void> {
  const folders: { path: string; usedAt: number }[] = [];
  for await (const { name } of Deno.readDir(parent)) {
    const path = join(parent, name);
    folders.push({ path, usedAt: (await Deno.stat(path)).mtime!.getTime() });
  }
  folders.sort((a, b) => b.usedAt - a.usedAt);
  for (const { path } of folders.slice(KEPT)) {
    await Deno.remove(path, { recursive: true }).catch((error) => {
      // Another launcher was faster.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
