import type { IdentityDeps } from "../deps.ts";
import { deleteNodeSessions } from "../store/session.ts";

/** What can end what a node was given. */
export interface ShutOutDeps {
  db: IdentityDeps["db"];
  broker: Pick<IdentityDeps["broker"], "withdraw">;
}

/**
 * Shuts out nodes that were deleted, or whose keys were reset: their sessions and broker
 * credentials end.
 *
 * collaboration asks for it right after the change, and the event of the change, which is not
 * forgotten even if this service was down, asks again. So only what was issued before the change is
 * taken away: a node may be back with its new key by then.
 */
export async function shutNodesOut(
  { db, broker }: ShutOutDeps,
  nodeIds: number[],
  before: Date,
): Promise<void> {
  await deleteNodeSessions(db, nodeIds, before);
  await broker.withdraw(nodeIds.map((node_id) => ({ node_id, until: before })));
}
