/**
 * The SQL of tasks. Functions take the pool or a transaction and return rows as the database has
 * them.
 * @module
 */
import { all, type Db, type Fragment, type Tx } from "../../../shared/storage/db.ts";
import { type RowList, rowList } from "../../../shared/storage/row_list.ts";

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
  /** Whether a part that fails ends no other one. */
  keep_going: boolean;
  /** The span of a trace in whose course it was made, where there is one. */
  traceparent: string | null;
}

export interface TaskDatabaseRow {
  task_id: number;
  label: string;
  parameters: string;
}

export const taskColumns = (tx: Tx) =>
  tx`id, name, description, image, job_id, created_at, collaboration_id, study_id, parent_id,
     init_org_id, init_user_id, init_username, algorithm_store_id, algorithm_store_url,
     timeout_seconds, deadline_at, keep_going, traceparent`;

export type NewTask =
  & Omit<TaskRow, "id" | "created_at" | "keep_going" | "traceparent">
  & Partial<Pick<TaskRow, "keep_going" | "traceparent">>;

/** A database that a task reads; its parameters are an object, as JSON. */
export type NewDatabase = Pick<TaskDatabaseRow, "label" | "parameters">;

/** A run id that no task has or will have. */
export async function nextRunId(tx: Tx): Promise<number> {
  const [row] = await tx<{ next: number }[]>`select nextval('run_id_seq')::integer as next`;
  return row!.next;
}

/**
 * The id of the task that this transaction has just inserted: so what belongs to it can be sent
 * together with it.
 */
export const insertedTask = (tx: Tx) => tx`currval(pg_get_serial_sequence('task', 'id'))::integer`;

/** Inserts a task; without a run id it gets one that no task has or will have. */
export async function insertTask(
  tx: Tx,
  { job_id, ...values }: Omit<NewTask, "job_id"> & { job_id: number | undefined },
  databases: NewDatabase[],
): Promise<TaskRow> {
  const run = job_id ?? tx`nextval('run_id_seq')`;
  const inserted = tx<TaskRow[]>`
    insert into task ${tx({ ...values, job_id: run })} returning ${taskColumns(tx)}`.then();
  insertDatabases(tx, insertedTask(tx), databases);
  const [row] = await inserted;
  return row!;
}

function insertDatabases(tx: Tx, taskId: number | Fragment, databases: NewDatabase[]): void {
  if (databases.length === 0) return;
  const rows = databases.map(({ label, parameters }, position) => ({
    task_id: taskId,
    position,
    label,
    parameters,
  }));
  tx.soon(tx`insert into task_database ${tx(rows)}`);
}

/** Puts other databases in place of those that the task had. */
export async function replaceDatabases(
  tx: Tx,
  taskId: number,
  databases: NewDatabase[],
): Promise<void> {
  await tx`delete from task_database where task_id = ${taskId}`;
  insertDatabases(tx, taskId, databases);
}

