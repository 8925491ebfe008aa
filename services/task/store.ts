/**
 * The SQL of task. Functions take the pool or a transaction and return rows as the database has them.
 * @module
 */
import {
  all,
  type Db,
  type Fragment,
  type PageRequest,
  selectPage,
  type Tx,
} from "../../shared/db.ts";
import type { ResultStatus } from "./rules.ts";

export interface TaskRow {
  id: number;
  name: string;
  description: string;
  image: string;
  job_id: number;
  created_at: Date;
  collaboration_id: number;
  study_id: number | null;
  parent_id: number | null;
  init_org_id: number;
  init_user_id: number;
  algorithm_store_id: number | null;
}

export interface TaskDatabaseRow {
  task_id: number;
  label: string;
  parameters: string;
}

/** A result without its payloads: what nearly every question needs. */
export interface ResultRow {
  id: number;
  task_id: number;
  organization_id: number;
  node_id: number;
  status: ResultStatus;
  attempt: number;
  agent_id: string | null;
  assigned_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  cleanup_at: Date | null;
  blob_storage_used: boolean;
}

/** A result joined with the task columns that permissions and references need. */
export interface ResultOfTaskRow extends ResultRow {
  input: string | null;
  result: string | null;
  log: string | null;
  collaboration_id: number;
  init_org_id: number;
  init_user_id: number;
}

const taskColumns = (tx: Tx) =>
  tx`id, name, description, image, job_id, created_at, collaboration_id, study_id, parent_id,
     init_org_id, init_user_id, algorithm_store_id`;
const resultColumns = (tx: Tx) =>
  tx`id, task_id, organization_id, node_id, status, attempt, agent_id, assigned_at, started_at,
     finished_at, cleanup_at, blob_storage_used`;

// -- tasks --------------------------------------------------------------------------------------------------

export type NewTask = Omit<TaskRow, "id" | "created_at">;

export async function nextRunId(tx: Tx): Promise<number> {
  const [row] = await tx<{ next: number }[]>`select nextval('run_id_seq')::integer as next`;
  return row!.next;
}

export async function insertTask(
  tx: Tx,
  values: NewTask,
  databases: { label: string; parameters: string }[],
): Promise<TaskRow> {
  const [row] = await tx<TaskRow[]>`insert into task ${tx({ ...values })} returning ${
    taskColumns(tx)
  }`;
  if (databases.length > 0) {
    const rows = databases.map((one, position) => ({ task_id: row!.id, position, ...one }));
    await tx`insert into task_database ${tx(rows)}`;
  }
  return row!;
}

export async function taskById(tx: Tx, id: number): Promise<TaskRow | undefined> {
  const [row] = await tx<TaskRow[]>`select ${taskColumns(tx)} from task where id = ${id}`;
  return row;
}

/** The tasks of what is given; an organization's are those it started or has a share in. */
export async function countTasks(
  tx: Tx,
  { collaboration_id, study_id, organization_id }: {
    collaboration_id?: number | undefined;
    study_id?: number | undefined;
    organization_id?: number | undefined;
  },
): Promise<number> {
  const conditions: Fragment[] = [];
  if (collaboration_id !== undefined) conditions.push(tx`collaboration_id = ${collaboration_id}`);
  if (study_id !== undefined) conditions.push(tx`study_id = ${study_id}`);
  if (organization_id !== undefined) {
    conditions.push(
      tx`(init_org_id = ${organization_id} or exists (
        select from result where task_id = task.id and organization_id = ${organization_id}))`,
    );
  }
  const [row] = await tx<{ count: string }[]>`
    select count(*) from task where ${all(tx, conditions)}`;
  return Number(row!.count);
}

export async function databasesOfTasks(tx: Tx, ids: number[]): Promise<TaskDatabaseRow[]> {
  return await tx<TaskDatabaseRow[]>`
    select task_id, label, parameters from task_database
    where task_id = any(${ids}) order by task_id, position`;
}

export function taskPage(db: Db, request: PageRequest) {
  return selectPage<TaskRow>(db, taskColumns(db), db`task`, request);
}

export interface TaskProgress {
  task_id: number;
  statuses: string[];
  last_finished_at: Date | null;
}

/** The statuses of the results of some tasks; a task without results is absent. */
export async function progressOfTasks(tx: Tx, ids: number[]): Promise<TaskProgress[]> {
  return await tx<TaskProgress[]>`
    select task_id, array_agg(status) as statuses, max(finished_at) as last_finished_at
    from result where task_id = any(${ids}) group by task_id`;
}

