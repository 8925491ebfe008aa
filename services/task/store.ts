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
} from "../../shared/storage/db.ts";
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
  /** Null for a task from before names were kept. */
  init_username: string | null;
  algorithm_store_id: number | null;
  /** Where the store was when the task was made. */
  algorithm_store_url: string | null;
  timeout_seconds: number | null;
  deadline_at: Date | null;
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
  /** Null for a result that an operator stored by hand. */
  node_id: number | null;
  status: ResultStatus;
  attempt: number;
  agent_id: string | null;
  assigned_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  cleanup_at: Date | null;
  dispatches: number;
  /** Whether `input`, and whether `result`, is the id of a blob. */
  input_in_blob: boolean;
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

export const taskColumns = (tx: Tx) =>
  tx`id, name, description, image, job_id, created_at, collaboration_id, study_id, parent_id,
     init_org_id, init_user_id, init_username, algorithm_store_id, algorithm_store_url,
     timeout_seconds, deadline_at`;
export const resultColumns = (tx: Tx) =>
  tx`id, task_id, organization_id, node_id, status, attempt, agent_id, assigned_at, started_at,
     finished_at, cleanup_at, dispatches, input_in_blob, blob_storage_used`;

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

export async function tasksById(tx: Tx, ids: number[]): Promise<TaskRow[]> {
  return await tx<TaskRow[]>`select ${taskColumns(tx)} from task where id = any(${ids})`;
}

