/**
 * Creates that may be repeated: a request with the header `Idempotency-Key` does its work once, and every
 * repetition within a day gets the same answer.
 *
 * A row in the service's `idempotency` table is the guard: it is written in the transaction of the work, so a
 * repetition that runs at the same time, on any replica, waits for the first and then reads its answer.
 * @module
 */
import type { Context } from "hono";
import type { TransactionSql } from "postgres";
import type { Db, Tx } from "./db.ts";
import { sha256Hex } from "./digest.ts";
import { SextantError } from "./errors.ts";
import type { AppEnv } from "./http.ts";
import type { Principal } from "./policy.ts";

export const IDEMPOTENCY_HEADER = "idempotency-key";
/** For how long a key is remembered. */
const KEPT_HOURS = 24;
const KEY = /^[\x21-\x7e]{1,255}$/;

/** Names one caller: two of them may use the same key for different things. */
export function callerOf(principal: Principal): string {
  const { kind, id } = principal;
  return kind === "container" ? `${kind}:${id}:${principal.task_id}` : `${kind}:${id}`;
}

function digestOf(c: Context<AppEnv>, request: unknown): Promise<string> {
  return sha256Hex(JSON.stringify([c.req.method, c.req.path, request]));
}

/**
 * The answer this caller got for the same request under the same key, if there is one: asked before anything
 * else, since what the request was checked against may have changed since.
 */
export async function recall<Answer>(
  c: Context<AppEnv>,
  db: Db,
  request: unknown,
): Promise<Answer | undefined> {
  const key = c.req.header(IDEMPOTENCY_HEADER);
  if (key === undefined) return undefined;
  return await read<Answer>(db, callerOf(c.get("principal")), key, await digestOf(c, request));
}

/**
 * Runs `create` in the transaction `tx`, unless this caller has had this done under the request's key: then the
 * answer of that time. `request` is the validated body; another one under the same key is 409.
 * Without the header, `create` simply runs.
 */
export async function once<Answer extends object>(
  c: Context<AppEnv>,
  tx: TransactionSql,
  request: unknown,
  create: () => Promise<Answer>,
): Promise<Answer> {
  const key = c.req.header(IDEMPOTENCY_HEADER);
  if (key === undefined) return await create();
  if (!KEY.test(key)) {
    throw new SextantError(
      "invalid_request",
      "Idempotency-Key must be 1 to 255 printable ASCII characters without blanks.",
    );
  }
  const caller = callerOf(c.get("principal"));
  const digest = await digestOf(c, request);
  await tx`
    delete from idempotency where caller = ${caller} and key = ${key}
    and created_at < now() - make_interval(hours => ${KEPT_HOURS})`;
  // Waits for another transaction that holds the key; its end decides which of the two does the work.
  const claimed = await tx`
    insert into idempotency (caller, key, request_sha256, answer)
    values (${caller}, ${key}, ${digest}, '')
    on conflict on constraint idempotency_once do nothing returning key`;
  if (claimed.length === 0) return (await read<Answer>(tx, caller, key, digest))!;
  const answer = await create();
  await tx`
    update idempotency set answer = ${JSON.stringify(answer)}
    where caller = ${caller} and key = ${key}`;
  return answer;
}

async function read<Answer>(
  tx: Tx,
  caller: string,
  key: string,
  digest: string,
): Promise<Answer | undefined> {
  const [row] = await tx<{ request_sha256: string; answer: string }[]>`
    select request_sha256, answer from idempotency
    where caller = ${caller} and key = ${key}
      and created_at >= now() - make_interval(hours => ${KEPT_HOURS})`;
  if (!row) return undefined;
  if (row.request_sha256 !== digest) {
    throw new SextantError(
      "idempotency_conflict",
      "This Idempotency-Key was used for a different request; use a new key.",
    );
  }
  return JSON.parse(row.answer);
}

/** Forgets keys that are older than a day; returns how many. */
export async function forgetOldKeys(db: Db): Promise<number> {
  const gone = await db`
    delete from idempotency where created_at < now() - make_interval(hours => ${KEPT_HOURS})`;
  return gone.count;
}
