/**
 * The SQL of collaboration. Functions take the pool or a transaction and return rows as the database has them.
 * @module
 */
import { type Db, type PageRequest, selectPage, type Tx } from "../../shared/db.ts";
import type { NodeSummary } from "../../shared/rpc_methods.ts";

export interface CollaborationRow {
  id: number;
  name: string;
  encrypted: boolean;
}

export interface StudyRow {
  id: number;
  name: string;
  collaboration_id: number;
}

export interface NodeRow {
  id: number;
  name: string;
  organization_id: number;
  collaboration_id: number;
  ip: string | null;
  status: string;
  last_seen: Date | null;
}

export interface NodeConfigRow {
  node_id: number;
  key: string;
  value: string;
}

const collaborationColumns = (tx: Tx) => tx`id, name, encrypted`;
const studyColumns = (tx: Tx) => tx`id, name, collaboration_id`;
const nodeColumns = (tx: Tx) =>
  tx`id, name, organization_id, collaboration_id, ip, status, last_seen`;

// -- collaborations -----------------------------------------------------------------------------------------

export async function insertCollaboration(
  tx: Tx,
  values: { name: string; encrypted: boolean },
  organizationIds: number[],
): Promise<CollaborationRow> {
  const [row] = await tx<CollaborationRow[]>`
    insert into collaboration ${tx(values)} returning ${collaborationColumns(tx)}`;
  await tx`
    insert into collaboration_member (collaboration_id, organization_id)
    select ${row!.id}, unnest(${organizationIds}::integer[])`;
  return row!;
}

export async function collaborationById(tx: Tx, id: number): Promise<CollaborationRow | undefined> {
  const [row] = await tx<CollaborationRow[]>`
    select ${collaborationColumns(tx)} from collaboration where id = ${id}`;
  return row;
}

export async function collaborationMembers(tx: Tx, id: number): Promise<number[]> {
  const rows = await tx<{ organization_id: number }[]>`
    select organization_id from collaboration_member where collaboration_id = ${id}
    order by organization_id`;
  return rows.map((row) => row.organization_id);
}

/** The collaborations of an organization, each with all its members. */
export async function membershipsOf(
  tx: Tx,
  organizationId: number,
): Promise<{ id: number; organization_ids: number[] }[]> {
  return await tx<{ id: number; organization_ids: number[] }[]>`
    select collaboration_id as id, array_agg(organization_id order by organization_id) as organization_ids
    from collaboration_member
    where collaboration_id in (
      select collaboration_id from collaboration_member where organization_id = ${organizationId})
    group by collaboration_id order by collaboration_id`;
}

export function collaborationPage(db: Db, request: PageRequest) {
  return selectPage<CollaborationRow>(db, collaborationColumns(db), db`collaboration`, request);
}

// -- studies ------------------------------------------------------------------------------------------------

export async function insertStudy(
  tx: Tx,
  values: { name: string; collaboration_id: number },
  organizationIds: number[],
): Promise<StudyRow> {
  const [row] = await tx<StudyRow[]>`
    insert into study ${tx(values)} returning ${studyColumns(tx)}`;
  await tx`
    insert into study_member (study_id, organization_id)
    select ${row!.id}, unnest(${organizationIds}::integer[])`;
  return row!;
}

export async function studyById(tx: Tx, id: number): Promise<StudyRow | undefined> {
  const [row] = await tx<StudyRow[]>`select ${studyColumns(tx)} from study where id = ${id}`;
  return row;
}

export async function studyMembers(tx: Tx, id: number): Promise<number[]> {
  const rows = await tx<{ organization_id: number }[]>`
    select organization_id from study_member where study_id = ${id} order by organization_id`;
  return rows.map((row) => row.organization_id);
}

export function studyPage(db: Db, request: PageRequest) {
  return selectPage<StudyRow>(db, studyColumns(db), db`study`, request);
}

// -- nodes --------------------------------------------------------------------------------------------------

export interface NewNode {
  name: string;
  api_key_sha256: string;
  organization_id: number;
  collaboration_id: number;
}

export async function insertNode(tx: Tx, values: NewNode): Promise<NodeRow> {
  const [row] = await tx<NodeRow[]>`
    insert into node ${tx({ ...values })} returning ${nodeColumns(tx)}`;
  return row!;
}

export async function nodeById(tx: Tx, id: number): Promise<NodeRow | undefined> {
  const [row] = await tx<NodeRow[]>`select ${nodeColumns(tx)} from node where id = ${id}`;
  return row;
}

export async function nodeByKey(tx: Tx, sha256: string): Promise<NodeRow | undefined> {
  const [row] = await tx<NodeRow[]>`
    select ${nodeColumns(tx)} from node where api_key_sha256 = ${sha256}`;
  return row;
}

export async function nodesOfCollaborations(tx: Tx, ids: number[]): Promise<NodeRow[]> {
  return await tx<NodeRow[]>`
    select ${nodeColumns(tx)} from node where collaboration_id = any(${ids}) order by id`;
}

export async function configOfNodes(tx: Tx, ids: number[]): Promise<NodeConfigRow[]> {
  return await tx<NodeConfigRow[]>`
    select node_id, key, value from node_config where node_id = any(${ids}) order by id`;
}

export function nodePage(db: Db, request: PageRequest) {
  return selectPage<NodeRow>(db, nodeColumns(db), db`node`, request);
}

/** Sets a node's presence; returns the row only if that changed it. */
export async function setNodeStatus(
  tx: Tx,
  id: number,
  status: "online" | "offline",
  at: Date,
): Promise<NodeRow | undefined> {
  const [row] = await tx<NodeRow[]>`
    update node set status = ${status}, last_seen = ${at}
    where id = ${id} and status <> ${status} returning ${nodeColumns(tx)}`;
  return row;
}

export async function onlineNodeIds(tx: Tx): Promise<number[]> {
  const rows = await tx<{ id: number }[]>`select id from node where status = 'online'`;
  return rows.map((row) => row.id);
}

/** What other services may know of a node. */
export function summarize(row: NodeRow): NodeSummary {
  const { id, name, organization_id, collaboration_id, ip, status } = row;
  return { id, name, organization_id, collaboration_id, ip, status };
}
