/**
 * A restore that was begun in a data folder and did not come to its end.
 * @module
 */
import { join } from "node:path";

/** The folder, in the data folder, in which a restore makes what it will move. */
export const DRAFT = "restoring";

/**
 * Throws when there is one: of the hub's parts some may be those of before, and a start would make
 * the rest anew, with nothing in them.
 */
export async function requireNoHalfRestore(folder: string): Promise<void> {
  const draft = join(folder, DRAFT);
  if (!await Deno.lstat(draft).then(() => true, () => false)) return;
  throw new Error(
    `Cannot start: a backup was being restored into ${folder}, and that was interrupted. Restore it ` +
      `again, with --replace.`,
  );
}
