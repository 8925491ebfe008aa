/**
 * The SQL of what nodes state to have seen of the hub's audit record.
 * @module
 */
import { MOST_STATEMENTS, type SignedStatement } from "../../../shared/node_protocol/witness.ts";
import type { Tx } from "../../../shared/storage/db.ts";

/** Replaces the last statement. Nothing happens for a node that is gone. */
export async function keepStatement(
  tx: Tx,
  nodeId: number,
  statement: SignedStatement,
): Promise<void> {
  await tx`
    insert into node_witness (node_id, told_at, statement)
    select id, now(), ${tx.json({ ...statement })} from node where id = ${nodeId}
    on conflict (node_id) do update
      set told_at = excluded.told_at, statement = excluded.statement`;
}

/** Those of the other nodes of a collaboration; where there are many, some, others each time. */
export async function otherStatements(
  tx: Tx,
  { nodeId, collaborationId }: { nodeId: number; collaborationId: number },
): Promise<{ node_id: number; organization_id: number; statement: unknown }[]> {
  return [
    ...await tx<{ node_id: number; organization_id: number; statement: unknown }[]>`
      select node_id, organization_id, statement from node_witness join node on node.id = node_id
      where collaboration_id = ${collaborationId} and node_id <> ${nodeId}
      order by random() limit ${MOST_STATEMENTS}`,
  ];
}
