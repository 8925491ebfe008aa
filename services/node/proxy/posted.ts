/**
 * How often a run has made each subtask. A client that lost the answer asks again, which must not make another
 * subtask; an algorithm that wants the same subtask once more must get another one. The difference: whether the answer
 * to the earlier request arrived.
 * @module
 */
import { sha256Hex } from "../../../shared/digest.ts";

export interface Posted {
  /** Names the next subtask with this body; the same until {@linkcode Posted.delivered} is called. */
  key(body: string): Promise<{ digest: string; key: string }>;
  /** The answer for this body has arrived. */
  delivered(digest: string): Promise<void>;
}

/** Remembers in the file `path`, so that the run can outlive the agent. */
export async function openPosted(path: string, runName: string): Promise<Posted> {
  const counts = new Map<string, number>();
  const text = await Deno.readTextFile(path).catch(() => "");
  for (const digest of text.split("\n")) {
    if (digest) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  }
  return {
    async key(body) {
      const digest = (await sha256Hex(body)).slice(0, 32);
      return { digest, key: `${runName}-${digest}-${(counts.get(digest) ?? 0) + 1}` };
    },
    async delivered(digest) {
      counts.set(digest, (counts.get(digest) ?? 0) + 1);
      // A run whose folder has gone needs no memory.
      await Deno.writeTextFile(path, `${digest}\n`, { append: true }).catch(() => {});
    },
  };
}
