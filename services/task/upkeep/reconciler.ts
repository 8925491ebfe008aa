/**
 * The rounds that keep the promises of the table: work that the stream has lost is dispatched again, nodes are told
 * again to stop, deadlines are kept, and what nobody needs any more is removed.
 *
 * JetStream writes to disk lazily: after a power failure, or when its folder is deleted, messages are gone. The
 * table still has them. Every replica makes these rounds; each step locks what it changes and looks again.
 * @module
 */
import type { Db } from "../../../shared/storage/db.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { forgetOldKeys } from "../../../shared/storage/idempotency.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Outbox } from "../../../shared/storage/outbox.ts";
import { redispatch } from "../dispatch/send.ts";
import type { DispatchStreams } from "../dispatch/streams.ts";
import { stopResults } from "../changes/result.ts";
import type { Kills } from "../dispatch/kills.ts";
import { dispatchedAt, staleDispatches } from "../store/dispatch.ts";
import { lockResult } from "../store/result.ts";
import { lockFamily } from "../store/task.ts";
import { sweepBlobs } from "../store/blob.ts";
import { cleanUpResults, closeDeadline, expiredTasks } from "../store/expiry.ts";

export interface Retention {
  /** Days after which the payload of a completed result is removed; undefined keeps it. */
  days: number | undefined;
  /** Removes the input as well. */
  includeInput: boolean;
}

export interface ReconcilerOptions {
  db: Db;
  outbox: Outbox;
  streams: DispatchStreams;
  kills: Kills;
  retention: Retention;
  log: Logger;
  now: () => Date;
  everyMs?: number;
  /** How long a dispatch may be on its way before it is looked for. */
  settleMs?: number;
  /** How long an upload may stand still before it counts as broken off. */
  uploadMs?: number;
}

/** Results of one node that one round dispatches again. */
const BATCH = 500;
/** A blob that was uploaded and never used is kept for so long. */
const UNUSED_BLOB_MS = 24 * 3_600_000;
/** How often what is old is removed. */
const TIDY_EVERY_MS = 60_000;

export interface Reconciler {
  /** Dispatches again what the stream has lost; returns how many results. */
  reconcile(): Promise<number>;
  /** Ends what is past its deadline; returns how many tasks. */
  expire(): Promise<number>;
  /** Removes what is old: broken uploads, unused blobs, keys, payloads past their retention. */
  tidy(): Promise<void>;
  stop(): Promise<void>;
}

export function createReconciler({
  db,
  outbox,
  streams,
  kills,
  retention,
  log,
  now,
  everyMs = 5_000,
  settleMs = 15_000,
  uploadMs = 10 * 60_000,
}: ReconcilerOptions): Reconciler {
  async function reconcile(): Promise<number> {
    const lostAll = await streams.ensureStream();
    let count = 0;
    const stale = await staleDispatches(db, {
      now: now(),
      settleMs: lostAll ? 0 : settleMs,
      limit: BATCH,
    });
    for (const { node_id, result_ids } of stale) {
      await streams.ensureConsumer(node_id);
      // While messages wait for the node, its pending results wait with them.
      if (await streams.outstanding(node_id) > 0) continue;
      const before = new Date(now().getTime() - (lostAll ? 0 : settleMs));
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

  async function expire(): Promise<number> {
    const expired = await expiredTasks(db, now());
    for (const task of expired) {
      const { ended, orders } = await outbox.change(async (change) => {
        // The family first: whoever holds one task of it and then waits for another could wait for a kill that waits for it.
        const family = await lockFamily(change.tx, task);
        await closeDeadline(change.tx, task.id);
        return await stopResults(change, family, {
          status: "failed",
          at: now(),
          reason: `Not finished within the task's time limit of ${task.timeout_seconds} s.`,
        });
      });
      kills.tell(orders);
      if (ended === 0) continue;
      log.info("Task ended at its deadline", { task_id: task.id, results: ended });
    }
    return expired.length;
  }

  async function tidy(): Promise<void> {
    const uploads = await sweepBlobs(db, { now: now(), uploadMs, unusedMs: UNUSED_BLOB_MS });
    if (uploads > 0) log.info("Removed blobs that nobody came for", { blobs: uploads });
    await forgetOldKeys(db);
    if (retention.days === undefined) return;
    const before = new Date(now().getTime() - retention.days * 86_400_000);
    const cleaned = await cleanUpResults(db, { before, now: now(), ...retention });
    if (cleaned > 0) log.info("Removed payloads past their retention", { results: cleaned });
  }

  const stopping = new AbortController();
  let tidiedAt = 0;
  let failing = false;

  async function round(): Promise<void> {
    const steps: (() => Promise<unknown>)[] = [reconcile, expire, kills.repeat];
    if (performance.now() - tidiedAt > TIDY_EVERY_MS) {
      tidiedAt = performance.now();
      steps.push(tidy);
    }
    let failure: unknown;
    // One step that fails must not hold up the others.
    for (const step of steps) await step().catch((error: unknown) => failure = error);
    if (failure && !failing) {
      log.warn("Cannot reconcile now; will try again", { reason: messageOf(failure) });
    }
    failing = failure !== undefined;
  }

  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, everyMs);
        stopping.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), {
          once: true,
        });
      });
      if (!stopping.signal.aborted) await round();
    }
  })();

  return {
    reconcile,
    expire,
    tidy,
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}
