/**
 * Ending what is past its time limit.
 * @module
 */
import type { Logger } from "../../../shared/service/log.ts";
import type { Db } from "../../../shared/storage/db.ts";
import type { Outbox } from "../../../shared/storage/outbox.ts";
import { stopFamily } from "../changes/task.ts";
import type { Kills } from "../dispatch/kills.ts";
import { closeDeadline, expiredTasks, keepClocks } from "../store/expiry.ts";

export interface DeadlinesOptions {
  db: Db;
  outbox: Outbox;
  kills: Kills;
  log: Logger;
  now: () => Date;
}

/** Ends what is past its deadline; returns how many tasks. */
export async function endExpired(
  { db, outbox, kills, log, now }: DeadlinesOptions,
): Promise<number> {
  await keepClocks(db, now());
  const expired = await expiredTasks(db, now());
  for (const task of expired) {
    const { ended, orders } = await outbox.change(async (change) => {
      const reason = `Not finished within the task's time limit of ${task.timeout_seconds} s.`;
      // The family first: whoever holds one task of it and then waits for another could wait for a
      // kill that waits for it.
      const stopped = await stopFamily(change, task, { status: "failed", at: now(), reason });
      await closeDeadline(change.tx, task.id);
      return stopped;
    });
    kills.tell(orders);
    if (ended === 0) continue;
    log.info("Task ended at its deadline", { task_id: task.id, results: ended });
  }
  return expired.length;
}
