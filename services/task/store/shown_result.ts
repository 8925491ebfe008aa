/**
 * The SQL of results as the API shows them: joined with what permissions and references need of the
 * task.
 * @module
 */
import { type Db, type Fragment, type Tx } from "../../../shared/storage/db.ts";
import { type RowList, rowList } from "../../../shared/storage/row_list.ts";
import { liveLog } from "./log.ts";
import { ResultRow } from "./result.ts";

/** A result joined with the task columns that permissions and references need. */
export interface ResultOfTaskRow extends ResultRow {
  input: string | null;
  result: string | null;
  log: string | null;
  job_id: number;
  collaboration_id: number;
  init_org_id: number;
  init_user_id: number;
}

const joinedColumns = (tx: Tx, payloads: Fragment) =>
  tx`result.id, task_id, organization_id, node_id, status, attempt, agent_id, assigned_at,
     started_at, finished_at, cleanup_at, input_in_blob, blob_storage_used, code,
     held_at,
     ${payloads}, job_id, collaboration_id, init_org_id, init_user_id`;

/** Which payload columns a question is about; the others are not read. `run`: input and log. */
export type Payload = "run" | "log" | "result" | "none";

function payloadColumns(tx: Tx, payload: Payload): Fragment {
  const log = payload === "run" || payload === "log"
    ? tx`coalesce(log, ${liveLog(tx)}) as log`
    : tx`null as log`;
  return tx`${payload === "run" ? tx`input` : tx`null as input`}, ${log},
    ${payload === "result" ? tx`result` : tx`null as result`}`;
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

/** Few, because of their payloads. */
const BATCH = 200;

export function shownResults(db: Db, payload: Payload): RowList<ResultOfTaskRow> {
  return rowList<ResultOfTaskRow>(db, {
    columns: joinedColumns(db, payloadColumns(db, payload)),
    from: db`result join task on task.id = task_id`,
    id: db`result.id`,
    batch: BATCH,
    ...payload === "none" ? {} : { bytes: bytesOfPayload(db, payload) },
  });
}

/** SQL of how many bytes a question reads of a row of `result`; what is not stored takes none. */
function bytesOfPayload(tx: Tx, payload: Exclude<Payload, "none">): Fragment {
  const input = tx`coalesce(octet_length(input), 0)`;
  const log = tx`coalesce(octet_length(log), 0)`;
  if (payload === "result") return tx`coalesce(octet_length(result), 0)`;
  return payload === "log" ? log : tx`${input} + ${log}`;
}

/** SQL of how many bytes {@linkcode resultsOfTasks} reads of each payload for a row of `task`. */
export function bytesOfResults(tx: Tx, payloads: Exclude<Payload, "none">[]): Fragment {
  const bytes = payloads
    .map((payload) => bytesOfPayload(tx, payload))
    .reduce((sum, one) => tx`${sum} + ${one}`, tx`0`);
  return tx`(select coalesce(sum(${bytes}), 0)::float8 from result where task_id = task.id)`;
}

/** Those of some tasks for which {@linkcode resultsOfTasks} would read more than `most` bytes. */
export async function tasksOfMoreBytes(
  tx: Tx,
  { taskIds, payloads, most }: {
    taskIds: number[];
    payloads: Exclude<Payload, "none">[];
    most: number;
  },
): Promise<Set<number>> {
  const rows = await tx<{ id: number }[]>`
    select id from task
    where id = any(${taskIds}) and ${bytesOfResults(tx, payloads)} > ${most}`;
  return new Set(rows.map(({ id }) => id));
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

export type ShareRow = Pick<
  ResultRow,
  "id" | "task_id" | "organization_id" | "status" | "attempt" | "held_at"
>;

/** How far each organization is with some tasks. */
export async function sharesOfTasks(tx: Tx, taskIds: number[]): Promise<ShareRow[]> {
  return await tx<ShareRow[]>`
    select id, task_id, organization_id, status, attempt, held_at
    from result where task_id = any(${taskIds}) order by task_id, organization_id`;
}
