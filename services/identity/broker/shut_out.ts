import type { IdentityDeps } from "../deps.ts";
import { endAccess } from "../store/node_key.ts";
import { deleteNodeSessions } from "../store/session.ts";

/** What can end what a node was given. */
export interface ShutOutDeps {
  db: IdentityDeps["db"];
  ask: IdentityDeps["ask"];
  now: IdentityDeps["now"];
  broker: Pick<IdentityDeps["broker"], "withdraw">;
}

/**
 * Shuts out nodes that were deleted, or whose keys were reset: their sessions and broker
 * credentials end, as far as they were given for another API key than the one each has now.
 *
 * collaboration asks for it right after the change, and the event of the change, which is not
 * forgotten even if this service was down, asks again. A node may be back with its new key by then:
 * it keeps what it was given for that.
 */
export async function shutNodesOut(
  { db, ask, now, broker }: ShutOutDeps,
  nodeIds: number[],
): Promise<void> {
  const there = await ask("collaboration", "node_generations", { ids: nodeIds });
  const present = new Map(there.map((node) => [node.id, node.key_generation]));
  const ended = [...new Set(nodeIds)].map((node_id) => ({
    node_id,
    least_generation: present.get(node_id) ?? null,
  }));
  await db.begin(async (tx) => {
    await endAccess(tx, ended, now());
    await deleteNodeSessions(tx, ended);
  });
  await broker.withdraw(ended);
}
