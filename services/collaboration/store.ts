/**
 * The SQL of collaboration. Functions take the pool or a transaction and return rows as the database has them.
 * @module
 */
import { type Db, type PageRequest, selectPage, type Tx } from "../../shared/storage/db.ts";
import type { NodeSummary } from "../../shared/messages/questions.ts";

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
  key_issued_at: Date;
}

export interface NodeConfigRow {
  node_id: number;
  key: string;
  value: string;
}

const collaborationColumns = (tx: Tx) => tx`id, name, encrypted`;
const studyColumns = (tx: Tx) => tx`id, name, collaboration_id`;
const nodeColumns = (tx: Tx) =>
  tx`id, name, organization_id, collaboration_id, ip, status, last_seen, key_issued_at`;

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

// Locks are always taken in this order, so that two changes never wait for one another: a collaboration, its
// members, its studies, its nodes.

/** The members, none of which can be taken away before this transaction is over. */
export async function lockMembers(tx: Tx, collaborationId: number): Promise<number[]> {
  await tx`select from collaboration where id = ${collaborationId} for key share`;
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

/** The same, to delete it: nothing can be added to it any more. Returns whether it is there. */
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

/** What left with the members: their places in studies and their nodes. */
export interface Departure {
  studyIds: number[];
  nodes: NodeRow[];
}

/** Takes organizations out of a collaboration, out of its studies, and their nodes with them. */
export async function removeMembers(
  tx: Tx,
  collaborationId: number,
  ids: number[],
): Promise<Departure> {
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

export function collaborationPage(db: Db, request: PageRequest) {
  return selectPage<CollaborationRow>(db, collaborationColumns(db), db`collaboration`, {
    ...request,
    counted: "collaboration",
  });
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

/** Lets nobody else change this study; `undefined` when it is gone. */
export async function lockStudy(tx: Tx, id: number): Promise<StudyRow | undefined> {
  const [row] = await tx<StudyRow[]>`
    select ${studyColumns(tx)} from study where id = ${id} for update`;
  return row;
}

export async function studyMembers(tx: Tx, id: number): Promise<number[]> {
  const rows = await tx<{ organization_id: number }[]>`
    select organization_id from study_member where study_id = ${id} order by organization_id`;
  return rows.map((row) => row.organization_id);
}

/** The same for many studies at once: id → organizations. */
export async function membersOfStudies(tx: Tx, ids: number[]): Promise<Map<number, number[]>> {
  const rows = await tx<{ id: number; organization_ids: number[] }[]>`
    select study_id as id, array_agg(organization_id order by organization_id) as organization_ids
    from study_member where study_id = any(${ids}) group by study_id`;
  return new Map(rows.map((row) => [row.id, row.organization_ids]));
}

export async function updateStudyName(tx: Tx, id: number, name: string): Promise<StudyRow> {
  const [row] = await tx<StudyRow[]>`
    update study set name = ${name} where id = ${id} returning ${studyColumns(tx)}`;
  return row!;
}

export async function addStudyMembers(tx: Tx, studyId: number, ids: number[]): Promise<void> {
  await tx`
    insert into study_member (study_id, organization_id)
    select ${studyId}, unnest(${ids}::integer[]) on conflict do nothing`;
}

/** Returns how many of them were in the study. */
export async function removeStudyMembers(tx: Tx, studyId: number, ids: number[]): Promise<number> {
  const gone = await tx`
    delete from study_member where study_id = ${studyId} and organization_id = any(${ids})`;
  return gone.count;
}

/** Whether there was such a study. */
export async function deleteStudy(tx: Tx, id: number): Promise<boolean> {
  return (await tx`delete from study where id = ${id}`).count > 0;
}

export function studyPage(db: Db, request: PageRequest) {
  return selectPage<StudyRow>(db, studyColumns(db), db`study`, {
    ...request,
    counted: "study",
  });
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

/** The node, which has just been heard of. Written at most every ten seconds. */
export async function touchNode(tx: Tx, id: number): Promise<NodeRow | undefined> {
  await tx`
    update node set last_seen = now()
    where id = ${id} and (last_seen is null or last_seen < now() - interval '10 seconds')`;
  return await nodeById(tx, id);
}

export async function nodeByKey(tx: Tx, sha256: string): Promise<NodeRow | undefined> {
  const [row] = await tx<NodeRow[]>`
    select ${nodeColumns(tx)} from node where api_key_sha256 = ${sha256}`;
  return row;
}

/** What the node's agent says that it reads. */
export async function setPayloadFormats(tx: Tx, id: number, formats: string[]): Promise<void> {
  await tx`
    update node set payload_formats = ${formats}::text[]
    where id = ${id} and payload_formats <> ${formats}::text[]`;
}

/** The same of the nodes of a collaboration, or of one organization there. */
export async function payloadFormatsIn(
  tx: Tx,
  collaborationId: number,
  { organization_id }: { organization_id?: number | undefined },
): Promise<{ organization_id: number; payload_formats: string[] }[]> {
  return await tx<{ organization_id: number; payload_formats: string[] }[]>`
    select organization_id, payload_formats from node
    where collaboration_id = ${collaborationId}
      and ${organization_id === undefined ? tx`true` : tx`organization_id = ${organization_id}`}
    order by organization_id`;
}

/** `ip: null` clears it, `undefined` leaves it. */
export async function updateNode(
  tx: Tx,
  id: number,
  values: { name?: string | undefined; ip?: string | null | undefined },
): Promise<NodeRow | undefined> {
  const [row] = await tx<NodeRow[]>`
    update node set name = coalesce(${values.name ?? null}, name),
      ip = case when ${values.ip !== undefined} then ${values.ip ?? null} else ip end
    where id = ${id} returning ${nodeColumns(tx)}`;
  return row;
}

export async function replaceNodeKey(
  tx: Tx,
  id: number,
  sha256: string,
): Promise<NodeRow | undefined> {
  const [row] = await tx<NodeRow[]>`
    update node set api_key_sha256 = ${sha256}, key_issued_at = now()
    where id = ${id} returning ${nodeColumns(tx)}`;
  return row;
}

/** Moves a node to another collaboration; `undefined` when it is not where `from` says any more. */
export async function moveNode(
  tx: Tx,
  from: NodeRow,
  collaborationId: number,
): Promise<NodeRow | undefined> {
  const [row] = await tx<NodeRow[]>`
    update node set collaboration_id = ${collaborationId}
    where id = ${from.id} and collaboration_id = ${from.collaboration_id}
    returning ${nodeColumns(tx)}`;
  return row;
}

export async function deleteNode(tx: Tx, id: number): Promise<NodeRow | undefined> {
  const [row] = await tx<NodeRow[]>`delete from node where id = ${id} returning ${nodeColumns(tx)}`;
  return row;
}

export async function nodesOfOrganization(tx: Tx, organizationId: number): Promise<NodeRow[]> {
  return await tx<NodeRow[]>`
    select ${nodeColumns(tx)} from node where organization_id = ${organizationId} order by id`;
}

export async function nodesOfCollaborations(tx: Tx, ids: number[]): Promise<NodeRow[]> {
  return await tx<NodeRow[]>`
    select ${nodeColumns(tx)} from node where collaboration_id = any(${ids}) order by id`;
}

export async function configOfNodes(tx: Tx, ids: number[]): Promise<NodeConfigRow[]> {
  return await tx<NodeConfigRow[]>`
    select node_id, key, value from node_config where node_id = any(${ids}) order by id`;
}

export async function replaceNodeConfig(
  tx: Tx,
  nodeId: number,
  config: { key: string; value: string }[],
): Promise<void> {
  await tx`delete from node_config where node_id = ${nodeId}`;
  if (config.length === 0) return;
  const rows = config.map(({ key, value }) => ({ node_id: nodeId, key, value }));
  await tx`insert into node_config ${tx(rows)}`;
}

export function nodePage(db: Db, request: PageRequest) {
  return selectPage<NodeRow>(db, nodeColumns(db), db`node`, {
    ...request,
    counted: "node",
  });
}

/**
 * Sets a node's presence; returns the row only if that changed it. What the node told of its configuration is
 * forgotten when it goes.
 */
export async function setNodeStatus(
  tx: Tx,
  id: number,
  status: "online" | "offline",
  at: Date,
): Promise<NodeRow | undefined> {
  const [row] = await tx<NodeRow[]>`
    update node set status = ${status}, last_seen = greatest(last_seen, ${at}::timestamptz)
    where id = ${id} and status <> ${status} returning ${nodeColumns(tx)}`;
  if (row && status === "offline") await tx`delete from node_config where node_id = ${id}`;
  return row;
}

/** Nodes that are connected have been seen just now; written once a minute. */
export async function touchOnlineNodes(tx: Tx, ids: number[]): Promise<void> {
  await tx`
    update node set last_seen = now()
    where status = 'online' and id = any(${ids}) and last_seen < now() - interval '1 minute'`;
}

export async function onlineNodeIds(tx: Tx): Promise<number[]> {
  const rows = await tx<{ id: number }[]>`select id from node where status = 'online'`;
  return rows.map((row) => row.id);
}

// -- algorithm stores ---------------------------------------------------------------------------------------

export interface StoreRow {
  id: number;
  name: string;
  url: string;
  /** `null` when the store serves all collaborations. */
  collaboration_id: number | null;
}

const storeColumns = (tx: Tx) => tx`id, name, url, collaboration_id`;

export async function insertStore(tx: Tx, values: Omit<StoreRow, "id">): Promise<StoreRow> {
  const [row] = await tx<StoreRow[]>`
    insert into algorithm_store ${tx(values)} returning ${storeColumns(tx)}`;
  return row!;
}

export async function storeById(tx: Tx, id: number): Promise<StoreRow | undefined> {
  const [row] = await tx<StoreRow[]>`
    select ${storeColumns(tx)} from algorithm_store where id = ${id}`;
  return row;
}

export async function storesByUrl(tx: Tx, url: string): Promise<StoreRow[]> {
  return await tx<StoreRow[]>`
    select ${storeColumns(tx)} from algorithm_store where url = ${url} order by id`;
}

export async function updateStore(
  tx: Tx,
  id: number,
  values: Partial<Pick<StoreRow, "name" | "collaboration_id">>,
): Promise<StoreRow | undefined> {
  const { name = null, collaboration_id } = values;
  const [row] = await tx<StoreRow[]>`
    update algorithm_store set name = coalesce(${name}, name), collaboration_id = case
      when ${collaboration_id !== undefined} then ${collaboration_id ?? null}::integer
      else collaboration_id end
    where id = ${id} returning ${storeColumns(tx)}`;
  return row;
}

export async function deleteStores(tx: Tx, ids: number[]): Promise<StoreRow[]> {
  return await tx<StoreRow[]>`
    delete from algorithm_store where id = any(${ids}) returning ${storeColumns(tx)}`;
}

export function storePage(db: Db, request: PageRequest) {
  return selectPage<StoreRow>(db, storeColumns(db), db`algorithm_store`, request);
}

/** What other services may know of a node. */
export function summarize(row: NodeRow): NodeSummary {
  const { id, name, organization_id, collaboration_id, ip, status } = row;
  const tokens_since = Math.floor(row.key_issued_at.getTime() / 1000);
  return { id, name, organization_id, collaboration_id, ip, status, tokens_since };
}
