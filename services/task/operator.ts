/**
 * What the operator's shell may do to tasks and results: the same changes as through the API,
 * without its checks.
 *
 * Every function takes the open transaction first, and tells of what it does. Nodes are told by the
 * task service, which has the key for that: to stop what runs, by the stop orders that are stored
 * with the change, and of new work when it hears of it.
 * @module
 */
import { SextantError } from "../../shared/service/errors.ts";
import type { Change } from "../../shared/storage/outbox.ts";
import * as results from "./changes/result.ts";
import * as tasks from "./changes/task.ts";
import { tellCreated, tellMoved } from "./events.ts";
import {
  type DispatchedShare,
  insertStoredResult,
  type ResultRow,
  type StoredResult,
  taskOfResult,
  updateStoredResult,
  upsertDispatched,
} from "./store/result.ts";
import {
  insertTask,
  lockTask,
  type NewDatabase,
  type NewTask,
  replaceDatabases,
  taskById,
  type TaskRow,
  updateTask as writeTask,
} from "./store/task.ts";

export { nextRunId } from "./store/task.ts";

/**
 * Stores a task and tells of it. It has no results and no node picks it up: see {@linkcode
 * dispatchTask}.
 */
export async function createTask(
  change: Change,
  values: NewTask,
  databases: NewDatabase[] = [],
): Promise<TaskRow> {
  const task = await insertTask(change.tx, values, databases);
  tellCreated(change, task);
  return task;
}

/**
 * Changes what is stored of a task, and puts other databases in place of its own if they are given.
 */
export async function updateTask(
  { tx }: Change,
  id: number,
  values: Partial<NewTask>,
  databases?: NewDatabase[],
): Promise<TaskRow> {
  const row = await writeTask(tx, id, values);
  if (!row) throw gone("task", id);
  if (databases) await replaceDatabases(tx, id, databases);
  return row;
}

/**
 * Deletes a task with its results and descendants; kills first what is unfinished. Returns how many
 * tasks went.
 */
export async function removeTask(change: Change, id: number, at: Date): Promise<number> {
  const root = await taskById(change.tx, id);
  if (!root) throw gone("task", id);
  const end = { at, reason: "The task was deleted." };
  return (await tasks.removeTask(change, root, end)).tasks;
}

/**
 * Makes or takes the results of some organizations and dispatches them, as the API does with a new
 * task. Throws `conflict` for an organization that was asked already.
 */
export async function dispatchTask(
  change: Change,
  id: number,
  { shares, at }: { shares: Omit<DispatchedShare, "task_id">[]; at: Date },
): Promise<ResultRow[]> {
  const task = await lockTask(change.tx, id);
  if (!task) throw gone("task", id);
  const rows: ResultRow[] = [];
  for (const share of shares) {
    const row = await upsertDispatched(change.tx, { task_id: id, ...share }, at);
    if (!row) {
      throw new SextantError(
        "conflict",
        `Cannot dispatch task ${id}: organization ${share.organization_id} was asked already`,
      );
    }
    rows.push(row);
  }
  await tellMoved(change, task, rows);
  return rows;
}

/** Stores a result by hand and tells of it; no node picks it up. */
export async function createResult(change: Change, values: StoredResult): Promise<ResultRow> {
  const task = await lockTask(change.tx, values.task_id);
  if (!task) throw gone("task", values.task_id);
  const row = await insertStoredResult(change.tx, values);
  await tellMoved(change, task, [row]);
  return row;
}

/** Changes what is stored of a result, and tells of a status that is given. */
export async function updateResult(
  change: Change,
  id: number,
  values: Partial<StoredResult>,
): Promise<ResultRow> {
  const task = await lockTaskOfResult(change, id);
  if (!task) throw gone("result", id);
  const row = await updateStoredResult(change.tx, id, values);
  if (values.status !== undefined) await tellMoved(change, task, [row]);
  return row;
}

/** Deletes a result; kills it first if it is unfinished. */
export async function removeResult(change: Change, id: number, at: Date): Promise<void> {
  const task = await lockTaskOfResult(change, id);
  if (!task) throw gone("result", id);
  await results.removeResult(change, task, id, { at, reason: "The result was deleted." });
}

async function lockTaskOfResult({ tx }: Change, resultId: number): Promise<TaskRow | undefined> {
  const taskId = await taskOfResult(tx, resultId);
  return taskId === undefined ? undefined : await lockTask(tx, taskId);
}

function gone(noun: "task" | "result", id: number): SextantError {
  return new SextantError("not_found", `There is no ${noun} ${id} any more.`);
}
