/**
 * The SQL of time limits and of retention.
 * @module
 */
import type { Db, Tx } from "../../../shared/storage/db.ts";
import { taskColumns, type TaskRow } from "./task.ts";

/** Of a job something of which waits for a person at its node; to follow `where job_id`. */
const isHeld = (tx: Tx) =>
  tx`in (
    select one.job_id from result join task as one on one.id = result.task_id
    where held_at is not null and finished_at is null)`;

/**
 * Time limits stand still while something of their job waits for a person, and go on after that. To
 * be called now and then: a limit stands as long, give or take the time between two calls.
 */
export async function keepClocks(tx: Tx, now: Date): Promise<void> {
  // In one order and past what is locked, since others hold some of these tasks and want the rest.
  await tx`
    with due as (
      select id from task
      where deadline_at is not null and paused_at is null and job_id ${isHeld(tx)}
      order by id for no key update skip locked)
    update task set paused_at = ${now} from due where task.id = due.id`;
  await tx`
    with due as (
      select id from task where paused_at is not null and job_id not ${isHeld(tx)}
      order by id for no key update skip locked)
    update task set paused_at = null,
      deadline_at = deadline_at + greatest(interval '0', ${now}::timestamptz - paused_at)
    from due where task.id = due.id`;
}

/** Tasks whose deadline has passed and has not been dealt with. */
export async function expiredTasks(
  tx: Tx,
  now: Date,
): Promise<TaskRow[]> {
  return await tx<TaskRow[]>`
    select ${taskColumns(tx)} from task
    where deadline_at < ${now} and paused_at is null and job_id not ${isHeld(tx)}
    order by id limit 500`;
}

/** The deadline has been dealt with; `timeout_seconds` still tells of it. */
export async function closeDeadline(tx: Tx, taskId: number): Promise<void> {
  await tx`update task set deadline_at = null where id = ${taskId}`;
}

export interface CleanUp {
  /** Completed results that finished before this. */
  before: Date;
  now: Date;
  includeInput: boolean;
}

/** Removes payloads and their blobs in batches; returns how many results. */
export async function cleanUpResults(
  db: Db,
  { before, now, includeInput }: CleanUp,
): Promise<number> {
  for (let total = 0;;) {
    const cleaned = await db.begin(async (tx) => {
      const rows = await tx<{ id: number }[]>`
        select id from result
        where finished_at < ${before} and status = 'completed' and cleanup_at is null
        order by finished_at limit 500 for update skip locked`;
      const ids = rows.map((row) => row.id);
      if (ids.length === 0) return 0;
      await tx`
        delete from blob using result where result.id = any(${ids}) and blob.result_id = result.id
          and (result.result = blob.id::text ${
        includeInput ? tx`or result.input = blob.id::text` : tx``
      })`;
      await tx`
        update result set result = '', blob_storage_used = false, cleanup_at = ${now}
          ${includeInput ? tx`, input = '', input_in_blob = false` : tx``}
        where id = any(${ids})`;
      return ids.length;
    });
    total += cleaned;
    if (cleaned < 500) return total;
  }
}
