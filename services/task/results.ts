/**
 * Changes of results, each with the event that tells of it.
 * @module
 */
import type { Change } from "../../shared/storage/outbox.ts";
import { isFailed, taskStatus } from "./rules.ts";
import {
  type ResultChange,
  type ResultRow,
  statusesOfTask,
  type TaskRow,
  updateResult,
} from "./store.ts";
import { takeLiveLog } from "./store/log.ts";
import { abandonSiblings } from "./store/stop.ts";

/** Tells of results that have just changed. */
export async function tellMoved(
  { tx, emit }: Change,
  task: TaskRow,
  rows: ResultRow[],
): Promise<void> {
  const task_status = taskStatus(await statusesOfTask(tx, task.id));
  for (const row of rows) {
    emit("result.status", {
      result_id: row.id,
      task_id: task.id,
      run_id: task.job_id,
      parent_id: task.parent_id,
      collaboration_id: task.collaboration_id,
      organization_id: row.organization_id,
      init_org_id: task.init_org_id,
      init_user_id: task.init_user_id,
      status: row.status,
      task_status,
      attempt: row.attempt,
    });
  }
}

/** Writes `change` and tells of it. A failure ends the siblings that nobody has begun (contract §3.8). */
export async function moveResult(
  change: Change,
  task: TaskRow,
  resultId: number,
  values: ResultChange,
  at: Date,
): Promise<ResultRow> {
  const moved = await updateResult(change.tx, resultId, values);
  const abandoned = isFailed(moved.status)
    ? await abandonSiblings(change.tx, task.id, {
      at,
      reason:
        `Not run: the share of organization ${moved.organization_id} ended as "${moved.status}".`,
    })
    : [];
  await tellMoved(change, task, [moved, ...abandoned]);
  return moved;
}

/** The log that a result ends with: the node's whole one, or else what it had sent; then the reason. */
export async function finalLog(
  { tx }: Change,
  resultId: number,
  { log, reason }: { log: string | null; reason: string | null },
): Promise<string> {
  const live = await takeLiveLog(tx, resultId);
  return [log ?? live, reason].filter(Boolean).map((text) => printable(text!)).join("\n");
}

/** What a program printed, as Postgres can hold it. */
export function printable(log: string): string {
  return log.replaceAll("\0", "\uFFFD");
}
