/**
 * The node's data folder: one process at a time, and names that survive a power cut.
 * @module
 */
import { dirname, join } from "node:path";

/** Another process holds the folder. */
export class FolderInUseError extends Error {
  override name = "FolderInUseError";
}

/**
 * Takes the folder for this process. The lock belongs to the open file, so it goes when the process
 * does, however that ends. Throws a {@linkcode FolderInUseError} that names the holder.
 */
export async function lockFolder(folder: string): Promise<{ close(): void }> {
  const path = join(folder, "lock");
  const file = await Deno.open(path, { create: true, read: true, write: true, mode: 0o600 });
  if (!await file.tryLock(true)) {
    file.close();
    const holder = (await Deno.readTextFile(path)).trim() || "unknown";
    throw new FolderInUseError(
      `Cannot start: another agent (process ${holder}) uses the folder ${folder}. ` +
        "Stop it, or give this node a task_dir of its own.",
    );
  }
  await file.truncate();
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  return file;
}

/** Makes the names of files just created or renamed in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await Deno.open(folder);
  try {
    await handle.sync();
  } finally {
    handle.close();
  }
}

/**
 * Gives a file to the account whose folder it is in: a command that root runs would else leave what
 * the agent cannot read.
 */
export async function giveToOwnerOf(folder: string, path: string): Promise<void> {
  if (Deno.uid() !== 0) return;
  const { uid, gid } = await Deno.stat(folder);
  if (uid !== null && uid !== 0) await Deno.chown(path, uid, gid);
}

/**
 * Writes a file that only its owner can read; whoever reads it finds all of it, or what was before.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  await Deno.writeTextFile(draft, text, { mode: 0o600 });
  await giveToOwnerOf(dirname(path), draft);
  {
    using file = await Deno.open(draft);
    await file.sync();
  }
  await Deno.rename(draft, path);
  await syncFolder(dirname(path));
}

/** Appends to a file; resolves to the number of bytes once they are on the disk. */
export async function writeSynced(file: Deno.FsFile, text: string): Promise<number> {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  await file.syncData();
  return bytes.length;
}
