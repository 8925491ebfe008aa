/**
 * The SQL of ending results before their time.
 * @module
 */
import type { ResultStatus } from "../../../shared/node_protocol/status.ts";
import type { Tx } from "../../../shared/storage/db.ts";
import { resultColumns, type ResultRow } from "./result.ts";
import { liveLog } from "./log.ts";

export interface End {
  status: ResultStatus;
  at: Date;
  /** For the researcher; the last line of the log. */
  reason: string;
}

/**
 * Ends these results, which the caller has locked, whatever they were; keeps what they had printed.
 */
export async function endResults(tx: Tx, ids: number[], end: End): Promise<ResultRow[]> {
  const rows = await tx<ResultRow[]>`
    update result set status = ${end.status}, finished_at = ${end.at}, log_size = 0,
      log = concat_ws(E'\n', coalesce(log, ${liveLog(tx)}), ${end.reason}::text)
    where id = any(${ids}) returning ${resultColumns(tx)}`;
  await tx`delete from result_log where result_id = any(${ids})`;
  return rows.sort((a, b) => a.id - b.id);
}

/**
 * Ends the results of a task that no node has begun; for when a sibling's failure makes them
 * pointless. What attempts that were lost had printed is kept.
 */
export async function abandonSiblings(
  tx: Tx,
  taskId: number,
  { at, reason }: Omit<End, "status">,
): Promise<ResultRow[]> {
  const waiting = await tx<{ id: number }[]>`
    select id from result
    where task_id = ${taskId} and started_at is null and finished_at is null
    order by id for update`;
  return await endResults(tx, waiting.map((row) => row.id), { status: "failed", at, reason });
}
