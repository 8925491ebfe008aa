/**
 * The SQL of nodes, of what they share of their configuration and of the payload formats that they
 * read.
 * @module
 */
import { type Db, type Tx } from "../../../shared/storage/db.ts";
import { type RowList, rowList } from "../../../shared/storage/row_list.ts";

export interface NodeRow {
  id: number;
  name: string;
  organization_id: number;
  collaboration_id: number;
  ip: string | null;
  status: string;
  last_seen: Date | null;
  /** Counts its API keys. */
  key_generation: number;
}

export interface NodeConfigRow {
  node_id: number;
  key: string;
  value: string;
}

export const nodeColumns = (tx: Tx) =>
  tx`id, name, organization_id, collaboration_id, ip, status, last_seen, key_generation`;

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

/** Those of these nodes that there are. */
export async function keyGenerations(
  tx: Tx,
  ids: number[],
): Promise<Pick<NodeRow, "id" | "key_generation">[]> {
  return await tx<Pick<NodeRow, "id" | "key_generation">[]>`
    select id, key_generation from node where id = any(${ids})`;
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
    update node set api_key_sha256 = ${sha256}, key_generation = key_generation + 1
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

export function nodeRows(db: Db): RowList<NodeRow> {
  return rowList<NodeRow>(db, { columns: nodeColumns(db), from: db`node`, counted: "node" });
}
