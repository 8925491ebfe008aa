/**
 * Changes of results, each with what is told of it.
 *
 * Whoever ends results holds their task locked (`lockTask`, `lockFamily`): so the task's status
 * that is told is the true one.
 * @module
 */
import { isFailed, isOpen } from "../../../shared/node_protocol/status.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { tellMoved } from "../events.ts";
import { takeLiveLog } from "../store/log.ts";
import {
  deleteResult,
  lockOpenResults,
  lockResult,
  type ResultChange,
  type ResultRow,
  updateResult,
} from "../store/result.ts";
import { abandonSiblings, type End, endResults } from "../store/result_end.ts";
import { insertStopOrders, type StopOrder } from "../store/stop_order.ts";
import type { TaskRow } from "../store/task.ts";

/**
 * Writes `values` and tells of it. A failure ends the siblings that nobody has begun (contract
 * §3.8).
 */
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
  for (const task of tasks) {
    const rows: ResultRow[] = moved.get(task.id) ?? [];
    if (rows.length === 0) continue;
    if (nodeId !== undefined) {
      rows.push(
        ...await abandonSiblings(tx, task.id, {
          at: end.at,
          reason: `Not run: another share of the task ended as "${end.status}".`,
        }),
      );
    }
    await tellMoved(change, task, rows);
  }
  return { ended: ended.length, orders: await orderStops(change, open) };
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
    await tellMoved(change, task, await endResults(change.tx, [resultId], end));
    orders = await orderStops(change, [result]);
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
  { log, reason }: { log: string | null; reason: string | null },
): Promise<string> {
  const live = await takeLiveLog(tx, resultId);
  return [log ?? live, reason].filter(Boolean).map((text) => printable(text!)).join("\n");
}

/** What a program printed, as Postgres can hold it. */
export function printable(log: string): string {
  return log.replaceAll("\0", "\uFFFD");
}
