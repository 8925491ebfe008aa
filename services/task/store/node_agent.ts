/**
 * The SQL of agents: which one last spoke for a node.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";

/**
 * The agent that last spoke for a node, locked, and how many hellos of the node have been dealt
 * with. Where none has spoken yet, it is the one that speaks now.
 */
export async function lockAgent(
  tx: Tx,
  nodeId: number,
  agentId: string,
): Promise<{ agent_id: string; hellos: number }> {
  const [row] = await tx<{ agent_id: string; hellos: number }[]>`
    insert into node_agent (node_id, agent_id) values (${nodeId}, ${agentId})
    on conflict (node_id) do update set agent_id = node_agent.agent_id
    returning agent_id, hellos`;
  return row!;
}

/** Counts a hello of the agent that now speaks for a node. */
export async function countHello(tx: Tx, nodeId: number, agentId: string): Promise<void> {
  await tx`
    update node_agent set agent_id = ${agentId}, hellos = hellos + 1 where node_id = ${nodeId}`;
}
