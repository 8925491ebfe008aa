/**
 * Where a backup is written to.
 * @module
 */
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../../shared/service/errors.ts";

/**
 * A new file that only its owner may read: it stands at `path` once it is whole, and what stands
 * there already is never overwritten.
 */
export async function newFile(path: string): Promise<WritableStream<Uint8Array>> {
  const isThere = await Deno.lstat(path).then(() => true, () => false);
  if (isThere) throw new Error(`Cannot write ${path}: it is there already. Choose another name.`);
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.part`);
  const file = await Deno.open(draft, { write: true, createNew: true, mode: 0o600 }).catch(
    (cause) => {
      throw new Error(`Cannot write ${path}: ${messageOf(cause)}`, { cause });
    },
  );
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
