/**
 * The SQL of what was not taken, counted by kind.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";

/** Adds to what was counted before. */
export async function addRefused(tx: Tx, counts: Record<string, number>): Promise<void> {
  const rows = Object.entries(counts).map(([kind, count]) => ({ kind, count }));
  if (rows.length === 0) return;
  // In one order, so that two replicas do not wait for each other.
  await tx`
    insert into refused_count (kind, count)
    select kind, count from jsonb_to_recordset(${tx.json(rows)}) as one(kind text, count bigint)
    order by kind
    on conflict (kind) do update set count = refused_count.count + excluded.count`;
}

export interface RefusedCount {
  kind: string;
  count: number;
}

export async function refusedCounts(tx: Tx): Promise<RefusedCount[]> {
  const rows = await tx<{ kind: string; count: string }[]>`
    select kind, count from refused_count order by kind`;
  return rows.map(({ kind, count }) => ({ kind, count: Number(count) }));
}
