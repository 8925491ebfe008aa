/**
 * What the shell may do to collaborations, studies and nodes: the same changes that the routes
 * make, with their locks, dependents and events, but without a look at who asks. Each takes a
 * transaction of this service's database that can tell, and gives back what is to be done once it
 * is committed. What does not exist is an error `not_found`.
 *
 * Organizations are numbers here: the caller has made sure that identity knows them. What the task
 * service holds of a collaboration or study goes when it hears of the deletion, as with the API.
 * @module
 */
import { found } from "../../shared/contract/validate.ts";
import { SextantError } from "../../shared/service/errors.ts";
import type { Change } from "../../shared/storage/outbox.ts";
import * as collaborations from "./changes/collaboration.ts";
import * as nodes from "./changes/node.ts";
import * as studies from "./changes/study.ts";
import { lockForDeletion } from "./store/collaboration.ts";
import { nodeById } from "./store/node.ts";
import { lockStudy, studyById } from "./store/study.ts";

export interface Outcome {
  id: number;
  /**
   * Ids of nodes whose connections identity must close now (its question `revoke_nodes`), once all
   * is committed.
   */
  shutOut: number[];
}

/** An outcome that gave a node a key, which nobody can read again. */
export interface KeyOutcome extends Outcome {
  api_key: string;
}

// -- collaborations -------------------------------------------------------------------------------

/**
 * Makes a collaboration. Throws what Postgres says when there is one of this name (`duplicates.ts`
 * has a sentence).
 */
export async function createCollaboration(
  change: Change,
  values: collaborations.NewCollaboration,
): Promise<Outcome> {
  const { id } = await collaborations.createCollaboration(change, values);
  return { id, shutOut: [] };
}

/**
 * Changes what is given. Members that are not in `organization_ids` leave, with their nodes and
 * places in studies.
 */
export async function updateCollaboration(
  change: Change,
  id: number,
  values: Partial<collaborations.NewCollaboration>,
): Promise<Outcome> {
  const { nodes } = await collaborations.updateCollaboration(change, id, values);
  return { id, shutOut: nodes.map((one) => one.id) };
}

/** Deletes a collaboration with its studies, nodes and links to stores. */
export async function removeCollaboration(change: Change, id: number): Promise<Outcome> {
  found(await lockForDeletion(change.tx, id) || undefined, "collaboration", id);
  const gone = await collaborations.removeCollaboration(change, id, { withDependents: true });
  return { id, shutOut: gone.map((one) => one.id) };
}

// -- studies --------------------------------------------------------------------------------------

/** Makes a study; 400 when an organization is no member of the collaboration. */
export async function createStudy(change: Change, values: studies.NewStudy): Promise<Outcome> {
  const { id } = await studies.createStudy(change, values);
  return { id, shutOut: [] };
}

/** Changes what is given; 400 when it would leave its collaboration, where its tasks are. */
export async function updateStudy(
  change: Change,
  id: number,
  { collaboration_id, ...values }: Partial<studies.NewStudy>,
): Promise<Outcome> {
  const study = found(await studyById(change.tx, id), "study", id);
  if ((collaboration_id ?? study.collaboration_id) !== study.collaboration_id) {
    throw new SextantError(
      "invalid_request",
      `Study ${id} stays in collaboration ${study.collaboration_id}: make a new one instead.`,
    );
  }
  await studies.updateStudy(change, study, values);
  return { id, shutOut: [] };
}

/** Deletes a study. */
export async function removeStudy(change: Change, id: number): Promise<Outcome> {
  const study = found(await lockStudy(change.tx, id), "study", id);
  await studies.removeStudy(change, study);
  return { id, shutOut: [] };
}

// -- nodes ----------------------------------------------------------------------------------------

/**
 * Makes a node, with the given API key or a new one; 400 when its organization is no member of the
 * collaboration.
 */
export async function createNode(change: Change, values: nodes.NewNode): Promise<KeyOutcome> {
  const { row, api_key } = await nodes.createNode(change, values);
  return { id: row.id, api_key, shutOut: [] };
}

/**
 * Changes what is given: the name; the collaboration, where its organization must be a member; the
 * API key, after which whoever has the old one is shut out. 400 when it would become another
 * organization's.
 */
export async function updateNode(
  change: Change,
  id: number,
  { name, organization_id, collaboration_id, api_key }: Partial<nodes.NewNode>,
): Promise<Outcome> {
  const node = found(await nodeById(change.tx, id), "node", id);
  if ((organization_id ?? node.organization_id) !== node.organization_id) {
    throw new SextantError(
      "invalid_request",
      `Node ${id} stays organization ${node.organization_id}'s: make a new one instead.`,
    );
  }
  if ((collaboration_id ?? node.collaboration_id) !== node.collaboration_id) {
    await nodes.moveNode(change, node, collaboration_id!);
  }
  if (name !== undefined) await nodes.updateNode(change, id, { name });
  if (api_key === undefined) return { id, shutOut: [] };
  return await resetNodeKey(change, id, api_key);
}

/** Gives a node the given API key or a new one. */
export async function resetNodeKey(
  change: Change,
  id: number,
  apiKey?: string,
): Promise<KeyOutcome> {
  return { id, api_key: await nodes.resetNodeKey(change, id, apiKey), shutOut: [id] };
}

/**
 * Deletes a node. What it was asked for and has not done fails when the task service hears of it.
 */
export async function removeNode(change: Change, id: number): Promise<Outcome> {
  const [gone] = await nodes.removeNode(change, id);
  return { id, shutOut: [found(gone, "node", id).id] };
}