export async function statusesOfTask(tx: Tx, id: number): Promise<string[]> {
  const rows = await tx<{ status: string }[]>`select status from result where task_id = ${id}`;
  return rows.map((row) => row.status);
}

// -- results ------------------------------------------------------------------------------------------------

/** Whether a task is meant for an organization. */
export async function hasShare(tx: Tx, taskId: number, organizationId: number): Promise<boolean> {
  const [row] = await tx`
    select 1 from result where task_id = ${taskId} and organization_id = ${organizationId}`;
  return row !== undefined;
}

export interface NewResult {
  task_id: number;
  organization_id: number;
  node_id: number;
  input: string;
}

export async function insertResults(tx: Tx, values: NewResult[]): Promise<ResultRow[]> {
  return await tx<ResultRow[]>`
    insert into result ${tx(values.map((one) => ({ ...one })))} returning ${resultColumns(tx)}`;
}

/** The result, locked until the transaction ends: reports about one result happen one after another. */
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
  dispatched_at?: Date;
  started_at?: Date | null;
  finished_at?: Date;
  result?: string | null;
  log?: string | null;
}

export async function updateResult(tx: Tx, id: number, change: ResultChange): Promise<ResultRow> {
  const [row] = await tx<ResultRow[]>`
    update result set ${tx({ ...change })} where id = ${id} returning ${resultColumns(tx)}`;
  return row!;
}

/** Ends the results of a task that no node has begun; for when a sibling's failure makes them pointless. */
export async function abandonSiblings(
  tx: Tx,
  taskId: number,
  { at, log }: { at: Date; log: string },
): Promise<ResultRow[]> {
  return await tx<ResultRow[]>`
    update result set status = 'failed', finished_at = ${at}, log = ${log}
    where task_id = ${taskId} and started_at is null and finished_at is null
    returning ${resultColumns(tx)}`;
}

/** Unfinished results of a node, oldest first. */
export async function openResultsAtNode(tx: Tx, nodeId: number): Promise<ResultRow[]> {
  return await tx<ResultRow[]>`
    select ${resultColumns(tx)} from result where node_id = ${nodeId} and finished_at is null
    order by id`;
}

/** Notes which agent speaks for a node; returns whether another one did before. */
export async function rememberAgent(tx: Tx, nodeId: number, agentId: string): Promise<boolean> {
  const [before] = await tx<{ agent_id: string }[]>`
    select agent_id from node_agent where node_id = ${nodeId} for update`;
  if (before?.agent_id === agentId) return false;
  await tx`
    insert into node_agent (node_id, agent_id) values (${nodeId}, ${agentId})
    on conflict (node_id) do update set agent_id = excluded.agent_id`;
  return before !== undefined;
}

export interface StaleDispatch {
  node_id: number;
  result_ids: number[];
}

/** Pending results that were dispatched before `before`, by node. */
export async function staleDispatches(tx: Tx, before: Date): Promise<StaleDispatch[]> {
  return await tx<StaleDispatch[]>`
    select node_id, array_agg(id order by id) as result_ids from result
    where finished_at is null and status = 'pending' and dispatched_at < ${before}
    group by node_id`;
}

const joinedColumns = (tx: Tx, payloads: Fragment) =>
  tx`result.id, task_id, organization_id, node_id, status, attempt, agent_id, assigned_at,
     started_at, finished_at, cleanup_at, blob_storage_used, ${payloads},
     collaboration_id, init_org_id, init_user_id`;

/** Which payload columns a question is about; the others are not read. */
export type Payload = "run" | "result";

function payloadColumns(tx: Tx, payload: Payload): Fragment {
  return payload === "run"
    ? tx`input, log, null as result`
    : tx`null as input, null as log, result`;
}

export async function resultOfTaskById(
  tx: Tx,
  id: number,
  payload: Payload,
): Promise<ResultOfTaskRow | undefined> {
  const [row] = await tx<ResultOfTaskRow[]>`
    select ${joinedColumns(tx, payloadColumns(tx, payload))}
    from result join task on task.id = task_id where result.id = ${id}`;
  return row;
}

export function resultPage(db: Db, payload: Payload, request: PageRequest) {
  return selectPage<ResultOfTaskRow>(
    db,
    joinedColumns(db, payloadColumns(db, payload)),
    db`result join task on task.id = task_id`,
    request,
  );
}

export async function resultsOfTasks(
  tx: Tx,
  taskIds: number[],
  payload: Payload,
): Promise<ResultOfTaskRow[]> {
  return await tx<ResultOfTaskRow[]>`
    select ${joinedColumns(tx, payloadColumns(tx, payload))}
    from result join task on task.id = task_id
    where task_id = any(${taskIds}) order by result.id desc`;
}
