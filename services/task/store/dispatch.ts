/**
 * The SQL of dispatches: what a node is told of inputs, and which dispatches may have been lost.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";

/**
 * The SHA-256, in hex, of the stored inputs of some results; of the content, where a blob holds it.
 */
export async function inputDigests(tx: Tx, ids: number[]): Promise<Map<number, string>> {
  const rows = await tx<{ id: number; sha256: string }[]>`
    select result.id, coalesce(
      blob.sha256, encode(sha256(convert_to(coalesce(input, ''), 'UTF8')), 'hex')) as sha256
    from result left join blob on blob.id = case when input_in_blob then input::uuid end
    where result.id = any(${ids})`;
  return new Map(rows.map(({ id, sha256 }) => [id, sha256]));
}

export interface StaleDispatch {
  node_id: number;
  result_ids: number[];
}

/**
 * Pending results that should have been begun by now, oldest first, by node. Each time one is
 * dispatched again it is left alone for twice as long: it may well wait its turn at the node.
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
