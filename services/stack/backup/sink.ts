/**
 * Where a backup is written to.
 * @module
 */
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../../shared/service/errors.ts";

/** Of a backup that is not whole; one that was killed leaves it, with every key of its hub. */
const DRAFT = /^\..+\.[0-9a-f]{8}\.sextant-part$/;

/**
 * A new file that only its owner may read: it stands at `path` once it is whole, and what stands
 * there already is never overwritten. What killed backups have left beside it is removed.
 */
export async function newFile(path: string): Promise<WritableStream<Uint8Array>> {
  if (await isThere(path)) {
    throw new Error(`Cannot write ${path}: it is there already. Choose another name.`);
  }
  const { draft, file } = await newDraft(path).catch((cause) => {
    throw new Error(`Cannot write ${path}: ${messageOf(cause)}`, { cause });
  });
  return new WritableStream({
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    },
    async close() {
      await file.sync();
      file.close();
      await Deno.rename(draft, path);
      using folder = await Deno.open(dirname(path));
      await folder.sync();
    },
    async abort() {
      file.close();
      await Deno.remove(draft);
    },
  });
}

async function newDraft(path: string): Promise<{ draft: string; file: Deno.FsFile }> {
  const folder = dirname(path);
  // What stays is no reason to make no backup.
  await removeLeft(folder).catch(() => {});
  for (;;) {
    const draft = join(folder, `.${basename(path)}.${randomBytes(4).toString("hex")}.sextant-part`);
    const file = await Deno.open(draft, { write: true, createNew: true, mode: 0o600 });
    // Where the file system knows no locks, nobody takes a draft for one that was left.
    const isHeld = await file.tryLock(true).catch(() => true);
    if (isHeld && await isThere(draft)) return { draft, file };
    // Another backup took it for one that was left.
    file.close();
  }
}

/** Removes the drafts of this account that no process writes any more. */
async function removeLeft(folder: string): Promise<void> {
  for (const { name, isFile } of await Array.fromAsync(Deno.readDir(folder))) {
    if (!isFile || !DRAFT.test(name)) continue;
    const path = join(folder, name);
    if ((await Deno.lstat(path)).uid !== Deno.uid()) continue;
    using file = await Deno.open(path, { write: true });
    if (await file.tryLock(true)) await Deno.remove(path);
  }
}

function isThere(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}
