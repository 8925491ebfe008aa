/**
 * The chain over a service's audit record that makes tampering evident.
 *
 * Every minute the records that have come since are put under a seal: its digest covers theirs and
 * the seal before; and they become leaves of the record's Merkle tree (`audit_tree.ts`). Who can
 * write the database can write records and chain anew, but not what others have noted: every node
 * keeps the newest seals in its own audit log and follows the chain from there
 * (`services/node/record/hub_witness.ts`). For that it needs only the seals, which say nothing of
 * what the records say.
 * @module
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { type Db, type Tx, uniqueViolation } from "./db.ts";
import type { Seal } from "../contract/audit.ts";
import { messageOf } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";
import { recordLines } from "./audit_lines.ts";
import { newestHead, openTree } from "./audit_tree.ts";

const SEAL_EVERY_MS = 60_000;
/** Writers of the record are kept waiting no longer than this. */
const LOCK_TIMEOUT_MS = 1000;
/** Seals read at once. */
const BATCH = 1000;
/** What the first seal has in place of one before it. */
export const NO_SEAL = "0".repeat(64);

/** The digest that a seal must have which follows the one with the digest `previous`. */
export function sealDigest(previous: string, seal: Omit<Seal, "sha256">): string {
  const { number, last_id, records, records_sha256, sealed_at } = seal;
  const text = JSON.stringify([previous, number, last_id, records, records_sha256, sealed_at]);
  return createHash("sha256").update(text).digest("hex");
}

/**
 * However little happens, a seal comes this often, of no records if need be: whoever watches can
 * tell a record in which nothing happens from one that is held back.
 */
export const SEAL_AT_LEAST_EVERY_MS = 6 * 3_600_000;

/**
 * Puts the records since the last seal under a new one; `undefined` when there are none, and the
 * last seal is not older than {@linkcode SEAL_AT_LEAST_EVERY_MS}.
 */
export async function sealAudit(db: Db, now: Date): Promise<Seal | undefined> {
  const [newest] = await db<{ id: number | null }[]>`select max(id)::float8 as id from audit`;
  const [last] = await seals(db, { newest: 1 });
  const isDue = last !== undefined &&
    now.getTime() - Date.parse(last.sealed_at) >= SEAL_AT_LEAST_EVERY_MS;
  if ((newest!.id ?? 0) <= (last?.last_id ?? 0) && !isDue) return undefined;
  const horizon = await db.begin(async (tx) => {
    await tx`select set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, true)`;
    // Whoever had taken a number below this has committed or given it back.
    await tx`lock table audit in share mode`;
    const [row] = await tx<{ id: number | null }[]>`select max(id)::float8 as id from audit`;
    return Math.max(row!.id ?? 0, last?.last_id ?? 0);
  });
  return await db.begin(async (tx) => {
    // One replica at a time, and none seals what another has just sealed.
    await tx`select pg_advisory_xact_lock(hashtext('sextant.seal.' || current_schema()))`;
    const [newest] = await seals(tx, { newest: 1 });
    if ((newest?.number ?? 0) !== (last?.number ?? 0)) return undefined;
    const seal = {
      number: (last?.number ?? 0) + 1,
      last_id: horizon,
      ...await growTree(tx, last?.last_id ?? 0, horizon),
      sealed_at: now.toISOString(),
    };
    const { head, ...plain } = seal;
    const whole = { ...plain, sha256: sealDigest(last?.sha256 ?? NO_SEAL, plain) };
    await tx`insert into audit_seal ${tx(whole)}`;
    await tx`insert into audit_tree_head ${tx({ seal: whole.number, ...head })}`;
    return whole;
  }).catch((error) => {
    // A replica of the version before, which takes no lock, was faster.
    if (uniqueViolation(error) !== undefined) return undefined;
    throw error;
  });
}

/**
 * Adds to the tree what it does not cover up to the record `till`, and digests those of it after
 * `after`. That is the same, but for the first time and while replicas of the version before seal.
 */
async function growTree(tx: Tx, after: number, till: number) {
  const before = await newestHead(tx);
  const tree = await openTree(tx, before?.size ?? 0);
  const hash = createHash("sha256");
  let records = 0;
  for await (const rows of recordLines(tx, before?.last_id ?? 0, till)) {
    for (const { id, line } of rows) {
      if (id <= after) continue;
      hash.update(`${line}\n`);
      records++;
    }
    await tree.append(rows.map(({ line }) => line));
  }
  const root = Buffer.from(tree.root()).toString("base64");
  return { records, records_sha256: hash.digest("hex"), head: { size: tree.size, root } };
}

