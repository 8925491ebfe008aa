/**
 * The SQL of dispatches: what a node is told of inputs, and what its node has not accepted.
 *
 * A node accepts an attempt by a report, or by its start, which moves the result on. Until then the
 * result is pending and `accepted_at` is null: the index `result_unaccepted` is of those alone.
 * @module
 */
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import type { Tx } from "../../../shared/storage/db.ts";
import { inputDigest, resultColumns, type ResultRow } from "./result.ts";

/** The digests of the stored inputs of some results. */
export async function inputDigests(tx: Tx, ids: number[]): Promise<Map<number, string>> {
  const rows = await tx<{ id: number; sha256: string }[]>`
    select id, ${inputDigest(tx)} as sha256 from result where id = any(${ids})`;
  return new Map(rows.map(({ id, sha256 }) => [id, sha256]));
}

const unaccepted = (tx: Tx) =>
  tx`status = 'pending' and accepted_at is null and dispatched_at is not null`;

/** What a node has not accepted, by id, of the results after `after`. */
export async function unacceptedResults(
  tx: Tx,
  nodeId: number,
  { after, limit }: { after: number; limit: number },
): Promise<ResultRow[]> {
  return await tx<ResultRow[]>`
    select ${resultColumns(tx)} from result
    where node_id = ${nodeId} and id > ${after} and ${unaccepted(tx)} order by id limit ${limit}`;
}

/** The nodes that have not accepted what was dispatched before this moment. */
export async function nodesWithUnaccepted(tx: Tx, before: Date): Promise<number[]> {
  const rows = await tx<{ node_id: number }[]>`
    select distinct node_id from result
    where node_id is not null and ${unaccepted(tx)} and dispatched_at < ${before}`;
  return rows.map((row) => row.node_id);
}

/** The nodes that have not accepted their share of a task. */
export async function nodesWithUnacceptedOf(tx: Tx, taskId: number): Promise<number[]> {
  const rows = await tx<{ node_id: number }[]>`
    select node_id from result
    where task_id = ${taskId} and node_id is not null and ${unaccepted(tx)}`;
  return rows.map((row) => row.node_id);
}

/** Notes that a node's journal has these attempts; what has moved on meanwhile is left alone. */
export async function markAccepted(
  tx: Tx,
  nodeId: number,
  attempts: AttemptId[],
  at: Date,
): Promise<void> {
  await tx`
    update result set accepted_at = ${at}
    where node_id = ${nodeId} and ${unaccepted(tx)} and (id, attempt) in (
      select result_id, attempt from jsonb_to_recordset(${tx.json([...attempts])})
        as held(result_id integer, attempt integer))`;
}

/** Notes that of what is pending at a node it holds these attempts, and no others. */
export async function setAccepted(
  tx: Tx,
  nodeId: number,
  held: AttemptId[],
  at: Date,
): Promise<void> {
  await tx`
    update result set accepted_at = case when accepted_at is null then ${at}::timestamptz end
    where node_id = ${nodeId} and status = 'pending' and (accepted_at is null) = ((id, attempt) in (
      select result_id, attempt from jsonb_to_recordset(${tx.json([...held])})
        as held(result_id integer, attempt integer)))`;
}