export async function updateTask(
  tx: Tx,
  id: number,
  values: Partial<NewTask>,
): Promise<TaskRow | undefined> {
  if (Object.keys(values).length === 0) return await taskById(tx, id);
  const [row] = await tx<TaskRow[]>`
    update task set ${tx({ ...values })} where id = ${id} returning ${taskColumns(tx)}`;
  return row;
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
 * The task, locked until the transaction ends. Whoever ends results holds it, before any of their
 * locks: so the task's status that an event tells is the true one, and two ends that touch each
 * other's siblings wait in line.
 */
export async function lockTask(tx: Tx, id: number): Promise<TaskRow | undefined> {
  const [row] = await tx<TaskRow[]>`
    select ${taskColumns(tx)} from task where id = ${id} for no key update`;
  return row;
}

/**
 * The task that a result is a share of; locked as by {@linkcode lockTask}, if that is asked for.
 */
export async function taskWithResult(
  tx: Tx,
  resultId: number,
  { locked }: { locked: boolean },
): Promise<TaskRow | undefined> {
  const [row] = await tx<TaskRow[]>`
    select ${taskColumns(tx)} from task
    where id = (select task_id from result where id = ${resultId})
    ${locked ? tx`for no key update` : tx``}`;
  return row;
}

/** The task, locked so that it cannot be ended meanwhile; others may do the same. */
export async function shareTask(tx: Tx, id: number): Promise<TaskRow | undefined> {
  const [row] = await tx<TaskRow[]>`select ${taskColumns(tx)} from task where id = ${id} for share`;
  return row;
}

/**
 * A task and all its descendants, locked. Every task of the run id that could be one is locked, in
 * one order, so that no child can be added meanwhile and two such calls cannot wait for each other.
 */
export async function lockFamily(tx: Tx, root: TaskRow): Promise<TaskRow[]> {
  for (let known = -1;;) {
    const all = await tx<TaskRow[]>`
      select ${taskColumns(tx)} from task where job_id = ${root.job_id} and id >= ${root.id}
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

/**
 * What some organizations' shares of a task have made: its subtasks and all their descendants,
 * locked. The caller has locked the task, so that no more are made meanwhile.
 */
export async function lockSubtasks(
  tx: Tx,
  task: TaskRow,
  organizationIds: number[],
): Promise<TaskRow[]> {
  // Hardly any task has some: no other task of the run id need be locked then.
  const [one] = await tx`
    select 1 from task where parent_id = ${task.id} and init_org_id = any(${organizationIds})
    limit 1`;
  if (!one) return [];
  const made = new Set<number>();
  return (await lockFamily(tx, task)).filter(({ id, parent_id, init_org_id }) => {
    const isTheirs = parent_id === task.id
      ? organizationIds.includes(init_org_id)
      : parent_id !== null && made.has(parent_id);
    if (isTheirs) made.add(id);
    return isTheirs;
  });
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

/** How many tasks a run has, the one that began it among them. */
export async function countOfRun(tx: Tx, runId: number): Promise<number> {
  const [row] = await tx<{ count: number }[]>`
    select count(*)::integer as count from task where job_id = ${runId}`;
  return row!.count;
}

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

/** Deletes tasks with everything below them; the ids must include all descendants. */
export async function deleteTasks(tx: Tx, ids: number[]): Promise<void> {
  await tx`delete from task where id = any(${ids})`;
}

export async function databasesOfTasks(tx: Tx, ids: number[]): Promise<TaskDatabaseRow[]> {
  return await tx<TaskDatabaseRow[]>`
    select task_id, label, parameters from task_database
    where task_id = any(${ids}) order by task_id, position`;
}

export function taskRows(
  db: Db,
  options: { batch?: number; bytes?: Fragment } = {},
): RowList<TaskRow> {
  return rowList<TaskRow>(db, { columns: taskColumns(db), from: db`task`, ...options });
}

export interface TaskProgress {
  task_id: number;
  /** Which there are, each once. */
  statuses: string[];
  last_finished_at: Date | null;
  /** The organizations at which a result of it waits for a person to release it. */
  held_at_organizations: number[];
}

/** The statuses of the results of some tasks; a task without results is absent. */
export async function progressOfTasks(tx: Tx, ids: number[]): Promise<TaskProgress[]> {
  return await tx<TaskProgress[]>`
    select task_id, array_agg(distinct status) as statuses, max(finished_at) as last_finished_at,
      coalesce(array_agg(distinct organization_id)
        filter (where held_at is not null and finished_at is null), '{}') as held_at_organizations
    from result where task_id = any(${ids}) group by task_id`;
}

/** A task that is to get a subtask: how far it is, and how far the share is that asks for it. */
export interface ParentState {
  statuses: string[];
  /** The attempt at the share that is under way; null when the share is over, or there is none. */
  attempt: number | null;
}

export async function parentState(
  tx: Tx,
  { taskId, organizationId }: { taskId: number; organizationId: number },
): Promise<ParentState> {
  const [row] = await tx<ParentState[]>`
    select coalesce(array_agg(distinct status), '{}') as statuses,
      max(attempt) filter (where organization_id = ${organizationId} and finished_at is null)
        as attempt
    from result where task_id = ${taskId}`;
  return row!;
}

/** Which statuses the results of a task have, each once: a task can have thousands of results. */
export async function statusesOfTask(tx: Tx, id: number): Promise<string[]> {
  const rows = await tx<{ status: string }[]>`
    select distinct status from result where task_id = ${id}`;
  return rows.map((row) => row.status);
}
