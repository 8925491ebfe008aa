/**
 * Finds work that the table says is pending and the stream has lost, and dispatches it again.
 *
 * JetStream writes to disk lazily: after a power failure, or when its folder is deleted, messages are gone. The
 * table still has them.
 * @module
 */
import type { Logger } from "../../shared/log.ts";
import type { Outbox } from "../../shared/outbox.ts";
import type { Db } from "../../shared/db.ts";
import { type DispatchStreams, redispatch } from "./dispatch.ts";
import { lockResult, staleDispatches } from "./store.ts";

export interface ReconcilerOptions {
  db: Db;
  outbox: Outbox;
  streams: DispatchStreams;
  log: Logger;
  now: () => Date;
  everyMs?: number;
  /** How long a dispatch may be on its way before it is looked for. */
  settleMs?: number;
}

export interface Reconciler {
  /** One round; returns how many results were dispatched again. */
  reconcile(): Promise<number>;
  stop(): Promise<void>;
}

export function createReconciler(
  { db, outbox, streams, log, now, everyMs = 10_000, settleMs = 15_000 }: ReconcilerOptions,
): Reconciler {
  async function reconcile(): Promise<number> {
    await streams.ensureStream();
    let count = 0;
    for (const stale of await staleDispatches(db, new Date(now().getTime() - settleMs))) {
      await streams.ensureConsumer(stale.node_id);
      // While messages wait for the node, its pending results wait with them.
      if (await streams.outstanding(stale.node_id) > 0) continue;
      for (const id of stale.result_ids) {
        await outbox.change(async (change) => {
          const result = await lockResult(change.tx, id);
          if (result?.status === "pending") await redispatch(change, result, now());
        });
        count++;
      }
    }
    if (count > 0) log.warn("Dispatched again what the stream had lost", { results: count });
    return count;
  }

  const stopping = new AbortController();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, everyMs);
        stopping.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), {
          once: true,
        });
      });
      if (stopping.signal.aborted) return;
      await reconcile().catch((error) =>
        log.warn("Cannot reconcile now; will try again", { error })
      );
    }
  })();

  return {
    reconcile,
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}
