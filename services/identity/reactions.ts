/**
 * Shutting out a node that was deleted, or whose key was reset: its refresh tokens and broker credentials end.
 *
 * collaboration asks for it right after the change, and the event of the change, which is not forgotten even if
 * this service was down, asks again. So only what was issued before the change is taken away: the node may be back
 * with its new key by then.
 * @module
 */
import type { SextantEvent } from "../../shared/messages/events.ts";
import type { IdentityDeps } from "./deps.ts";

/** The events this service hears, as its durable consumer asks for them. */
export const HEARD = "event.node.*";

type Needed = Pick<IdentityDeps, "db" | "broker">;

export async function shutNodeOut({ db, broker }: Needed, nodeId: number, before: Date) {
  await db`
    delete from refresh_token
    where client_type = 'node' and client_id = ${nodeId} and issued_at <= ${before}`;
  await broker.shutOut(nodeId, before);
}

/** Does what an event asks for; the same event may come twice. */
export async function hearEvent(event: SextantEvent, deps: Needed): Promise<void> {
  if (event.name === "node.deleted" || event.name === "node.key_reset") {
    await shutNodeOut(deps, event.data.node_id, new Date(event.at));
  }
}