/** The tasks of what is given; an organization's are those it started or has a share in. */
export async function countTasks(
  tx: Tx,
  { collaboration_id, study_id, organization_id, user_id }: {
    collaboration_id?: number | undefined;
    study_id?: number | undefined;
    organization_id?: number | undefined;
    user_id?: number | undefined;
  },
): Promise<number> {
  const conditions: Fragment[] = [];
  if (collaboration_id !== undefined) conditions.push(tx`collaboration_id = ${collaboration_id}`);
  if (study_id !== undefined) conditions.push(tx`study_id = ${study_id}`);
  if (user_id !== undefined) conditions.push(tx`init_user_id = ${user_id}`);
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

/**
 * The task, locked until the transaction ends. Whoever ends results holds it, before any of their locks: so the
 * task's status that an event tells is the true one, and two ends that touch each other's siblings wait in line.
 */
export async function lockTask(tx: Tx, id: number): Promise<TaskRow | undefined> {
  const [row] = await tx<TaskRow[]>`
    select ${taskColumns(tx)} from task where id = ${id} for no key update`;
  return row;
}

/** The task, locked so that it cannot be ended meanwhile; others may do the same. */
export async function shareTask(tx: Tx, id: number): Promise<TaskRow | undefined> {
  const [row] = await tx<TaskRow[]>`select ${taskColumns(tx)} from task where id = ${id} for share`;
  return row;
}

/**
 * A task and all its descendants, locked. Every task of the run id is locked, in one order, so that no child can be
 * added meanwhile and two such calls cannot wait for each other.
 */
export async function lockFamily(tx: Tx, root: TaskRow): Promise<TaskRow[]> {
  for (let known = -1;;) {
    const all = await tx<TaskRow[]>`
      select ${taskColumns(tx)} from task where job_id = ${root.job_id}
      order by id for no key update`;
    // A child that was committed while this waited for its parent is seen only by the next look.
    if (all.length > known) {
      known = all.length;
      continue;
    }
    const family = new Set([root.id]);
    // Children have higher ids than their parents.
    return all.filter((task) => {
      if (task.parent_id !== null && family.has(task.parent_id)) family.add(task.id);
      return family.has(task.id);
    });
  }
}

/** The first task of a run id. */
export async function oneTaskOfRun(tx: Tx, runId: number): Promise<number | undefined> {
  const [row] = await tx<{ id: number }[]>`
    select id from task where job_id = ${runId} order by id limit 1`;
  return row?.id;
}

/** What tasks belong to. */
export type TaskOwner =
  | { collaboration_id: number }
  | { study_id: number }
  | { init_org_id: number }
  | { init_user_id: number };

export async function tasksOf(tx: Tx, owner: TaskOwner): Promise<number[]> {
  const [[column, value]] = Object.entries(owner) as [[string, number]];
  const rows = await tx<{ id: number }[]>`
    select id from task where ${tx(column)} = ${value} order by id`;
  return rows.map((row) => row.id);
}

/** What tasks belong to in one way, each once. */
export async function ownersOfTasks(
  tx: Tx,
  column: "collaboration_id" | "study_id" | "init_org_id" | "init_user_id",
): Promise<number[]> {
  const rows = await tx<{ id: number }[]>`
    select distinct ${tx(column)} as id from task where ${tx(column)} is not null`;
  return rows.map((row) => row.id);
}

export async function nodesWithOpenResults(tx: Tx): Promise<number[]> {
  const rows = await tx<{ id: number }[]>`
    select distinct node_id as id from result where finished_at is null and node_id is not null`;
  return rows.map((row) => row.id);
}

/** Deletes tasks with everything below them; the ids must include all descendants. */
export async function deleteTasks(tx: Tx, ids: number[]): Promise<void> {
  await tx`delete from task where id = any(${ids})`;
}

export async function databasesOfTasks(tx: Tx, ids: number[]): Promise<TaskDatabaseRow[]> {
  return await tx<TaskDatabaseRow[]>`
    select task_id, label, parameters from task_database
    where task_id = any(${ids}) order by task_id, position`;
}

/** How many tasks or results there are, of some collaborations or of all. */
export function keptCount(
  tx: Tx,
  table: "task" | "result",
  collaborations: number[] | "all",
): Fragment {
  const where = collaborations === "all" ? tx`true` : tx`collaboration_id = any(${collaborations})`;
  return tx`(
    select coalesce(sum(rows), 0) from row_count where table_name = ${table} and ${where})`;
}

export function taskPage(db: Db, request: PageRequest) {
  return selectPage<TaskRow>(db, taskColumns(db), db`task`, request);
}

export interface TaskProgress {
  task_id: number;
  /** Which there are, each once. */
  statuses: string[];
  last_finished_at: Date | null;
}

/** The statuses of the results of some tasks; a task without results is absent. */
export async function progressOfTasks(tx: Tx, ids: number[]): Promise<TaskProgress[]> {
  return await tx<TaskProgress[]>`
    select task_id, array_agg(distinct status) as statuses, max(finished_at) as last_finished_at
    from result where task_id = any(${ids}) group by task_id`;
}

/** Which statuses the results of a task have, each once: a task can have thousands of results. */
export async function statusesOfTask(tx: Tx, id: number): Promise<string[]> {
  const rows = await tx<{ status: string }[]>`
    select distinct status from result where task_id = ${id}`;
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
  input_in_blob: boolean;
}

export async function insertResults(tx: Tx, values: NewResult[]): Promise<ResultRow[]> {
  return await tx<ResultRow[]>`
    insert into result ${tx(values.map((one) => ({ ...one })))} returning ${resultColumns(tx)}`;
}

export async function resultById(tx: Tx, id: number): Promise<ResultRow | undefined> {
  const [row] = await tx<ResultRow[]>`select ${resultColumns(tx)} from result where id = ${id}`;
  return row;
}

/** The task that a result is a share of. */
export async function taskOfResult(tx: Tx, id: number): Promise<number | undefined> {
  const [row] = await tx<{ task_id: number }[]>`select task_id from result where id = ${id}`;
  return row?.task_id;
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

/** The SHA-256, in hex, of the stored inputs of some results; of the content, where a blob holds it. */
export async function inputDigests(tx: Tx, ids: number[]): Promise<Map<number, string>> {
  const rows = await tx<{ id: number; sha256: string }[]>`
    select result.id, coalesce(
      blob.sha256, encode(sha256(convert_to(coalesce(input, ''), 'UTF8')), 'hex')) as sha256
    from result left join blob on blob.id = case when input_in_blob then input::uuid end
    where result.id = any(${ids})`;
  return new Map(rows.map(({ id, sha256 }) => [id, sha256]));
}

export interface ResultChange {
  status: ResultStatus;
  attempt?: number;
  agent_id?: string | null;
  dispatched_at?: Date;
  dispatches?: number;
  started_at?: Date | null;
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

/** Whether any result of these tasks is unfinished. */
export async function anyOpen(tx: Tx, taskIds: number[]): Promise<boolean> {
  const [row] = await tx`
    select 1 from result where task_id = any(${taskIds}) and finished_at is null limit 1`;
  return row !== undefined;
}

/** The tasks that a node has unfinished results of. */
export async function tasksOpenAtNode(tx: Tx, nodeId: number): Promise<number[]> {
  const rows = await tx<{ task_id: number }[]>`
    select distinct task_id from result where node_id = ${nodeId} and finished_at is null
    order by task_id`;
  return rows.map((row) => row.task_id);
}

/** Unfinished results of a node, oldest first. */
export async function openResultsAtNode(tx: Tx, nodeId: number): Promise<ResultRow[]> {
  return await tx<ResultRow[]>`
    select ${resultColumns(tx)} from result where node_id = ${nodeId} and finished_at is null
    order by id`;
}

/**
 * The agent that last spoke for a node, locked, and how many hellos of the node have been dealt with. Where none has
 * spoken yet, it is the one that speaks now.
 */
export async function lockAgent(
  tx: Tx,
  nodeId: number,
  agentId: string,
): Promise<{ agent_id: string; hellos: number }> {
  const [row] = await tx<{ agent_id: string; hellos: number }[]>`
    insert into node_agent (node_id, agent_id) values (${nodeId}, ${agentId})
    on conflict (node_id) do update set agent_id = node_agent.agent_id
    returning agent_id, hellos`;
  return row!;
}

/** Counts a hello of the agent that now speaks for a node. */
export async function countHello(tx: Tx, nodeId: number, agentId: string): Promise<void> {
  await tx`
    update node_agent set agent_id = ${agentId}, hellos = hellos + 1 where node_id = ${nodeId}`;
}

export interface StaleDispatch {
  node_id: number;
  result_ids: number[];
}

/**
 * Pending results that should have been begun by now, oldest first, by node. Each time one is dispatched again it
 * is left alone for twice as long: it may well wait its turn at the node.
 */
export async function staleDispatches(
  tx: Tx,
  { now, settleMs, limit }: { now: Date; settleMs: number; limit: number },
): Promise<StaleDispatch[]> {
  return await tx<StaleDispatch[]>`
    select node_id, array_agg(id order by id) as result_ids from (
      select node_id, id, row_number() over (partition by node_id order by id) as place
      from result where finished_at is null and status = 'pending' and dispatched_at <
        ${now}::timestamptz - make_interval(secs => ${
    settleMs / 1000
  } * 2 ^ least(dispatches - 1, 8))
    ) as stale where place <= ${limit} group by node_id`;
}

/** When the result was last dispatched. */
export async function dispatchedAt(tx: Tx, id: number): Promise<Date | undefined> {
  const [row] = await tx<{ dispatched_at: Date }[]>`
    select dispatched_at from result where id = ${id}`;
  return row?.dispatched_at;
}

const joinedColumns = (tx: Tx, payloads: Fragment) =>
  tx`result.id, task_id, organization_id, node_id, status, attempt, agent_id, assigned_at,
     started_at, finished_at, cleanup_at, dispatches, input_in_blob, blob_storage_used, ${payloads},
     collaboration_id, init_org_id, init_user_id`;

/** What a result that runs has printed so far. */
export const liveLog = (tx: Tx) =>
  tx`(select string_agg(text, E'\\n' order by attempt, seq) from result_log where result_id = result.id)`;

/** Which payload columns a question is about; the others are not read. */
export type Payload = "run" | "result";

function payloadColumns(tx: Tx, payload: Payload): Fragment {
  return payload === "run"
    ? tx`input, coalesce(log, ${liveLog(tx)}) as log, null as result`
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
