/**
 * Changes of nodes, with what is told of them.
 *
 * After some of them a node may act no more. Who calls them shuts it out once the change is
 * committed (`shutOut` in `questions.ts`).
 * @module
 */
import { found } from "../../../shared/contract/validate.ts";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { collaborationMembers, lockCollaboration, lockMembers } from "../store/collaboration.ts";
import * as store from "../store/node.ts";
import type { NodeRow } from "../store/node.ts";

export interface NewNode {
  name: string;
  organization_id: number;
  collaboration_id: number;
  /** Made when none is given; only its digest is kept. */
  api_key?: string | undefined;
}

/** Makes a node of a member; 400 when its organization is none. `api_key` cannot be read again. */
export async function createNode(
  { tx, emit }: Change,
  { api_key = newKey(), ...values }: NewNode,
): Promise<{ row: NodeRow; api_key: string }> {
  const { organization_id, collaboration_id } = values;
  if (!(await lockMembers(tx, collaboration_id)).includes(organization_id)) {
    throw new SextantError(
      "invalid_request",
      `Organization ${organization_id} is not a member of collaboration ${collaboration_id}.`,
    );
  }
  const api_key_sha256 = await sha256Hex(api_key);
  const row = await store.insertNode(tx, { ...values, api_key_sha256 });
  emit("node.changed", placeOf(row));
  return { row, api_key };
}

/**
 * Changes the name or the address, or puts what the node shares of its configuration in place of
 * what it shared before; 404 when the node is gone. `ip: null` clears the address.
 */
export async function updateNode(
  { tx, emit }: Change,
  id: number,
  { config, ...values }: {
    name?: string | undefined;
    ip?: string | null | undefined;
    config?: { key: string; value: string }[] | undefined;
  },
): Promise<NodeRow> {
  const row = found(await store.updateNode(tx, id, values), "node", id);
  if (config) await store.replaceNodeConfig(tx, id, config);
  emit("node.changed", placeOf(row));
  return row;
}

/**
 * Moves a node to another collaboration of its organization. 400 when the organization is no member
 * there, 404 when the node is not where `from` says any more.
 */
export async function moveNode(
  { tx, emit }: Change,
  from: NodeRow,
  collaborationId: number,
): Promise<NodeRow> {
  found(await lockCollaboration(tx, collaborationId), "collaboration", collaborationId);
  if (!(await collaborationMembers(tx, collaborationId)).includes(from.organization_id)) {
    throw new SextantError(
      "invalid_request",
      `The node's organization is not a member of collaboration ${collaborationId}.`,
    );
  }
  const row = found(await store.moveNode(tx, from, collaborationId), "node", from.id);
  emit("node.changed", placeOf(row));
  // What it should still have computed there ends with it.
  emit("membership.deleted", placeOf(from));
  return row;
}

/**
 * Gives a node another API key, and returns it: it cannot be read again. The caller shuts the node
 * out.
 */
export async function resetNodeKey(
  { tx, emit }: Change,
  id: number,
  apiKey = newKey(),
): Promise<string> {
  const row = found(await store.replaceNodeKey(tx, id, await sha256Hex(apiKey)), "node", id);
  emit("node.key_reset", placeOf(row));
  return apiKey;
}

/** Deletes a node; returns it, or nothing when there is none. */
export async function removeNode({ tx, emit }: Change, id: number): Promise<NodeRow[]> {
  const row = await store.deleteNode(tx, id);
  if (!row) return [];
  emit("node.deleted", placeOf(row));
  return [row];
}

/** 122 random bits. */
function newKey(): string {
  return crypto.randomUUID();
}

function placeOf({ id, organization_id, collaboration_id }: NodeRow) {
  return { node_id: id, organization_id, collaboration_id };
}
