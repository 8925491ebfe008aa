/**
 * Rows as the API shows them.
 * @module
 */
import type { AlgorithmStore } from "../../shared/contract/algorithm_store.ts";
import type { Collaboration } from "../../shared/contract/collaboration.ts";
import { dateText } from "../../shared/contract/fields.ts";
import type { MemberNode, Node } from "../../shared/contract/node.ts";
import { listLink, referTo } from "../../shared/contract/references.ts";
import type { Study } from "../../shared/contract/study.ts";
import type { CollaborationDeps } from "./deps.ts";
import { withOrganizations } from "./questions.ts";
import type { StoreRow } from "./store/algorithm_store.ts";
import { type CollaborationRow, membersOfCollaborations } from "./store/collaboration.ts";
import type { NodeConfigRow, NodeRow } from "./store/node.ts";
import { membersOfStudies, type StudyRow } from "./store/study.ts";

type Reader = Pick<CollaborationDeps, "db" | "ask">;

export function showCollaboration(row: CollaborationRow): Collaboration {
  return {
    id: row.id,
    name: row.name,
    encrypted: row.encrypted,
    organizations: listLink("organization", "collaboration_id", row.id),
    nodes: listLink("node", "collaboration_id", row.id),
    tasks: listLink("task", "collaboration_id", row.id),
    studies: listLink("study", "collaboration_id", row.id),
    algorithm_stores: listLink("algorithmstore", "collaboration_id", row.id),
  };
}

/**
 * Collaborations, with their members in place of the link to them where `include` asks for that.
 */
export async function showCollaborations(
  { db, ask }: Reader,
  rows: CollaborationRow[],
  include: string[] | undefined,
): Promise<Collaboration[]> {
  const shown = rows.map(showCollaboration);
  if (!include?.includes("organizations")) return shown;
  const members = await membersOfCollaborations(db, rows.map(({ id }) => id));
  return await withOrganizations(ask, shown, members);
}

export function showStudy(row: StudyRow): Study {
  return {
    id: row.id,
    name: row.name,
    collaboration: referTo("collaboration", row.collaboration_id),
    organizations: listLink("organization", "study_id", row.id),
    tasks: listLink("task", "study_id", row.id),
  };
}

/** Studies, with their organizations in place of the link to them where `include` asks for that. */
export async function showStudies(
  { db, ask }: Reader,
  rows: StudyRow[],
  include: string[] | undefined,
): Promise<Study[]> {
  const shown = rows.map(showStudy);
  if (!include?.includes("organizations")) return shown;
  return await withOrganizations(ask, shown, await membersOfStudies(db, rows.map(({ id }) => id)));
}

/** `config` is this node's. */
export function showNode(row: NodeRow, config: NodeConfigRow[]): Node {
  return {
    id: row.id,
    type: "node",
    name: row.name,
    ip: row.ip,
    status: row.status,
    last_seen: dateText(row.last_seen),
    organization: referTo("organization", row.organization_id),
    collaboration: referTo("collaboration", row.collaboration_id),
    config: config.map(({ key, value }) => ({ key, value })),
  };
}

/** A node as the list of its collaboration's nodes has it. */
export function showMemberNode(row: NodeRow): MemberNode {
  const { id, name, ip, status, last_seen, organization_id } = row;
  const organization = referTo("organization", organization_id);
  return { id, name, ip, status, last_seen: dateText(last_seen), organization };
}

export function showAlgorithmStore(row: StoreRow): AlgorithmStore {
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    collaborations: row.collaboration_id === null
      ? null
      : listLink("collaboration", "algorithm_store_id", row.id),
  };
}
