/**
 * What was made of this checkout before and need not be made again.
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { ROOT } from "./service_part.ts";

/** Whoever uses those of before may read parts of them late. */
const KEPT = 4;
/** What is half made for so long was left by a launcher that was killed. */
const DRAFT_MS = 60 * 60 * 1000;
const DRAFT = ".draft-";

/**
 * The folder below `parent` with what `make` makes of the checkout as it is now, in the folder that
 * it is given. It is made unless it was before, of the same sources; the oldest go. `finish` is
 * called once, when what was made has its place; if it fails nothing was made.
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
    const draft = await Deno.makeTempDir({ dir: parent, prefix: DRAFT });
    try {
      await make(draft);
      if (await place(draft, folder)) {
        await finish(folder).catch(async (error) => {
          await Deno.rename(folder, draft);
          throw error;
        });
      }
    } finally {
      await removeIfThere(draft);
    }
  }
  await Deno.utime(folder, new Date(), new Date());
  await removeOldest(parent);
  return folder;
}

/** Gives a draft its place; false where another launcher was faster. */
async function place(draft: string, folder: string): Promise<boolean> {
  try {
    await Deno.rename(draft, folder);
    return true;
  } catch (error) {
    if (!await isThere(folder)) throw error;
    return false;
  }
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
    const usedAt = (await Deno.stat(path).catch(ignoreMissing))?.mtime?.getTime();
    if (usedAt === undefined) continue;
    if (!name.startsWith(DRAFT)) folders.push({ path, usedAt });
    else if (Date.now() - usedAt > DRAFT_MS) await removeIfThere(path);
  }
  folders.sort((a, b) => b.usedAt - a.usedAt);
  for (const { path } of folders.slice(KEPT)) await removeIfThere(path);
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(ignoreMissing);
}

async function isThere(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(ignoreMissing))?.isDirectory === true;
}

/** Undefined for what another launcher has removed, or nobody made; throws any other error. */
function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
