/**
 * Temporary folders that outlive nobody: each is held by the processes that use it, and whoever
 * next makes one beside it removes those that nobody holds any more. A process that is killed
 * cannot remove its own, and what lies there may be patients' data.
 * @module
 */
import { join } from "node:path";
import { giveToOwnerOf } from "./data_folder.ts";

/** The file in a folder whose lock holds it. It goes when the process does, however that ends. */
const LOCK = "lock";
/**
 * Its maker holds a folder within moments. One that nobody could hold for so long is left of a
 * maker that died before, or of an agent from before there were locks.
 */
const UNHELD_MS = 24 * 60 * 60 * 1000;

export interface HeldFolder {
  readonly path: string;
  /** Removes the folder and what is in it; what cannot be removed is left to whoever comes next. */
  remove(): Promise<void>;
}

/**
 * Makes a new folder in `parent` whose name begins with `prefix`, for this account alone. Those of
 * the same prefix that nobody holds any more are removed first.
 */
export async function makeHeldFolder(parent: string, prefix: string): Promise<HeldFolder> {
  // One that stays is no reason to make no other.
  await removeLeftFolders(parent, prefix).catch(() => {});
  for (;;) {
    const path = await Deno.makeTempDir({ dir: parent, prefix });
    await giveToOwnerOf(parent, path);
    const lock = await holdFolder(path);
    // Somebody who removes what is left may have found it between two steps of this.
    if (!lock) continue;
    return {
      path,
      async remove() {
        await removeIfThere(path).catch(() => {});
        lock.close();
      },
    };
  }
}

/**
 * Holds a folder, beside others that do, until what is returned is closed or this process dies;
 * undefined when it is being removed, or was.
 */
export async function holdFolder(path: string): Promise<{ close(): void } | undefined> {
  const options = { read: true, write: true, create: true, mode: 0o600 };
  const file = await Deno.open(join(path, LOCK), options).catch(ifThere);
  if (!file) return undefined;
  if (await file.tryLock(false) && await isThere(join(path, LOCK))) {
    await giveToOwnerOf(path, join(path, LOCK));
    return file;
  }
  file.close();
}

/**
 * Removes the folders in `parent` whose names begin with `prefix` and which nobody holds any more,
 * as far as they are this account's. Rejects when one of them cannot be removed.
 */
export async function removeLeftFolders(parent: string, prefix: string): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(parent)).catch(ifThere) ?? [];
  const removals = entries
    .filter(({ name, isDirectory }) => isDirectory && name.startsWith(prefix))
    .map(({ name }) => removeUnlessHeld(join(parent, name)));
  // One that stays must not keep the others.
  await Promise.allSettled(removals);
  await Promise.all(removals);
}

async function removeUnlessHeld(path: string): Promise<void> {
  const info = await Deno.lstat(path).catch(ifThere);
  // In a folder that all may write to, another account's is not looked into.
  if (!info?.isDirectory || info.uid !== Deno.uid()) return;
  const { mtime } = info;
  const lock = await Deno.open(join(path, LOCK), { read: true, write: true }).catch(ifThere);
  if (!lock) {
    if (mtime && Date.now() - mtime.getTime() > UNHELD_MS) await removeIfThere(path);
    return;
  }
  try {
    if (await lock.tryLock(true)) await removeIfThere(path);
  } finally {
    lock.close();
  }
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(ifThere);
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).catch(ifThere) !== undefined;
}

/** Undefined for what is not there; throws any other error. */
function ifThere(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
