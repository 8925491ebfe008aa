/**
 * One-time links to the owner's page. A link is made by whoever may write into the node's data
 * folder, which is the account of the node (and root), and by nobody else: it is a file there whose
 * name is the digest of the link's key. So the command that makes one needs no running agent to
 * talk to, and who reads the folder cannot use what is in it. Using a link removes its file.
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { giveToOwnerOf } from "../record/data_folder.ts";

/** How long a link can be used. */
export const LINK_MS = 10 * 60_000;
const OTHERS = 0o077;

/** Where links are, in a node's data folder. */
export function linksFolder(dataFolder: string): string {
  return join(dataFolder, "page", "links");
}

/** Makes the folder, or takes out of it what an earlier agent's links were. */
export async function openLinks(dataFolder: string): Promise<void> {
  const folder = linksFolder(dataFolder);
  await Deno.remove(folder, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  // Whatever the account's umask is.
  await Deno.chmod(folder, 0o700);
}

/**
 * The key of a new link. Rejects where no agent has opened the folder, or it is another account's.
 */
export async function makeLink(dataFolder: string): Promise<string> {
  const key = randomBytes(32).toString("base64url");
  const path = join(linksFolder(dataFolder), nameOf(key));
  await Deno.writeTextFile(path, "", { mode: 0o600, createNew: true });
  await giveToOwnerOf(linksFolder(dataFolder), path);
  return key;
}

/** Whether the key is that of a link that can be used; from then on it cannot be. */
export async function useLink(
  dataFolder: string,
  key: string,
  now: number = Date.now(),
): Promise<boolean> {
  const folder = linksFolder(dataFolder);
  await demandOwn(folder);
  const path = join(folder, nameOf(key));
  const info = await Deno.lstat(path).catch(ignoreMissing);
  if (!info?.isFile) return false;
  try {
    // Of two that come with the same key at once, one removes it.
    await Deno.remove(path);
  } catch (error) {
    ignoreMissing(error);
    return false;
  }
  const age = now - (info.mtime?.getTime() ?? 0);
  return age >= 0 && age <= LINK_MS;
}

/** Another account that could write there would let itself in. */
async function demandOwn(folder: string): Promise<void> {
  const { isDirectory, mode, uid } = await Deno.lstat(folder);
  const isPrivate = isDirectory && ((mode ?? 0) & OTHERS) === 0 && uid === Deno.uid();
  if (!isPrivate) throw new Error(`Cannot let anybody in: ${folder} is open to other accounts`);
}

function nameOf(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
