/**
 * The SQL of which nodes are connected.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";
import { nodeColumns, type NodeRow } from "./node.ts";

/**
 * Sets a node's presence; returns the row only if that changed it. What the node told of its
 * configuration is forgotten when it goes.
 */
export async function setNodeStatus(
  tx: Tx,
  id: number,
  status: "online" | "offline",
  at: Date,
): Promise<NodeRow | undefined> {
  const [row] = await tx<NodeRow[]>`
    update node set status = ${status}, last_seen = greatest(last_seen, ${at}::timestamptz)
    where id = ${id} and status <> ${status} returning ${nodeColumns(tx)}`;
  if (row && status === "offline") await tx`delete from node_config where node_id = ${id}`;
  return row;
}

/** Nodes that are connected have been seen just now; written once a minute. */
export async function touchOnlineNodes(tx: Tx, ids: number[]): Promise<void> {
  await tx`
    update node set last_seen = now()
    where status = 'online' and id = any(${ids}) and last_seen < now() - interval '1 minute'`;
}

export async function onlineNodeIds(tx: Tx): Promise<number[]> {
  const rows = await tx<{ id: number }[]>`select id from node where status = 'online'`;
  return rows.map((row) => row.id);
}
