/**
 * Changes of collaborations and their members, with all that goes with them and what is told of it.
 *
 * Some take nodes along. Who calls them shuts those nodes out once the change is committed
 * (`shutOut` in `questions.ts`).
 * @module
 */
import { found } from "../../../shared/contract/validate.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import * as store from "../store/collaboration.ts";
import type { CollaborationRow, Dependents } from "../store/collaboration.ts";
import type { NodeRow } from "../store/node.ts";

export interface NewCollaboration {
  name: string;
  encrypted: boolean;
  organization_ids: number[];
}

/** Makes a collaboration of organizations, which the caller knows to exist. */
export async function createCollaboration(
  { tx, emit }: Change,
  { organization_ids, ...values }: NewCollaboration,
): Promise<CollaborationRow> {
  const row = await store.insertCollaboration(tx, values, organization_ids);
  emit("collaboration.changed", { collaboration_id: row.id });
  return row;
}

/**
 * Changes name and encryption, or puts other organizations in place of the members; 404 when the
 * collaboration is gone. Returns the nodes of members that left, which are deleted.
 */
export async function updateCollaboration(
  { tx, emit }: Change,
  id: number,
  { organization_ids, ...values }: {
    name?: string | undefined;
    encrypted?: boolean | undefined;
    organization_ids?: number[] | undefined;
  },
): Promise<{ row: CollaborationRow; nodes: NodeRow[] }> {
  found(await store.lockCollaboration(tx, id), "collaboration", id);
  const row = await store.updateCollaboration(tx, id, values);
  const members = await store.collaborationMembers(tx, id);
  const wanted = organization_ids ?? members;
  await store.addMembers(tx, id, wanted);
  const gone = members.filter((one) => !wanted.includes(one));
  const dependents = await store.removeMembers(tx, id, gone);
  tellMembersLeft(emit, id, dependents);
  return { row, nodes: dependents.nodes };
}

/**
 * Adds an organization; one that is a member already stays one. 404 when the collaboration is gone.
 */
export async function addMember(
  { tx, emit }: Change,
  id: number,
  organizationId: number,
): Promise<void> {
  found(await store.lockCollaboration(tx, id), "collaboration", id);
  await store.addMembers(tx, id, [organizationId]);
  emit("collaboration.changed", { collaboration_id: id });
}

/**
 * Takes a member out, with its places in studies and its nodes, which are returned; 404 when it is
 * none.
 */
export async function removeMember(
  { tx, emit }: Change,
  id: number,
  organizationId: number,
): Promise<NodeRow[]> {
  found(await store.lockCollaboration(tx, id), "collaboration", id);
  if (!(await store.collaborationMembers(tx, id)).includes(organizationId)) {
    throw new SextantError(
      "not_found",
      `Organization ${organizationId} is not a member of collaboration ${id}.`,
    );
  }
  const dependents = await store.removeMembers(tx, id, [organizationId]);
  tellMembersLeft(emit, id, dependents);
  return dependents.nodes;
}

/**
 * Takes an organization out of every collaboration, as when it is gone; returns its nodes, which
 * are deleted.
 */
export async function removeMemberEverywhere(
  { tx, emit }: Change,
  organizationId: number,
): Promise<NodeRow[]> {
  const nodes: NodeRow[] = [];
  for (const { id } of await store.membershipsOf(tx, organizationId)) {
    if (!await store.lockCollaboration(tx, id)) continue;
    const dependents = await store.removeMembers(tx, id, [organizationId]);
    tellMembersLeft(emit, id, dependents);
    nodes.push(...dependents.nodes);
  }
  return nodes;
}

/**
 * Deletes a collaboration with its studies, nodes and links to stores; returns the nodes. Its tasks
 * go when the task service hears of it. Without `withDependents` 409 while there are studies or
 * nodes.
 */
export async function removeCollaboration(
  { tx, emit }: Change,
  id: number,
  { withDependents }: { withDependents: boolean },
): Promise<NodeRow[]> {
  if (!await store.lockForDeletion(tx, id)) return [];
  if (!withDependents && await store.hasStudiesOrNodes(tx, id)) throw hasDependents(id);
  const gone = await store.deleteCollaboration(tx, id);
  for (const study_id of gone.studyIds) emit("study.deleted", { study_id, collaboration_id: id });
  tellNodesDeleted(emit, gone.nodes);
  for (const algorithmstore_id of gone.storeIds) {
    emit("algorithmstore.deleted", { algorithmstore_id, collaboration_id: id });
  }
  emit("collaboration.deleted", { collaboration_id: id });
  return gone.nodes;
}

/** The refusal to delete a collaboration that is in use. */
export function hasDependents(id: number): SextantError {
  return new SextantError(
    "conflict",
    `Collaboration ${id} has tasks, nodes or studies; delete them first, or set delete_dependents.`,
  );
}

function tellMembersLeft(
  emit: Change["emit"],
  collaboration_id: number,
  { studyIds, nodes }: Dependents,
): void {
  emit("collaboration.changed", { collaboration_id });
  for (const study_id of studyIds) emit("study.changed", { study_id, collaboration_id });
  tellNodesDeleted(emit, nodes);
}

function tellNodesDeleted(emit: Change["emit"], nodes: NodeRow[]): void {
  for (const { id, organization_id, collaboration_id } of nodes) {
    emit("node.deleted", { node_id: id, organization_id, collaboration_id });
  }
}
