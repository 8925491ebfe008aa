/**
 * Dispatching again what the stream has lost. JetStream writes to disk lazily: after a power
 * failure, or when its folder is deleted, messages are gone. The table still has them.
 * @module
 */
import type { Logger } from "../../../shared/service/log.ts";
import type { Db } from "../../../shared/storage/db.ts";
import type { Outbox } from "../../../shared/storage/outbox.ts";
import { redispatch } from "../dispatch/send.ts";
import type { DispatchStreams } from "../dispatch/streams.ts";
import { dispatchedAt, staleDispatches } from "../store/dispatch.ts";
import { lockResult } from "../store/result.ts";

/** Results of one node that one round dispatches again. */
const BATCH = 500;

export interface LostDispatchesOptions {
  db: Db;
  outbox: Outbox;
  streams: DispatchStreams;
  log: Logger;
  now: () => Date;
  /** How long a dispatch may be on its way before it is looked for. */
  settleMs: number;
}

/** Dispatches again what the stream has lost; returns how many results. */
export async function dispatchLost(
  { db, outbox, streams, log, now, settleMs }: LostDispatchesOptions,
): Promise<number> {
  const lostAll = await streams.ensureStream();
  const settled = lostAll ? 0 : settleMs;
  let count = 0;
  const stale = await staleDispatches(db, { now: now(), settleMs: settled, limit: BATCH });
  for (const { node_id, result_ids } of stale) {
    await streams.ensureConsumer(node_id);
    // While messages wait for the node, its pending results wait with them.
    if (await streams.outstanding(node_id) > 0) continue;
    const before = new Date(now().getTime() - settled);
    for (const id of result_ids) {
      count += await outbox.change(async (change) => {
        const result = await lockResult(change.tx, id);
        if (result?.status !== "pending") return 0;
        if ((await dispatchedAt(change.tx, id))! > before) return 0; // another replica was faster
        await redispatch(change, result, now());
        return 1;
      });
    }
  }
  if (count > 0) log.warn("Dispatched again what the stream may have lost", { results: count });
  return count;
}
