/**
 * The SQL of collaborations and their members. Functions take the pool or a transaction and return
 * rows as the database has them.
 * @module
 */
import { type Db, type Tx } from "../../../shared/storage/db.ts";
import { type RowList, rowList } from "../../../shared/storage/row_list.ts";
import type { NodeSummary } from "../../../shared/messages/questions.ts";
import { nodeColumns, type NodeRow } from "./node.ts";

export interface CollaborationRow {
  id: number;
  name: string;
  encrypted: boolean;
}

const collaborationColumns = (tx: Tx) => tx`id, name, encrypted`;

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

/** A collaboration with its members and its nodes, as the other services are told of them. */
export interface PlaceRow extends CollaborationRow {
  organization_ids: number[];
  nodes: NodeSummary[];
}

export async function placeById(tx: Tx, id: number): Promise<PlaceRow | undefined> {
  const [row] = await tx<PlaceRow[]>`
    select ${collaborationColumns(tx)},
      array(
        select organization_id from collaboration_member
        where collaboration_id = collaboration.id order by organization_id) as organization_ids,
      (select coalesce(json_agg(json_build_object('id', node.id, 'name', node.name,
          'organization_id', organization_id, 'collaboration_id', collaboration_id, 'ip', ip,
          'status', status, 'key_generation', key_generation)
          order by node.id), '[]')
        from node where collaboration_id = collaboration.id) as nodes
    from collaboration where id = ${id}`;
  return row;
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

/** The same for many collaborations at once: id → members. */
export async function membersOfCollaborations(
  tx: Tx,
  ids: number[],
): Promise<Map<number, number[]>> {
  const rows = await tx<{ id: number; organization_ids: number[] }[]>`
    select collaboration_id as id, array_agg(organization_id order by organization_id) as organization_ids
    from collaboration_member where collaboration_id = any(${ids}) group by collaboration_id`;
  return new Map(rows.map((row) => [row.id, row.organization_ids]));
}

// Locks are always taken in this order, so that two changes never wait for one another: a
// collaboration, its members, its studies, its nodes.

/** The members, none of which can be taken away before this transaction is over. */
export async function lockMembers(tx: Tx, collaborationId: number): Promise<number[]> {
  await holdCollaboration(tx, collaborationId);
  const rows = await tx<{ organization_id: number }[]>`
    select organization_id from collaboration_member
    where collaboration_id = ${collaborationId} order by organization_id for share`;
  return rows.map((row) => row.organization_id);
}

/** Lets nobody else change this collaboration; `undefined` when it is gone. */
export async function lockCollaboration(tx: Tx, id: number): Promise<CollaborationRow | undefined> {
  const [row] = await tx<CollaborationRow[]>`
    select ${collaborationColumns(tx)} from collaboration where id = ${id} for no key update`;
  return row;
}

/** Keeps a collaboration there until this transaction is over. Returns whether it is there. */
export async function holdCollaboration(tx: Tx, id: number): Promise<boolean> {
  return (await tx`select from collaboration where id = ${id} for key share`).length > 0;
}

/**
 * Lets nobody else change it, to delete it: nothing can be added to it any more. Returns whether it
 * is there.
 */
export async function lockForDeletion(tx: Tx, id: number): Promise<boolean> {
  return (await tx`select from collaboration where id = ${id} for update`).length > 0;
}

export async function updateCollaboration(
  tx: Tx,
  id: number,
  values: { name?: string | undefined; encrypted?: boolean | undefined },
): Promise<CollaborationRow> {
  const [row] = await tx<CollaborationRow[]>`
    update collaboration set name = coalesce(${values.name ?? null}, name),
      encrypted = coalesce(${values.encrypted ?? null}, encrypted)
    where id = ${id} returning ${collaborationColumns(tx)}`;
  return row!;
}

export async function addMembers(tx: Tx, collaborationId: number, ids: number[]): Promise<void> {
  await tx`
    insert into collaboration_member (collaboration_id, organization_id)
    select ${collaborationId}, unnest(${ids}::integer[]) on conflict do nothing`;
}

/** What goes with a member: its places in studies, and its nodes. */
export interface Dependents {
  studyIds: number[];
  nodes: NodeRow[];
}

/** Takes organizations out of a collaboration, out of its studies, and their nodes with them. */
export async function removeMembers(
  tx: Tx,
  collaborationId: number,
  ids: number[],
): Promise<Dependents> {
  // Whoever is adding something of these members finishes first, so that it is seen here.
  await tx`
    select from collaboration_member
    where collaboration_id = ${collaborationId} and organization_id = any(${ids})
    order by organization_id for update`;
  const nodes = await tx<NodeRow[]>`
    delete from node where collaboration_id = ${collaborationId} and organization_id = any(${ids})
    returning ${nodeColumns(tx)}`;
  await tx`
    delete from collaboration_member
    where collaboration_id = ${collaborationId} and organization_id = any(${ids})`;
  const studies = await tx<{ study_id: number }[]>`
    delete from study_member using study
    where study.id = study_id and study.collaboration_id = ${collaborationId}
      and organization_id = any(${ids})
    returning study_id`;
  return { studyIds: [...new Set(studies.map((row) => row.study_id))], nodes };
}

/** Deletes a collaboration with its studies, nodes and stores; returns which ones those were. */
export async function deleteCollaboration(
  tx: Tx,
  id: number,
): Promise<{ studyIds: number[]; nodes: NodeRow[]; storeIds: number[] }> {
  const nodes = await tx<NodeRow[]>`
    delete from node where collaboration_id = ${id} returning ${nodeColumns(tx)}`;
  const studies = await tx<{ id: number }[]>`
    delete from study where collaboration_id = ${id} returning id`;
  const stores = await tx<{ id: number }[]>`
    delete from algorithm_store where collaboration_id = ${id} returning id`;
  await tx`delete from collaboration where id = ${id}`;
  return {
    studyIds: studies.map((row) => row.id),
    nodes,
    storeIds: stores.map((row) => row.id),
  };
}

export async function hasStudiesOrNodes(tx: Tx, collaborationId: number): Promise<boolean> {
  const [row] = await tx<{ some: boolean }[]>`
    select exists (select from study where collaboration_id = ${collaborationId})
        or exists (select from node where collaboration_id = ${collaborationId}) as some`;
  return row!.some;
}

/** Every organization that anything here refers to, in order, after `after`; at most `limit`. */
export async function knownOrganizations(
  tx: Tx,
  { after, limit }: { after: number; limit: number },
): Promise<number[]> {
  // Studies and nodes refer to members only, so the members are all of them.
  const rows = await tx<{ organization_id: number }[]>`
    select distinct organization_id from collaboration_member
    where organization_id > ${after} order by organization_id limit ${limit}`;
  return rows.map((row) => row.organization_id);
}

export function collaborationRows(db: Db): RowList<CollaborationRow> {
  return rowList<CollaborationRow>(db, {
    columns: collaborationColumns(db),
    from: db`collaboration`,
    counted: "collaboration",
  });
}
