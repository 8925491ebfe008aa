/**
 * The SQL of time limits and of retention.
 * @module
 */
import type { Db, Tx } from "../../../shared/storage/db.ts";
import { taskColumns, type TaskRow } from "./task.ts";

/** Tasks whose deadline has passed and has not been dealt with. */
export async function expiredTasks(
  tx: Tx,
  now: Date,
): Promise<TaskRow[]> {
  return await tx<TaskRow[]>`
    select ${taskColumns(tx)} from task where deadline_at < ${now} order by id limit 500`;
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
