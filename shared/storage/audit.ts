/**
 * The record of every change and of every refused attempt: who, what, on which object, outcome,
 * when, in which request. Never a value that somebody sent: no password, token or key can end up
 * here.
 *
 * The table comes with `migrate`. A service needs two lines, and then nothing in its routes:
 * - `app.use(auditRequests(deps.db))` as the first middleware of its app: it knows the request
 *   under way, and records it when it is refused;
 * - `audit: (input) => auditEntries(db, input)` among its answers, for `GET /api/audit`.
 *
 * What is changed inside a request by `outbox.change` is recorded by the outbox itself, one record
 * for each event, in the transaction of the change. Something worth a record that has no event:
 * {@linkcode recordDone}. When the object of a request is not in its address:
 * {@linkcode auditObject}.
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { MiddlewareHandler } from "hono";
import { z } from "zod";
import { all, type Db, type Fragment, type JsonValue, type Tx } from "./db.ts";
import { SextantError } from "../service/errors.ts";
import type { AppEnv } from "../contract/app.ts";
import { createBeginnings } from "./audit_beginnings.ts";
import { type AuditEntry, auditEntry } from "../contract/audit.ts";
import { principalSchema } from "../contract/permissions.ts";

export interface AuditObject {
  /** `organization`, `user`, … */
  noun: string;
  id: number | null;
}

interface Scope {
  requestId: string;
  method: string;
  path: string;
  /** As it came with the request; parsed only when there is something to record. */
  principal: unknown;
  operator?: Operator;
  object: AuditObject | undefined;
}

/**
 * Somebody who works on the machine itself, outside of the API: an account of the operating system.
 */
export interface Operator {
  name: string;
  uid: number;
  host: string;
}

const scopes = new AsyncLocalStorage<Scope>();

/**
 * Names the object of the request under way when its address does not, such as the user of a
 * log-in.
 */
export function auditObject(noun: string, id: number): void {
  const scope = scopes.getStore();
  if (scope) scope.object = { noun, id };
}

/** Statuses that refuse, whatever was asked. */
const REFUSALS = new Set([401, 403, 422, 429]);

/**
 * Records the request when it is refused; reading what does not exist is no attempt, changing it
 * is. A flood of them is recorded by its beginning; what is changed is always recorded.
 */
export function auditRequests(db: Db): MiddlewareHandler<AppEnv> {
  const beginnings = createBeginnings();
  return async function auditRequest(c, next) {
    const { method, path } = c.req;
    const scope: Scope = {
      requestId: c.get("requestId"),
      method: cleanMethod(method),
      path: cleanPath(path),
      principal: c.env?.principal,
      object: undefined,
    };
    await scopes.run(scope, next);
    const { status } = c.res;
    const refused = REFUSALS.has(status) || (method !== "GET" && status >= 400 && status < 500);
    if (!refused) return;
    const who = principalSchema.safeParse(scope.principal).data;
    const { recorded, unrecorded } = beginnings.look(who, scope.path);
    if (!recorded) return;
    const code = c.error instanceof SextantError ? c.error.code : null;
    await insertion(db, scope, [{
      what: `${scope.method} ${scope.path}`,
      object: scope.object ?? objectInPath(path),
      outcome: "refused",
      status,
      code,
      data: unrecorded > 0 ? { unrecorded } : null,
    }]);
  };
}

/**
 * Short, so that a thousand records fit into one message whatever was sent, and without what a text
 * column or a reader's terminal would choke on. Addresses and methods that mean something here are
 * ASCII.
 */
function clean(text: string, most: number): string {
  return text.slice(0, most).replace(/[^ -~]/g, "?");
}
const cleanPath = (path: string) => clean(path, 200);
const cleanMethod = (method: string) => clean(method, 16);

function objectInPath(path: string): AuditObject | null {
  const match = /^\/api\/([a-z]{1,30})(?:\/(\d{1,9})(?=\/|$))?/.exec(path);
  return match ? { noun: match[1]!, id: match[2] ? Number(match[2]) : null } : null;
}

/** Records something done in the request under way; nothing when there is none. */
export async function recordDone(
  tx: Tx,
  what: string,
  object: AuditObject,
  data: JsonValue = null,
): Promise<void> {
  const scope = scopes.getStore();
  if (scope) await insertion(tx, scope, [{ what, object, ...DONE, data }]);
}

/** Records something that an operator said in the shell, or did by a command. */
export async function recordOperatorWord(
  tx: Tx,
  operator: Operator,
  what: string,
  data: JsonValue = null,
): Promise<void> {
  await scopes.run(
    scopeOf(operator),
    () => recordDone(tx, what, { noun: what.split(".")[0]!, id: null }, data),
  );
}

/**
 * Records changes by the events that tell of them. The outbox calls this in the transaction of the
 * change, which fails when this does.
 */
export function recordChanges(
  tx: Tx,
  events: { name: string; data: Record<string, unknown> }[],
): void {
  const scope = scopes.getStore();
  if (!scope || events.length === 0) return;
  const happenings = events.map(({ name, data }) => {
    const noun = name.split(".")[0]!;
    const id = data[`${noun}_id`];
    const object = { noun, id: typeof id === "number" ? id : null };
    return { what: name, object, ...DONE, data: data as JsonValue };
  });
  tx.soon(insertion(tx, scope, happenings));
}

