import type { IdentityDeps } from "../deps.ts";
import { deleteNodeTokens } from "../store/session.ts";

/**
 * Shuts out a node that was deleted, or whose key was reset: its refresh tokens and broker
 * credentials end.
 *
 * collaboration asks for it right after the change, and the event of the change, which is not
 * forgotten even if this service was down, asks again. So only what was issued before the change is
 * taken away: the node may be back with its new key by then.
 */
export async function shutNodeOut(
  { db, broker }: Pick<IdentityDeps, "db" | "broker">,
  nodeId: number,
  before: Date,
): Promise<void> {
  await deleteNodeTokens(db, nodeId, before);
  await broker.shutOut(nodeId, before);
}
