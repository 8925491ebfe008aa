/**
 * What follows when an organization, a node or a collaboration goes: who is told, and who is shut out.
 * @module
 */
import type { Logger } from "../../shared/service/log.ts";
import type { Change } from "../../shared/storage/outbox.ts";
import type { Ask } from "../../shared/messages/questions.ts";
import type { Departure, NodeRow } from "./store.ts";

type Emit = Change["emit"];

export function tellNodesDeleted(emit: Emit, nodes: NodeRow[]): void {
  for (const { id, organization_id, collaboration_id } of nodes) {
    emit("node.deleted", { node_id: id, organization_id, collaboration_id });
  }
}

/** Tells that members left a collaboration, with their places in studies and their nodes. */
export function tellDeparture(emit: Emit, collaborationId: number, departure: Departure): void {
  emit("collaboration.changed", { collaboration_id: collaborationId });
  for (const study_id of departure.studyIds) {
    emit("study.changed", { study_id, collaboration_id: collaborationId });
  }
  tellNodesDeleted(emit, departure.nodes);
}

/**
 * Closes the connections of nodes whose key is dead, now. identity also hears of it from the stream of events, so
 * when it cannot be asked the nodes are shut out as soon as it is back.
 */
export async function shutOut(
  { ask, log }: { ask: Ask; log: Logger },
  nodes: { id: number }[],
): Promise<void> {
  for (const { id } of nodes) {
    try {
      await ask("identity", "revoke_node", { node_id: id });
    } catch (error) {
      log.warn("A node is not shut out yet", { node_id: id, error });
    }
  }
}
