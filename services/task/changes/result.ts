/**
 * Changes of results, each with what is told of it.
 *
 * Whoever ends results holds their task locked (`lockTask`, `lockFamily`): so the task's status
 * that is told is the true one.
 * @module
 */
import { isFailed, isOpen } from "../../../shared/node_protocol/status.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { tellMoved, tellMovedTo } from "../events.ts";
import { dropLiveLog, readLiveLog } from "../store/log.ts";
import {
  deleteResult,
  lockOpenResults,
  lockResult,
  type ResultChange,
  type ResultRow,
  updateResult,
  writeResult,
} from "../store/result.ts";
import { abandonSiblings, type End, endResults } from "../store/result_end.ts";
import { insertStopOrders, type StopOrder } from "../store/stop_order.ts";
import { lockSubtasks, type TaskRow } from "../store/task.ts";

/**
 * Writes `values` and tells of it. A failure ends the siblings that nobody has begun (contract
 * §3.8), unless the task is to keep going.
 */
export async function moveResult(
  change: Change,
  task: TaskRow,
  resultId: number,
  values: ResultChange,
  at: Date,
): Promise<ResultRow> {
  const moved = await updateResult(change.tx, resultId, values);
  const abandoned = isFailed(moved.status) && !task.keep_going
    ? await abandonSiblings(change.tx, task.id, {
      at,
      reason:
        `Not run: the share of organization ${moved.organization_id} ended as "${moved.status}".`,
    })
    : [];
  await tellMoved(change, task, [moved, ...abandoned]);
  return moved;
}

/** A locked result, and what has to be known of its task to tell of it. */
export interface KnownResult {
  task: TaskRow;
  result: ResultRow;
  /** The statuses of the task's other results. */
  others: string[];
}

/**
 * The same for a result of which all is known: unless that is a failure, nothing is asked and
 * nothing waited for.
 */
export async function moveKnown(
  change: Change,
  { task, result, others }: KnownResult,
  values: ResultChange,
  at: Date,
): Promise<Pick<ResultRow, "organization_id" | "status">> {
  if (isFailed(values.status)) return await moveResult(change, task, result.id, values, at);
  writeResult(change.tx, result.id, values);
  const { status, attempt = result.attempt, held_at = result.held_at } = values;
  const moved = { ...result, status, attempt, held_at };
  tellMovedTo(change, task, [moved], [...others, moved.status]);
  return moved;
}

export interface Stopped {
  /** How many results were ended; some may be at no node, since an operator stored them. */
  ended: number;
  /** Whom to tell, once it is committed. */
  orders: StopOrder[];
}

/**
 * Ends the unfinished results of `tasks`, which the caller has locked, or only those at one node.
 */
export async function stopResults(
  change: Change,
  tasks: TaskRow[],
  end: End,
  nodeId?: number,
): Promise<Stopped> {
  const { tx } = change;
  const open = await lockOpenResults(tx, {
    taskIds: tasks.map((task) => task.id),
    ...(nodeId === undefined ? {} : { nodeId }),
  });
  const ended = await endResults(tx, open.map((row) => row.id), end);
  const moved = Map.groupBy(ended, (row) => row.task_id);
  const orders = await orderStops(change, open);
  for (const task of tasks) {
    const rows: ResultRow[] = moved.get(task.id) ?? [];
    if (rows.length === 0) continue;
    if (nodeId !== undefined && !task.keep_going) {
      rows.push(
        ...await abandonSiblings(tx, task.id, {
          at: end.at,
          reason: `Not run: another share of the task ended as "${end.status}".`,
        }),
      );
    }
    await tellMoved(change, task, rows);
    if (nodeId !== undefined) orders.push(...await stopMadeBy(change, task, rows, end.at));
  }
  return { ended: ended.length, orders };
}

/**
 * Ends what is unfinished of the subtasks that some results of `task` have made, which the caller
 * has locked: nobody will ever ask for what they compute.
 */
export async function stopSubtasks(
  change: Change,
  task: TaskRow,
  { organizationIds, reason, at }: { organizationIds: number[]; reason: string; at: Date },
): Promise<StopOrder[]> {
  const made = await lockSubtasks(change.tx, task, organizationIds);
  if (made.length === 0) return [];
  return (await stopResults(change, made, { status: "failed", at, reason })).orders;
}

/** Ends the subtasks of results that have just ended before their time. */
export async function stopMadeBy(
  change: Change,
  task: TaskRow,
  ended: Pick<ResultRow, "organization_id" | "status">[],
  at: Date,
): Promise<StopOrder[]> {
  const [first] = ended;
  if (!first) return [];
  return await stopSubtasks(change, task, {
    organizationIds: ended.map((row) => row.organization_id),
    reason: `Not needed any more: the share that asked for this ended as "${first.status}".`,
    at,
  });
}

/**
 * Deletes a result, of which the caller has locked the task; kills it first if it is unfinished.
 */
export async function removeResult(
  change: Change,
  task: TaskRow,
  resultId: number,
  { at, reason }: { at: Date; reason: string },
): Promise<StopOrder[]> {
  const result = await lockResult(change.tx, resultId);
  if (!result) return [];
  let orders: StopOrder[] = [];
  if (isOpen(result.status)) {
    const end = { status: "killed by user", at, reason } as const;
    const ended = await endResults(change.tx, [resultId], end);
    await tellMoved(change, task, ended);
    orders = await orderStops(change, [result]);
    orders.push(...await stopMadeBy(change, task, ended, at));
  }
  await deleteResult(change.tx, resultId);
  return orders;
}

/**
 * Notes which nodes must be brought to stop what was open; returns whom to tell, once it is
 * committed.
 */
async function orderStops({ tx }: Change, open: ResultRow[]): Promise<StopOrder[]> {
  // What an operator stored by hand is at no node.
  const dispatched = open.filter((row) => row.node_id !== null);
  const running = dispatched.filter((row) => row.status !== "pending");
  await insertStopOrders(tx, running.map(orderOf));
  return dispatched.map(orderOf);
}

function orderOf({ id, node_id }: ResultRow): StopOrder {
  return { result_id: id, node_id: node_id! };
}

/**
 * The log that a result ends with: the node's whole one, or else what it had sent; then the reason.
 */
export async function finalLog(
  { tx }: Change,
  resultId: number,
  { log, reason, sent }: {
    log: string | null;
    reason: string | null;
    /** What it had sent, where that has been read since the result is locked. */
    sent?: string | null;
  },
): Promise<string> {
  const live = sent === undefined ? await readLiveLog(tx, resultId) : sent;
  if (live !== null) dropLiveLog(tx, resultId);
  return [log ?? live, reason].filter(Boolean).map((text) => printable(text!)).join("\n");
}

/** What a program printed, as Postgres can hold it. */
export function printable(log: string): string {
  return log.replaceAll("\0", "\uFFFD");
}
