/**
 * Seals that data stations have noted and this hub does not have: after the databases were restored
 * from a backup, and when somebody rewrote the record.
 * @module
 */
import { z } from "zod";
import type { Operator } from "./audit.ts";
import { recordDone, recordOperatorWord } from "./audit.ts";
import type { Db, Tx } from "./db.ts";

const UNKNOWN = "audit.seal_unknown";
const ACKNOWLEDGED = "audit.seals_acknowledged";

const notedSeal = z.object({ service: z.string(), number: z.number(), sha256: z.string() });
export type NotedSeal = z.infer<typeof notedSeal>;

/** Records, once a day, that a node has noted a seal which is not here. */
export async function recordUnknownSeal(db: Db, nodeId: number, noted: NotedSeal): Promise<void> {
  const [known] = await db`
    select 1 from audit where object = 'node' and object_id = ${nodeId} and what = ${UNKNOWN}
      and data::jsonb = ${db.json({ ...noted })}::jsonb and at > now() - interval '1 day' limit 1`;
  if (!known) await recordDone(db, UNKNOWN, { noun: "node", id: nodeId }, { ...noted });
}

export interface UnknownSeal extends NotedSeal {
  node_id: number;
  /** Whether an operator has acknowledged it since it was first told. */
  acknowledged: boolean;
}

/** What nodes have told in the last two days. */
export async function unknownSeals(tx: Tx): Promise<UnknownSeal[]> {
  const rows = await tx<{ node_id: number; data: unknown; acknowledged: boolean }[]>`
    select object_id as node_id, data::jsonb as data,
      coalesce(min(at) <= (select max(at) from audit where what = ${ACKNOWLEDGED}), false)
        as acknowledged
    from audit where object = 'node' and what = ${UNKNOWN}
    group by object_id, data::jsonb having max(at) > now() - interval '2 days' order by object_id`;
  return rows.map(({ data, ...row }) => ({ ...notedSeal.parse(data), ...row }));
}

/** The operator knows of what was told until now, and why. */
export async function acknowledgeSeals(tx: Tx, operator: Operator): Promise<void> {
  await recordOperatorWord(tx, operator, ACKNOWLEDGED);
}