/**
 * The records with ids above `after` and up to `till`: how many, and one digest of all they say.
 */
async function digestRecords(
  tx: Tx,
  after: number,
  till: number,
): Promise<{ records: number; records_sha256: string }> {
  const hash = createHash("sha256");
  let records = 0;
  for await (const rows of recordLines(tx, after, till)) {
    for (const { line } of rows) hash.update(`${line}\n`);
    records += rows.length;
  }
  return { records, records_sha256: hash.digest("hex") };
}

export const sealsQuestion = z.union([
  z.object({ after: z.number().int().min(0), limit: z.number().int().min(1).max(1000) }),
  z.object({ newest: z.number().int().min(1).max(1000) }),
]);
export type SealsQuestion = z.infer<typeof sealsQuestion>;

/** Seals in their order: those after a number, or the newest. */
export async function seals(tx: Tx, question: SealsQuestion): Promise<Seal[]> {
  const columns = tx`number::float8 as number, last_id::float8 as last_id, records, records_sha256,
    sealed_at, sha256`;
  if ("after" in question) {
    return [
      ...await tx<Seal[]>`
        select ${columns} from audit_seal where number > ${question.after}
        order by audit_seal.number limit ${question.limit}`,
    ];
  }
  const rows = await tx<Seal[]>`
    select ${columns} from audit_seal order by audit_seal.number desc limit ${question.newest}`;
  return [...rows].reverse();
}

export const sealCheck = z.object({
  seals: z.number().int(),
  /** Records under a seal, and those too new for one. */
  records: z.number().int(),
  unsealed: z.number().int(),
  /** The newest seal's. */
  sha256: z.string().nullable(),
  /** The first thing that is wrong; null when nothing is. */
  problem: z.string().nullable(),
});
export type SealCheck = z.infer<typeof sealCheck>;

/**
 * Computes the whole chain anew from the records, and compares. Takes about a second for 100,000
 * records.
 */
export async function checkSeals(db: Db): Promise<SealCheck> {
  return await db.begin("isolation level repeatable read read only", async (tx) => {
    let last = { number: 0, last_id: 0, sha256: NO_SEAL };
    let records = 0;
    let problem: string | null = null;
    for (let more = true; more && problem === null;) {
      const some = await seals(tx, { after: last.number, limit: BATCH });
      for (const seal of some) {
        const found = await digestRecords(tx, last.last_id, seal.last_id);
        problem = seal.number !== last.number + 1
          ? `Seal ${last.number + 1} is missing.`
          : seal.sha256 !== sealDigest(last.sha256, seal)
          ? `Seal ${seal.number} was changed, or does not follow seal ${last.number}.`
          : found.records !== seal.records
          ? `Seal ${seal.number} of ${seal.sealed_at} covers ${seal.records} records up to number ` +
            `${seal.last_id}; ${found.records} are there.`
          : found.records_sha256 !== seal.records_sha256
          ? `A record between number ${
            last.last_id + 1
          } and ${seal.last_id}, which were sealed at ` +
            `${seal.sealed_at}, was changed.`
          : null;
        if (problem !== null) break;
        records += seal.records;
        last = seal;
      }
      more = some.length === BATCH;
    }
    const [row] = await tx<{ count: number }[]>`
      select count(*)::float8 as count from audit where id > ${last.last_id}`;
    return {
      seals: last.number,
      records,
      unsealed: row!.count,
      sha256: last.number === 0 ? null : last.sha256,
      problem,
    };
  });
}

/** Seals now and every minute until stopped. Every replica may do so. */
export function keepSealing(
  { db, log, now = () => new Date(), everyMs = SEAL_EVERY_MS }: {
    db: Db;
    log: Logger;
    now?: () => Date;
    everyMs?: number;
  },
): { stop(): Promise<void> } {
  async function seal() {
    await sealAudit(db, now()).catch((error) =>
      log.warn("Cannot seal the audit record now; will try again", { reason: messageOf(error) })
    );
  }
  let sealing = seal();
  const timer = setInterval(() => sealing = sealing.then(seal), everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await sealing;
    },
  };
}
