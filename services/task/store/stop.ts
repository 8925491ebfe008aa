/**
 * The SQL of ending results before their time.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";
import type { ResultStatus } from "../rules.ts";
import { liveLog, resultColumns, type ResultRow } from "../store.ts";

export interface End {
  status: ResultStatus;
  at: Date;
  /** For the researcher; the last line of the log. */
  reason: string;
}

/** Ends these results, which the caller has locked, whatever they were; keeps what they had printed. */
export async function endResults(tx: Tx, ids: number[], end: End): Promise<ResultRow[]> {
  const rows = await tx<ResultRow[]>`
    update result set status = ${end.status}, finished_at = ${end.at}, log_size = 0,
      log = concat_ws(E'\n', coalesce(log, ${liveLog(tx)}), ${end.reason}::text)
    where id = any(${ids}) returning ${resultColumns(tx)}`;
  await tx`delete from result_log where result_id = any(${ids})`;
  return rows.sort((a, b) => a.id - b.id);
}

/**
 * Ends the results of a task that no node has begun; for when a sibling's failure makes them pointless. What attempts that
 * were lost had printed is kept.
 */
export async function abandonSiblings(
  tx: Tx,
  taskId: number,
  { at, reason }: Omit<End, "status">,
): Promise<ResultRow[]> {
  const waiting = await tx<{ id: number }[]>`
    select id from result
    where task_id = ${taskId} and started_at is null and finished_at is null
    order by id for update`;
  return await endResults(tx, waiting.map((row) => row.id), { status: "failed", at, reason });
}

export interface StopOrder {
  result_id: number;
  node_id: number;
}

/** Notes that nodes must be brought to stop these. */
export async function insertStopOrders(tx: Tx, orders: StopOrder[]): Promise<void> {
  if (orders.length === 0) return;
  await tx`
    insert into stop_order ${tx(orders.map(({ result_id, node_id }) => ({ result_id, node_id })))}
    on conflict (result_id) do nothing`;
}

/** Orders that may have been missed by a node that is connected: one that was not says hello when it comes back. */
export async function recentStopOrders(tx: Tx, since: Date): Promise<StopOrder[]> {
  return await tx<StopOrder[]>`
    select result_id, node_id from stop_order where created_at > ${since} order by result_id`;
}

/** The node has been heard to run this no longer. */
export async function closeStopOrder(tx: Tx, resultId: number, nodeId: number): Promise<void> {
  await tx`delete from stop_order where result_id = ${resultId} and node_id = ${nodeId}`;
}

/** The node has named everything it holds: whatever else it was to stop, it has. */
export async function closeStopOrdersExcept(
  tx: Tx,
  nodeId: number,
  held: number[],
): Promise<void> {
  await tx`delete from stop_order where node_id = ${nodeId} and result_id <> all(${held})`;
}
