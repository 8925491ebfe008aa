/**
 * Changes of results, each with the event that tells of it.
 * @module
 */
import type { Change } from "../../shared/outbox.ts";
import { isFailed, taskStatus } from "./rules.ts";
import {
  abandonSiblings,
  type ResultChange,
  type ResultRow,
  statusesOfTask,
  type TaskRow,
  updateResult,
} from "./store.ts";

/** Writes `change` and tells of it. A failure ends the siblings that nobody has begun (contract §3.8). */
export async function moveResult(
  { tx, emit }: Change,
  task: TaskRow,
  resultId: number,
  change: ResultChange,
  at: Date,
): Promise<ResultRow> {
  const moved = await updateResult(tx, resultId, change);
  const abandoned = isFailed(moved.status)
    ? await abandonSiblings(tx, task.id, {
      at,
      log:
        `Not run: the share of organization ${moved.organization_id} ended as "${moved.status}".`,
    })
    : [];
  const task_status = taskStatus(await statusesOfTask(tx, task.id));
  for (const row of [moved, ...abandoned]) {
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
  return moved;
}
