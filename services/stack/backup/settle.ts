/**
 * What a database must be told that has gone back to an earlier time, while nodes, clients and
 * people have gone on.
 *
 * What a node holds is settled by the hello that it says next (`services/task/reports/hello.ts`):
 * attempts that the hub does not know any more are dropped, those that it knows go on, and what was
 * reported in the time that is lost is dispatched again.
 * @module
 */
import type { Operator } from "../../../shared/storage/audit.ts";
import { recordOperatorWord } from "../../../shared/storage/audit.ts";
import type { Db, Tx } from "../../../shared/storage/db.ts";
import { HUB_SERVICES, type HubService } from "../../../shared/broker/subjects.ts";
import { endSessionsOfUsers } from "../../identity/store/session.ts";
import { disownAgents } from "../../task/store/node_speaker.ts";
import type { Manifest } from "./manifest.ts";

/**
 * So many ids of each kind are passed over at least, and as many as there have been: they may have
 * been given since the backup, and others still know them. Who then got the id of a task could get
 * its result from a node, and an organization the id that an owner's rules allow.
 */
const FEWEST_PASSED_OVER = { identity: 10_000, collaboration: 10_000, task: 1_000_000 } as const;

export interface SettleOptions {
  /** Opens the restored database as its administrator, with the schema of a service. */
  open: (service: HubService) => Db;
  manifest: Manifest;
  operator: Operator;
  at: Date;
}

export async function settle({ open, manifest, operator, at }: SettleOptions): Promise<void> {
  for (const service of HUB_SERVICES) {
    const db = open(service);
    try {
      await db.begin(async (tx) => {
        await requireMigrations(tx, manifest.migrations[service], service);
        await passOverIds(tx, service);
        // Log-ins that were ended since would go on, and nobody would know which.
        if (service === "identity") await endSessionsOfUsers(tx);
        if (service === "task") await disownAgents(tx, at);
        await recordOperatorWord(tx, operator, "hub.restored", {
          backup_of: manifest.made_at,
          made_by_version: manifest.sextant,
        });
      });
    } finally {
      await db.end({ timeout: 2 });
    }
  }
}

async function requireMigrations(tx: Tx, expected: string[], service: string): Promise<void> {
  const rows = await tx<{ name: string }[]>`select name from migration order by number`;
  if (JSON.stringify(rows.map(({ name }) => name)) === JSON.stringify(expected)) return;
  throw new Error(
    `Cannot use the backup: the database of ${service} was changed while it was made`,
  );
}

async function passOverIds(tx: Tx, service: HubService): Promise<void> {
  await tx`
    select setval(format('%I.%I', schemaname, sequencename)::regclass, last +
      least(greatest(last, ${FEWEST_PASSED_OVER[service]}), (max_value - last) / 2))
    from pg_sequences, coalesce(last_value, 0) as last where schemaname = ${service}`;
}
