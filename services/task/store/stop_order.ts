/**
 * The SQL of stop orders: results that nodes must be brought to stop.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";

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

/**
 * Orders that may have been missed by a node that is connected: one that was not says hello when it
 * comes back.
 */
export async function recentStopOrders(tx: Tx, since: Date): Promise<StopOrder[]> {
  return await tx<StopOrder[]>`
    select result_id, node_id from stop_order where created_at > ${since} order by result_id`;
}

/** The node has been heard to run this no longer. */
export function closeStopOrder(tx: Tx, resultId: number, nodeId: number): void {
  tx.soon(tx`delete from stop_order where result_id = ${resultId} and node_id = ${nodeId}`);
}

/** The node has named everything it holds: whatever else it was to stop, it has. */
export async function closeStopOrdersExcept(
  tx: Tx,
  nodeId: number,
  held: number[],
): Promise<void> {
  await tx`delete from stop_order where node_id = ${nodeId} and result_id <> all(${held})`;
}
