/**
 * Changes of tasks, each with all that follows from it in this service and what is told of it.
 *
 * Locks are taken in one order: the tasks of a run id by their ids (`lockFamily`), then results by
 * theirs. What a change returns as stop orders is told to the nodes once it is committed; those
 * that run are told again until they obey.
 * @module
 */
import { demand } from "../../../shared/contract/permissions.ts";
import { isBlobId } from "../../../shared/node_protocol/blobs.ts";
import { isFinal } from "../../../shared/node_protocol/status.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Tx } from "../../../shared/storage/db.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { dispatchNew } from "../dispatch/send.ts";
import { tellCreated, tellDeleted } from "../events.ts";
import { taskStatus } from "../rules.ts";
import { attachBlob } from "../store/blob.ts";
import { insertResults, type ResultRow } from "../store/result.ts";
import type { End } from "../store/result_end.ts";
import type { StopOrder } from "../store/stop_order.ts";
import {
  countOfRun,
  deleteTasks,
  insertTask,
  lockFamily,
  lockTask,
  type NewDatabase,
  type NewTask,
  parentState,
  shareTask,
  type TaskDatabaseRow,
  type TaskProgress,
  type TaskRow,
} from "../store/task.ts";
import { type Stopped, stopResults } from "./result.ts";

/** One organization's share of a new task. */
export interface NewShare {
  organization_id: number;
  node_id: number;
  /** The payload, or the id of the blob that holds it. */
  input: string;
}

export interface NewTaskOptions {
  /** Without a `job_id` it gets a new one. */
  values: Omit<NewTask, "job_id"> & { job_id: number | undefined };
  databases: NewDatabase[];
  shares: NewShare[];
  /** Whose blobs its inputs may be. */
  blobOwners: string[];
  /** The attempt at the parent's share in whose name it is made, where that is told. */
  parentAttempt?: number | undefined;
  /** Subtasks that a run may have made before this one; unless given they are not counted. */
  maxSubtasks?: number;
}

/** A new task, as it is shown. */
export interface Created {
  task: TaskRow;
  databases: TaskDatabaseRow[];
  progress: TaskProgress;
}

/**
 * Stores a task with its results and dispatches them; tells of it. Throws `forbidden` when its
 * parent, or the attempt that wants it, is over, and `invalid_request` for an input in a blob that
 * cannot be had.
 */
export async function createTask(
  change: Change,
  { values, databases, shares, blobOwners, parentAttempt, maxSubtasks = Infinity }: NewTaskOptions,
): Promise<Created> {
  const { tx } = change;
  if (values.parent_id !== null) {
    const { parent_id: taskId, init_org_id: organizationId } = values;
    await demandOpen(tx, { taskId, organizationId, attempt: parentAttempt });
    if (values.job_id !== undefined) await demandFew(tx, values.job_id, maxSubtasks);
  }
  const [task, results] = await Promise.all([
    insertTask(tx, values, databases),
    insertResults(tx, shares.map((share) => ({ ...share, input_in_blob: isBlobId(share.input) }))),
  ]);
  await attachInputs(tx, { shares, results, blobOwners });
  const stored = databases.map((one) => ({ ...one, task_id: task.id }));
  dispatchNew(change, task, results, stored);
  tellCreated(change, task);
  const statuses = [...new Set(results.map((result) => result.status))];
  return {
    task,
    databases: stored,
    progress: { task_id: task.id, statuses, last_finished_at: null, held_at_organizations: [] },
  };
}

/**
 * Under the lock that this takes the parent cannot be killed, nor an attempt at it given up,
 * between this look and the commit: whatever is made before takes part in that, and nothing is made
 * after it.
 */
async function demandOpen(
  tx: Tx,
  { taskId, organizationId, attempt }: {
    taskId: number;
    organizationId: number;
    attempt: number | undefined;
  },
): Promise<void> {
  const [parent, state] = await Promise.all([
    shareTask(tx, taskId),
    parentState(tx, { taskId, organizationId }),
  ]);
  demand(parent !== undefined, "create subtasks of a task that is over");
  const open = !isFinal(taskStatus(state.statuses)) && state.attempt !== null;
  demand(open, "create subtasks of a task that is over");
  demand(
    attempt === undefined || attempt === state.attempt,
    "create subtasks for an attempt that was given up",
  );
}

/**
 * Refuses one subtask more than a run may make: whoever makes them without end fills every node.
 */
async function demandFew(tx: Tx, runId: number, most: number): Promise<void> {
  const subtasks = await countOfRun(tx, runId) - 1;
  if (subtasks < most) return;
  throw new SextantError(
    "invalid_request",
    `Cannot create the subtask: this run has made ${subtasks}, and this server lets a run make ` +
      `${most} (SEXTANT_MAX_SUBTASKS).`,
  );
}

async function attachInputs(
  tx: Tx,
  { shares, results, blobOwners: owners }: Pick<NewTaskOptions, "shares" | "blobOwners"> & {
    results: ResultRow[];
  },
): Promise<void> {
  for (const { organization_id, input } of shares) {
    if (!isBlobId(input)) continue;
    const resultId = results.find((one) => one.organization_id === organization_id)!.id;
    if (await attachBlob(tx, input, { owners, resultId })) continue;
    throw new SextantError(
      "invalid_request",
      `The blob ${input} cannot be an input: it is not complete, not yours, or in use already.`,
    );
  }
}

/** Ends the unfinished results of a task and of all its descendants. */
export async function stopFamily(change: Change, root: TaskRow, end: End): Promise<Stopped> {
  return await stopResults(change, await lockFamily(change.tx, root), end);
}

/** Ends what of a task is unfinished at a node, and its siblings that nobody has begun. */
export async function stopAtNode(
  change: Change,
  { taskId, nodeId }: { taskId: number; nodeId: number },
  end: End,
): Promise<Stopped> {
  const task = await lockTask(change.tx, taskId);
  return task ? await stopResults(change, [task], end, nodeId) : { ended: 0, orders: [] };
}

export interface Removed {
  /** How many tasks went. */
  tasks: number;
  /** Whom to tell, once it is committed. */
  orders: StopOrder[];
}

/**
 * Deletes a task with its results and all its descendants; kills first what of them is unfinished.
 */
export async function removeTask(
  change: Change,
  root: TaskRow,
  { at, reason }: { at: Date; reason: string },
): Promise<Removed> {
  const family = await lockFamily(change.tx, root);
  const { orders } = await stopResults(change, family, { status: "killed by user", at, reason });
  await deleteTasks(change.tx, family.map((task) => task.id));
  for (const task of family) tellDeleted(change, task);
  return { tasks: family.length, orders };
}
