/**
 * Dispatching: what a node is told to do.
 * @module
 */
import { subjects } from "../../../shared/broker/subjects.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { JsonValue } from "../../../shared/storage/db.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { inputDigests } from "../store/dispatch.ts";
import { type ResultRow, updateResult } from "../store/result.ts";
import { databasesOfTasks, taskById, type TaskDatabaseRow, type TaskRow } from "../store/task.ts";

/** The databases of a task with their parameters merged in, as containers and nodes read them. */
export function flatDatabases(
  rows: TaskDatabaseRow[],
): ({ label: string } & Record<string, JsonValue>)[] {
  return rows.map(({ label, parameters }) => ({ label, ...JSON.parse(parameters) }));
}

/**
 * Tells the nodes of some results of a task about their current attempts, once the transaction is
 * committed.
 */
export async function dispatch(
  { tx, send }: Pick<Change, "tx" | "send">,
  task: TaskRow,
  results: ResultRow[],
  at: Date,
): Promise<void> {
  // Asked once for all: a task may be for a thousand nodes.
  const databases = flatDatabases(await databasesOfTasks(tx, [task.id]));
  const digests = await inputDigests(tx, results.map((result) => result.id));
  for (const result of results) {
    if (result.node_id === null) continue; // stored by hand: nobody is to run it
    const message = {
      v: 1,
      result_id: result.id,
      attempt: result.attempt,
      task_id: task.id,
      run_id: task.job_id,
      parent_id: task.parent_id,
      collaboration_id: task.collaboration_id,
      organization_id: result.organization_id,
      init_org_id: task.init_org_id,
      init_user_id: task.init_user_id,
      init_username: task.init_username,
      algorithm_store_url: task.algorithm_store_url,
      image: task.image,
      databases,
      input_sha256: digests.get(result.id)!,
      issued_at: at.toISOString(),
    } satisfies Dispatch;
    send(subjects.dispatch(result.node_id), message);
  }
}

/**
 * Tells the node once more about an attempt it may not have heard of; its journal drops what it has
 * seen.
 */
export async function redispatch(
  change: Pick<Change, "tx" | "send">,
  result: ResultRow,
  at: Date,
): Promise<void> {
  const task = await taskById(change.tx, result.task_id);
  await updateResult(change.tx, result.id, {
    status: result.status,
    dispatched_at: at,
    dispatches: result.dispatches + 1,
  });
  await dispatch(change, task!, [result], at);
}