/** Records changes that an operator made in the shell. Call it in the transaction of the change. */
export function recordOperatorChanges(
  tx: Tx,
  operator: Operator,
  events: { name: string; data: Record<string, unknown> }[],
): void {
  scopes.run(scopeOf(operator), recordChanges, tx, events);
}

function scopeOf(operator: Operator): Scope {
  return {
    requestId: crypto.randomUUID(),
    method: "shell",
    path: `${operator.name}@${operator.host}`.slice(0, 200),
    principal: undefined,
    operator,
    object: undefined,
  };
}

const DONE = { outcome: "done", status: null, code: null } as const;

interface Happening {
  what: string;
  object: AuditObject | null;
  outcome: "done" | "refused";
  status: number | null;
  code: string | null;
  data: JsonValue;
}

/**
 * Writes what has happened in a request, however much it is, by one statement; each record gets a
 * time and a number of its own.
 */
function insertion(tx: Tx, scope: Scope, happenings: Happening[]) {
  const { operator } = scope;
  const principal = principalSchema.safeParse(scope.principal).data;
  const records = happenings.map(({ object, ...plain }) => ({
    ...plain,
    object: object?.noun ?? null,
    object_id: object?.id ?? null,
  }));
  const who = {
    kind: operator ? "operator" : principal?.kind ?? null,
    id: operator?.uid ?? principal?.id ?? null,
    // No organization has the number 0: an operator belongs to none.
    organization_id: operator ? 0 : principal?.organization_id ?? null,
  };
  return tx`
    insert into audit (request_id, method, path, who_kind, who_id, who_organization_id,
      what, object, object_id, outcome, status, code, data)
    select ${scope.requestId}::text, ${scope.method}::text, ${scope.path}::text, ${who.kind}::text,
      ${who.id}::integer, ${who.organization_id}::integer,
      what, object, object_id, outcome, status, code, data
    from jsonb_to_recordset(${tx.json(records)}) as record(what text, object text,
      object_id integer, outcome text, status integer, code text, data jsonb)`;
}

/** A request that the gateway refused before any service saw it. */
export const refusalSchema = z.object({
  request_id: z.string(),
  method: z.string(),
  path: z.string(),
  status: z.number().int(),
  code: z.string(),
  /** Where it came from. */
  address: z.string(),
});
export type Refusal = z.infer<typeof refusalSchema>;

/** Records what the gateway refused; identity does, since the gateway has no database. */
export async function recordRefusal(db: Db, refusal: Refusal): Promise<void> {
  const { request_id, status, code } = refusal;
  const method = cleanMethod(refusal.method);
  const path = cleanPath(refusal.path);
  const address = clean(refusal.address, 64);
  await insertion(
    db,
    { requestId: request_id, method, path, principal: undefined, object: undefined },
    [{
      what: `${method} ${path}`,
      object: objectInPath(path),
      outcome: "refused",
      status,
      code,
      data: { address },
    }],
  );
}

// -- reading --------------------------------------------------------------------------------------

const idNumber = z.number().int();

/** Which records are wanted; those that match everything given, the newest first. */
export const auditQuestion = z.object({
  who_kind: z.string().optional(),
  who_id: idNumber.optional(),
  organization_id: idNumber.optional(),
  what: z.string().optional(),
  object: z.string().optional(),
  object_id: idNumber.optional(),
  outcome: z.string().optional(),
  request_id: z.string().optional(),
  /** ISO; both ends belong to it. */
  from: z.string().optional(),
  till: z.string().optional(),
  limit: idNumber.max(1000),
});
export type AuditQuestion = z.infer<typeof auditQuestion>;

export const auditAnswer = z.object({ total: idNumber, entries: z.array(auditEntry) });
export type AuditAnswer = z.infer<typeof auditAnswer>;

/** No further are records counted: there may be many millions, and nobody pages through them. */
const MOST_COUNTED = 10_000;

/**
 * The newest records of this service that match, and how many match: `MOST_COUNTED` when there are
 * as many or more.
 */
export async function auditEntries(db: Db, question: AuditQuestion): Promise<AuditAnswer> {
  const where: Fragment[] = [];
  const equal = {
    who_kind: question.who_kind,
    who_id: question.who_id,
    who_organization_id: question.organization_id,
    what: question.what,
    object: question.object,
    object_id: question.object_id,
    outcome: question.outcome,
    request_id: question.request_id,
  };
  for (const [column, value] of Object.entries(equal)) {
    if (value !== undefined) where.push(db`${db(column)} = ${value}`);
  }
  if (question.from !== undefined) where.push(db`at >= ${question.from}::timestamptz`);
  if (question.till !== undefined) where.push(db`at <= ${question.till}::timestamptz`);
  const condition = all(db, where);
  const entries = await db<AuditEntry[]>`
    select id::integer, request_id, what, outcome, status, code, method, path, data,
      to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at,
      case when who_kind is not null then json_build_object(
        'kind', who_kind, 'id', who_id, 'organization_id', who_organization_id) end as who,
      case when object is not null then json_build_object(
        'noun', object, 'id', object_id) end as object
    from audit where ${condition} order by audit.at desc, audit.id desc limit ${question.limit}`;
  const [row] = await db<{ count: string }[]>`
    select count(*) from (
      select from audit where ${condition} order by at desc limit ${MOST_COUNTED}) as matching`;
  return { total: Number(row!.count), entries: [...entries] };
}
