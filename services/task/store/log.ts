/**
 * The SQL of logs of running results.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";
import { LAST_SEQ } from "../../../shared/node_protocol/logs.ts";

export interface LogPiece {
  result_id: number;
  node_id: number;
  attempt: number;
  seq: number;
  text: string;
}

/**
 * Keeps a piece of the log of a result, if this node runs this attempt of it now, the piece is new
 * and the log not full; returns whether it was kept. A piece that would overfill the log is cut,
 * and is the last.
 */
export async function appendLog(
  tx: Tx,
  { result_id, node_id, attempt, seq, text }: LogPiece,
  { maxSize, fullNote }: { maxSize: number; fullNote: string },
): Promise<string | undefined> {
  const [result] = await tx<{ log_size: number }[]>`
    select log_size from result where id = ${result_id} and node_id = ${node_id}
      and attempt = ${attempt} and status = 'active' for update`;
  if (!result || result.log_size >= maxSize) return undefined;
  const room = maxSize - result.log_size;
  const kept = text.length < room ? text : `${text.slice(0, room)}\n${fullNote}`;
  const added = await tx`
    insert into result_log ${tx({ result_id, attempt, seq, text: kept })}
    on conflict do nothing returning seq`;
  if (added.length === 0) return undefined;
  await tx`update result set log_size = log_size + ${kept.length} + 1 where id = ${result_id}`;
  return kept;
}

/**
 * The pieces joined; null when there are none. They stay what they are while the result is locked.
 */
export async function readLiveLog(tx: Tx, resultId: number): Promise<string | null> {
  const [row] = await tx<{ log: string | null }[]>`
    select ${liveLog(tx)} as log from result where id = ${resultId}`;
  return row?.log ?? null;
}

/** Removes the pieces: the result has its log. */
export function dropLiveLog(tx: Tx, resultId: number): void {
  tx.soon(tx`delete from result_log where result_id = ${resultId}`);
  tx.soon(tx`update result set log_size = 0 where id = ${resultId} and log_size > 0`);
}

/** Puts a line of the hub's own after what an attempt has printed. */
export async function keepNote(
  tx: Tx,
  { id, attempt }: { id: number; attempt: number },
  text: string,
): Promise<void> {
  await tx`
    insert into result_log ${
    tx({ result_id: id, attempt, seq: LAST_SEQ, text: text.replaceAll("\0", "") })
  }
    on conflict do nothing`;
}

/** What a result that runs has printed so far. */
export const liveLog = (tx: Tx) =>
  tx`(
    select string_agg(text, E'\\n' order by attempt, seq)
    from result_log where result_id = result.id)`;
