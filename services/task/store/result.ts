/**
 * The SQL of results, without their payloads: what nearly every question needs.
 * @module
 */
import type { ResultStatus } from "../../../shared/node_protocol/status.ts";
import type { Tx } from "../../../shared/storage/db.ts";
import { insertedTask } from "./task.ts";

/** A result without its payloads: what nearly every question needs. */
export interface ResultRow {
  id: number;
  task_id: number;
  organization_id: number;
  /** Null for a result that an operator stored by hand. */
  node_id: number | null;
  status: ResultStatus;
  attempt: number;
  agent_id: string | null;
  assigned_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  cleanup_at: Date | null;
  /** Whether `input`, and whether `result`, is the id of a blob. */
  input_in_blob: boolean;
  blob_storage_used: boolean;
  /** What the current attempt runs, as its node told at the start. */
  code: string | null;
  /**
   * Since when the current attempt's result has waited at its node for a person to release it; of a
   * result that is over, since when it had.
   */
  held_at: Date | null;
}

export const resultColumns = (tx: Tx) =>
  tx`id, task_id, organization_id, node_id, status, attempt, agent_id, assigned_at, started_at,
     finished_at, cleanup_at, input_in_blob, blob_storage_used, code, held_at`;

/** The nodes that have unfinished results, each with the collaborations that these are of. */
export async function placesWithOpenResults(
  tx: Tx,
): Promise<{ node_id: number; collaboration_id: number }[]> {
  return await tx<{ node_id: number; collaboration_id: number }[]>`
    select distinct node_id, collaboration_id from result join task on task.id = task_id
    where finished_at is null and node_id is not null`;
}

/** The share of an organization in a task. */
export async function shareOf(
  tx: Tx,
  taskId: number,
  organizationId: number,
): Promise<ResultRow | undefined> {
  const [row] = await tx<ResultRow[]>`
    select ${resultColumns(tx)} from result
    where task_id = ${taskId} and organization_id = ${organizationId}`;
  return row;
}

export interface NewResult {
  organization_id: number;
  node_id: number;
  input: string;
  input_in_blob: boolean;
}

/**
 * The SHA-256, in hex, of a result's stored input; of the content, where a blob holds it.
 */
export const inputDigest = (tx: Tx) =>
  tx`coalesce((select sha256 from blob where id = case when input_in_blob then input::uuid end),
    encode(sha256(convert_to(coalesce(input, ''), 'UTF8')), 'hex'))`;

/** Inserts the results of the task that this transaction has just inserted. */
export async function insertResults(
  tx: Tx,
  values: NewResult[],
): Promise<(ResultRow & { input_sha256: string })[]> {
  const column = <Name extends keyof NewResult>(name: Name) => values.map((one) => one[name]);
  return await tx<(ResultRow & { input_sha256: string })[]>`
    insert into result (task_id, organization_id, node_id, input, input_in_blob)
    select ${insertedTask(tx)}, share.* from unnest(${column("organization_id")}::integer[],
      ${column("node_id")}::integer[], ${column("input")}::text[],
      ${column("input_in_blob")}::boolean[]) as share
    returning ${resultColumns(tx)}, ${inputDigest(tx)} as input_sha256`;
}

export async function resultById(tx: Tx, id: number): Promise<ResultRow | undefined> {
  const [row] = await tx<ResultRow[]>`select ${resultColumns(tx)} from result where id = ${id}`;
  return row;
}

/** The same of several, by id. */
export async function resultsById(tx: Tx, ids: number[]): Promise<Map<number, ResultRow>> {
  const rows = await tx<ResultRow[]>`
    select ${resultColumns(tx)} from result where id = any(${ids})`;
  return new Map(rows.map((row) => [row.id, row]));
}

/** The task that a result is a share of. */
export async function taskOfResult(tx: Tx, id: number): Promise<number | undefined> {
  const [row] = await tx<{ task_id: number }[]>`select task_id from result where id = ${id}`;
  return row?.task_id;
}

/** Which statuses the other results of this one's task have, each once. */
export async function statusesOfOthers(tx: Tx, id: number): Promise<string[]> {
  const rows = await tx<{ status: string }[]>`
    select distinct other.status from result
      join result as other on other.task_id = result.task_id and other.id <> result.id
    where result.id = ${id}`;
  return rows.map((row) => row.status);
}

/**
 * The result, locked until the transaction ends: reports about one result happen one after another.
 */
export async function lockResult(tx: Tx, id: number): Promise<ResultRow | undefined> {
  const [row] = await tx<ResultRow[]>`
    select ${resultColumns(tx)} from result where id = ${id} for update`;
  return row;
}

