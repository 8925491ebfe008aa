/**
 * What task tells, each with the change that it tells of (`shared/messages/events.ts` has the
 * shapes).
 * @module
 */
import type { LogPiece } from "../../shared/node_protocol/logs.ts";
import type { Change } from "../../shared/storage/outbox.ts";
import { heldSince, taskStatus } from "./rules.ts";
import type { ResultRow } from "./store/result.ts";
import { statusesOfTask, type TaskRow } from "./store/task.ts";

/** Tells of a task that has just been stored. */
export function tellCreated({ emit }: Pick<Change, "emit">, task: TaskRow): void {
  emit("task.created", {
    task_id: task.id,
    run_id: task.job_id,
    parent_id: task.parent_id,
    collaboration_id: task.collaboration_id,
    init_org_id: task.init_org_id,
    init_user_id: task.init_user_id,
  });
}

/** Tells of a task that has just been deleted. */
export function tellDeleted({ emit }: Pick<Change, "emit">, task: TaskRow): void {
  emit("task.deleted", {
    task_id: task.id,
    collaboration_id: task.collaboration_id,
    init_org_id: task.init_org_id,
    init_user_id: task.init_user_id,
  });
}

/**
 * Tells of results of a task whose status has just changed, and of the status that the task has by
 * that.
 */
export async function tellMoved(
  { tx, emit }: Pick<Change, "tx" | "emit">,
  task: TaskRow,
  rows: ResultRow[],
): Promise<void> {
  tellMovedTo({ emit }, task, rows, await statusesOfTask(tx, task.id));
}

/** The same where it is known which statuses the results of the task have by that. */
export function tellMovedTo(
  { emit }: Pick<Change, "emit">,
  task: TaskRow,
  rows: Pick<ResultRow, "id" | "organization_id" | "status" | "attempt" | "held_at">[],
  statuses: string[],
): void {
  const task_status = taskStatus(statuses);
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
      held_since: heldSince(row)?.toISOString() ?? null,
    });
  }
}

/** Tells what a running algorithm has printed. */
export function tellPrinted(
  { emit }: Pick<Change, "emit">,
  { task, result, piece }: { task: TaskRow; result: ResultRow; piece: LogPiece },
): void {
  emit("result.log", {
    result_id: result.id,
    task_id: task.id,
    run_id: task.job_id,
    collaboration_id: task.collaboration_id,
    organization_id: result.organization_id,
    init_org_id: task.init_org_id,
    init_user_id: task.init_user_id,
    ...piece,
  });
}
