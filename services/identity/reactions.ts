/**
 * What identity does when it hears an event.
 * @module
 */
import type { SextantEvent } from "../../shared/messages/events.ts";
import { shutNodesOut, type ShutOutDeps } from "./broker/shut_out.ts";

/** The events this service hears, as its durable consumer asks for them. */
export const HEARD = "event.node.*";

/** Does what an event asks for; the same event may come twice. */
export async function hearEvent(
  event: SextantEvent,
  deps: ShutOutDeps,
): Promise<void> {
  if (event.name === "node.deleted" || event.name === "node.key_reset") {
    await shutNodesOut(deps, [event.data.node_id]);
  }
}