export async function resultInput(tx: Tx, id: number): Promise<string | null> {
  const [row] = await tx<{ input: string | null }[]>`select input from result where id = ${id}`;
  return row?.input ?? null;
}

export interface ResultChange {
  status: ResultStatus;
  attempt?: number;
  agent_id?: string | null;
  code?: string | null;
  dispatched_at?: Date;
  accepted_at?: null;
  started_at?: Date | null;
  held_at?: Date | null;
  finished_at?: Date;
  result?: string | null;
  log?: string | null;
  blob_storage_used?: boolean;
}

export async function updateResult(tx: Tx, id: number, change: ResultChange): Promise<ResultRow> {
  const [row] = await tx<ResultRow[]>`
    update result set ${tx({ ...change })} where id = ${id} returning ${resultColumns(tx)}`;
  return row!;
}

/** The same where nobody waits for it: the result is locked, and there. */
export function writeResult(tx: Tx, id: number, change: ResultChange): void {
  tx.soon(tx`update result set ${tx({ ...change })} where id = ${id}`);
}

/** Unfinished results of some tasks, or of a node, each locked; in an order that all keep. */
export async function lockOpenResults(
  tx: Tx,
  where: { taskIds: number[]; nodeId?: number },
): Promise<ResultRow[]> {
  return await tx<ResultRow[]>`
    select ${resultColumns(tx)} from result
    where task_id = any(${where.taskIds}) and finished_at is null
      and ${where.nodeId === undefined ? tx`true` : tx`node_id = ${where.nodeId}`}
    order by id for update`;
}

/** The tasks that a node has unfinished results of; of one collaboration, where it is given. */
export async function tasksOpenAtNode(
  tx: Tx,
  nodeId: number,
  collaborationId?: number,
): Promise<number[]> {
  const rows = await tx<{ task_id: number }[]>`
    select distinct task_id from result join task on task.id = task_id
    where node_id = ${nodeId} and finished_at is null
      and ${collaborationId === undefined ? tx`true` : tx`collaboration_id = ${collaborationId}`}
    order by task_id`;
  return rows.map((row) => row.task_id);
}

/** Unfinished results that a node has begun, oldest first. */
export async function begunAtNode(tx: Tx, nodeId: number): Promise<ResultRow[]> {
  return await tx<ResultRow[]>`
    select ${resultColumns(tx)} from result
    where node_id = ${nodeId} and finished_at is null and status <> 'pending' order by id`;
}

/**
 * A result as an operator stores it by hand: whatever is not given is as the table has it by
 * itself.
 */
export interface StoredResult {
  task_id: number;
  organization_id: number;
  /** Without a node, or without a time of dispatch, nobody is to run it. */
  node_id?: number | null;
  status?: ResultStatus;
  assigned_at?: Date;
  started_at?: Date | null;
  finished_at?: Date | null;
  input?: string | null;
  result?: string | null;
  log?: string | null;
}

export async function insertStoredResult(tx: Tx, values: StoredResult): Promise<ResultRow> {
  const [row] = await tx<ResultRow[]>`
    insert into result ${tx({ ...values, dispatched_at: null })} returning ${resultColumns(tx)}`;
  return row!;
}

export async function updateStoredResult(
  tx: Tx,
  id: number,
  values: Partial<StoredResult>,
): Promise<ResultRow> {
  const [row] = await tx<ResultRow[]>`
    update result set ${tx({ ...values })} where id = ${id} returning ${resultColumns(tx)}`;
  return row!;
}

/** A share that is to be dispatched; without an input it keeps the one that it has. */
export interface DispatchedShare {
  task_id: number;
  organization_id: number;
  node_id: number;
  input?: string | undefined;
}

/**
 * Makes a result, or takes the one that is stored for the organization, to be dispatched now;
 * `undefined` when that one was dispatched already, or is over.
 */
export async function upsertDispatched(
  tx: Tx,
  { task_id, organization_id, node_id, input }: DispatchedShare,
  at: Date,
): Promise<ResultRow | undefined> {
  const values = {
    node_id,
    assigned_at: at,
    dispatched_at: at,
    accepted_at: null,
    status: "pending",
    ...(input === undefined ? {} : { input }),
  };
  const [row] = await tx<ResultRow[]>`
    insert into result ${tx({ ...values, task_id, organization_id })}
    on conflict (task_id, organization_id) do update set ${tx(values)}
    where result.dispatched_at is null and result.finished_at is null
    returning ${resultColumns(tx)}`;
  return row;
}

/** Deletes a result with all that belongs to it. */
export async function deleteResult(tx: Tx, id: number): Promise<void> {
  await tx`delete from result where id = ${id}`;
}
