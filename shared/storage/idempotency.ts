/**
 * Creates that may be repeated: a request with the header `Idempotency-Key` does its work once, and
 * every repetition within a day gets the same answer.
 *
 * A route that makes a new thing takes two steps: `idempotent(db)` on the line that declares it,
 * and {@linkcode once} in place of `outbox.change`. The table comes with `migrate`; its service
 * calls {@linkcode forgetOldKeys} now and then. Uploads of payloads have no part in it: what nobody
 * uses of them is removed after a day.
 *
 * A row of the table is the guard: it is written in the transaction of the work, so a repetition
 * that runs at the same time, on any replica, waits for the first and then reads its answer. A
 * request that is refused leaves no row.
 *
 * Answers hold secrets (the API key of a new node) and so do bodies (the password of a new user),
 * so nothing in a row can be read without the key that the client sent, which is not in it. From
 * that key and the caller come, by HKDF: the name under which the row is found, the key of the MAC
 * that recognizes the same request, and the key that encrypts the answer. Whoever reads the table
 * would have to guess the client's key first; clients are told to take a random one.
 * @module
 */
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import type { Db, Tx } from "./db.ts";
import { SextantError } from "../service/errors.ts";
import type { AppEnv } from "../contract/app.ts";
import { declareFacts } from "../contract/route_facts.ts";
import type { Change, Outbox } from "./outbox.ts";
import type { Principal } from "../contract/permissions.ts";

export const IDEMPOTENCY_HEADER = "idempotency-key";
/** For how long a key is remembered. */
const KEPT_HOURS = 24;
const KEY = /^[\x21-\x7e]{1,255}$/;

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Names one caller: two of them may use the same key for different things. */
export function callerOf(principal: Principal): string {
  const { kind, id } = principal;
  return kind === "container" ? `${kind}:${id}:${principal.task_id}` : `${kind}:${id}`;
}

/** What is remembered of one request with a key, and what opens it. */
interface Memo {
  caller: string;
  /** Stands for the client's key in the table. */
  keyDigest: Uint8Array;
  /** The same for the same request only. */
  requestMac: Uint8Array;
  answerKey: Uint8Array;
}

const memos = new WeakMap<Context, Memo>();

/**
 * Answers a repetition, before anything else is looked at: what the request was checked against may
 * have changed since. Belongs behind `allow` and `body`; the handler must create with
 * {@linkcode once}.
 */
export function idempotent(db: Db): MiddlewareHandler<AppEnv> {
  const handler: MiddlewareHandler<AppEnv> = async function answerRepetition(c, next) {
    const memo = memoOf(c);
    if (!memo) return await next();
    const known = await recall(db, memo);
    if (known) return known;
    memos.set(c, memo);
    await next();
    if (c.res.status < 400) return;
    // Perhaps it was refused for what the same request, under way at the same time, has just made.
    const twin = await recall(db, memo);
    if (!twin) return;
    c.res = undefined;
    c.res = twin;
  };
  return declareFacts(handler, { idempotent: true });
}

/**
 * Runs `create` as `outbox.change` does, unless this caller has had this done under the request's
 * key: then it resolves with the answer of that time. Another request under the same key is 409.
 */
export async function once(
  c: Context<AppEnv>,
  outbox: Outbox,
  create: (change: Change) => Promise<Response>,
): Promise<Response> {
  const memo = memos.get(c);
  if (!memo) return await outbox.change(create);
  return await outbox.change(async (change) => {
    if (!await claim(change.tx, memo)) return (await recall(change.tx, memo))!;
    const answer = await create(change);
    await keep(change.tx, memo, answer);
    return answer;
  });
}

function memoOf(c: Context<AppEnv>): Memo | undefined {
  const key = c.req.header(IDEMPOTENCY_HEADER);
  if (key === undefined) return undefined;
  if (!KEY.test(key)) {
    throw new SextantError(
      "invalid_request",
      "Idempotency-Key must be 1 to 255 printable ASCII characters without blanks.",
    );
  }
  const caller = callerOf(c.get("principal"));
  const derived = new Uint8Array(hkdfSync("sha256", key, caller, "sextant idempotency", 96));
  const request = JSON.stringify([c.req.method, c.req.path, c.req.valid("json" as never)]);
  return {
    caller,
    keyDigest: derived.subarray(0, 32),
    requestMac: createHmac("sha256", derived.subarray(32, 64)).update(request).digest(),
    answerKey: derived.subarray(64),
  };
}

/**
 * Makes the row of this request; false when there is one. Waits for another transaction that is
 * making it: its end decides which of the two does the work. Holds the row until the end of this
 * one.
 */
async function claim(tx: Tx, { caller, keyDigest, requestMac }: Memo): Promise<boolean> {
  const claimed = await tx`
    insert into idempotency (caller, key_digest, request_mac)
    values (${caller}, ${keyDigest}, ${requestMac})
    on conflict on constraint idempotency_once do update
      set request_mac = excluded.request_mac, answer = null, created_at = now()
      where idempotency.created_at < now() - make_interval(hours => ${KEPT_HOURS})
    returning caller`;
  return claimed.length > 0;
}

async function keep(tx: Tx, memo: Memo, answer: Response): Promise<void> {
  const content = JSON.stringify({ status: answer.status, text: await answer.clone().text() });
  await tx`
    update idempotency set answer = ${encrypt(memo.answerKey, content)}
    where caller = ${memo.caller} and key_digest = ${memo.keyDigest}`;
}

async function recall(tx: Tx, memo: Memo): Promise<Response | undefined> {
  const [row] = await tx<{ request_mac: Uint8Array; answer: Uint8Array }[]>`
    select request_mac, answer from idempotency
    where caller = ${memo.caller} and key_digest = ${memo.keyDigest}
      and created_at >= now() - make_interval(hours => ${KEPT_HOURS})`;
  if (!row) return undefined;
  if (Buffer.compare(row.request_mac, memo.requestMac) !== 0) {
    throw new SextantError(
      "idempotency_conflict",
      "This Idempotency-Key was used for a different request; use a new key.",
    );
  }
  const { status, text } = JSON.parse(decrypt(memo.answerKey, row.answer));
  return new Response(text, { status, headers: { "content-type": "application/json" } });
}

function encrypt(key: Uint8Array, text: string): Uint8Array {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv);
  const content = [cipher.update(text, "utf8"), cipher.final()];
  return Buffer.concat([iv, ...content, cipher.getAuthTag()]);
}

function decrypt(key: Uint8Array, sealed: Uint8Array): string {
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, IV_BYTES));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const content = decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES));
  return Buffer.concat([content, decipher.final()]).toString("utf8");
}

/** Forgets keys that are older than a day; returns how many. */
export async function forgetOldKeys(db: Db): Promise<number> {
  const gone = await db`
    delete from idempotency where created_at < now() - make_interval(hours => ${KEPT_HOURS})`;
  return gone.count;
}
