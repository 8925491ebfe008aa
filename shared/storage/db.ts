/**
 * PostgreSQL for one service: connection, numbered migrations, and the few error codes rules need
 * to know.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { createConnections } from "./connections.ts";
import { faultOf } from "./open_connection.ts";
import { serversOf } from "./primary.ts";
import { keptCount } from "./row_count.ts";
import type { Fragment } from "./sql.ts";
import { createDb, type Db, type Tx } from "./statements.ts";
import { whyNoDatabase } from "./why_no_database.ts";
import { ConfigError } from "../service/config.ts";
import { SextantError } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";

export type { Db, Tx } from "./statements.ts";
export type { JsonValue } from "./sql.ts";
/** A piece of SQL with its parameters, to be put into a larger statement. */
export type { Fragment } from "./sql.ts";

export interface OpenDatabaseOptions {
  /** The schema that this service owns; the connection's search path. */
  schema: string;
  log: Logger;
  /** Connections in the pool. */
  max?: number;
}

/**
 * So long may a statement take; its connection counts as lost then, as when a server is gone
 * without a word.
 */
const ANSWER_WITHIN_MS = 300_000;

/**
 * Opens a pool on `url`. A unix socket is named in the query:
 * `postgres://user:password@/database?host=/folder&port=5432`; several servers, of which one is the
 * primary, as lists: `?host=one,two&port=5432`. Connections are made lazily and again after a loss,
 * to whichever server is the primary then; a statement under way at that moment fails.
 */
export function openDatabase(url: string, { schema, log, max = 10 }: OpenDatabaseOptions): Db {
  const parsed = new URL(url.replace("@/", "@localhost/"));
  return createDb(createConnections({
    servers: serversOf(
      parsed.searchParams.get("host") ?? parsed.hostname,
      parsed.searchParams.get("port") ?? (parsed.port || "5432"),
    ),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    applicationName: `sextant-${schema}`,
    searchPath: schema,
    max,
    answerWithinMs: ANSWER_WITHIN_MS,
    onNotice: (notice) => log.debug("Postgres notice", { notice }),
  }));
}

/**
 * Waits until the database answers, telling the log every few seconds what it waits for. Throws a
 * `ConfigError` when this process may not reach it, which no waiting changes.
 */
export async function waitForDatabase(db: Db, log: Logger, signal?: AbortSignal): Promise<void> {
  for (let attempt = 0;; attempt++) {
    signal?.throwIfAborted();
    try {
      await db`select 1`;
      return;
    } catch (error) {
      const { hopeless, ...why } = whyNoDatabase(error);
      if (hopeless) throw new ConfigError([`Postgres: ${why.reason}; ${why.advice}`]);
      if (attempt % 10 === 0) log.warn("Waiting for Postgres", { ...why });
      await delay(500);
    }
  }
}

/** Whether the database answers within `timeoutMs`. */
export async function databaseAnswers(db: Db, timeoutMs = 2000): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  db`select 1`.then(() => resolve(true), () => resolve(false));
  return await promise.finally(() => clearTimeout(timer));
}

/** One page of a list: which rows, in which order, from where to where. */
export interface PageRequest {
  /** Conditions, all of which must hold. */
  where: Fragment[];
  /** Columns are put in as identifiers; check them against the list that the route allows. */
  order: { column: string; descending: boolean }[];
  /** Without a limit every row is returned. */
  window: { limit: number | undefined; offset: number };
  /** The table, when the number of all its rows is kept (see `row_count.ts`). */
  counted?: string;
  /** SQL of the number of rows that match, when there is something faster than counting them. */
  total?: Fragment | undefined;
}

/** Selects one page and counts all rows that match. */
export async function selectPage<Row extends object>(
  tx: Tx,
  columns: Fragment,
  from: Fragment,
  { where, order, window, counted, total }: PageRequest,
): Promise<{ rows: Row[]; total: number }> {
  const condition = all(tx, where);
  const keys = order.map(({ column, descending }) =>
    descending ? tx`${tx(column)} desc` : tx`${tx(column)}`
  );
  const sorted = keys.reduce((left, right) => tx`${left}, ${right}`);
  const page = window.limit === undefined
    ? tx``
    : tx`limit ${window.limit} offset ${window.offset}`;
  const rows = await tx<Row[]>`
    select ${columns} from ${from} where ${condition} order by ${sorted} ${page}`;
  if (window.limit === undefined) return { rows, total: rows.length };
  const known = window.offset + rows.length;
  // A page that is not full ends the list, and says how long it is.
  if (rows.length < window.limit && (rows.length > 0 || window.offset === 0)) {
    return { rows, total: known };
  }
  const kept = total ??
    (counted !== undefined && where.length === 0 ? keptCount(tx, counted, "all") : undefined);
  const [row] = kept
    ? await tx<{ count: string }[]>`select ${kept} as count`
    : await tx<{ count: string }[]>`select count(*) from ${from} where ${condition}`;
  return { rows, total: Number(row!.count) };
}

/** Joins conditions with `and`; none is `true`. */
export function all(tx: Tx, conditions: Fragment[]): Fragment {
  return conditions.reduce((left, right) => tx`${left} and ${right}`, tx`true`);
}

const MIGRATION = /^(\d{3})_[a-z0-9_]+\.sql$/;
/** Tables that every service has in its own schema. */
const COMMON = new URL("./schema/", import.meta.url);

interface Migration {
  number: number;
  name: string;
  file: URL;
}

/** The migrations of a service in the order in which they are applied, from their folder. */
export async function migrationNames(folder: URL): Promise<string[]> {
  return (await migrationsIn([COMMON, folder])).map(({ name }) => name);
}

/**
 * The migrations in some folders that a database which has seen others has not seen yet. The
 * schema is that of `db`.
 */
export async function pendingMigrations(
  db: Db,
  folders: URL[],
): Promise<{ name: string; file: URL }[]> {
  const seen = await db<{ number: number }[]>`select number from migration`;
  const numbers = new Set(seen.map(({ number }) => number));
  return (await migrationsIn(folders)).filter(({ number }) => !numbers.has(number));
}

/** The files `NNN_name.sql` of some folders, in the order of their numbers. */
async function migrationsIn(folders: URL[]): Promise<Migration[]> {
  const found: Migration[] = [];
  for (const folder of folders) {
    for await (const { name } of Deno.readDir(folder)) {
      const match = MIGRATION.exec(name);
      if (match) found.push({ number: Number(match[1]), name, file: new URL(name, folder) });
    }
  }
  found.sort((a, b) => a.number - b.number);
  const twice = found.find(({ number }, index) => number === found[index + 1]?.number);
  if (twice) throw new Error(`Two migrations have the number ${twice.number}: give one the next.`);
  return found;
}

/**
 * Applies the files `NNN_name.sql` of `folder`, and of the folder that all services share, that
 * this database has not seen, in order, each in its own transaction; to a number, when one is
 * given, as an earlier version would have. Replicas that start together wait for one another under
 * an advisory lock.
 */
export async function migrate(
  db: Db,
  folder: URL,
  log: Logger,
  { upTo = Infinity }: { upTo?: number } = {},
): Promise<void> {
  const files = (await migrationsIn([COMMON, folder])).filter(({ number }) => number <= upTo);
  for (const file of files) {
    const text = await Deno.readTextFile(file.file);
    await db.begin(async (tx) => {
      // One lock for the whole schema; held to the end of this transaction.
      await tx`select pg_advisory_xact_lock(hashtext('sextant.migrate.' || current_schema()))`;
      await tx`
        create table if not exists migration (
          number integer primary key, name text not null, applied_at timestamptz not null default now()
        )`;
      const [seen] = await tx`select name from migration where number = ${file.number}`;
      if (seen) return;
      await tx.unsafe(text);
      await tx`insert into migration (number, name) values (${file.number}, ${file.name})`;
      log.info("Migration applied", { migration: file.name });
    });
  }
}

/**
 * The name of the violated constraint when `error` is what Postgres says of a duplicate; else
 * `undefined`.
 */
export function uniqueViolation(error: unknown): string | undefined {
  const fault = faultOf(error);
  return fault?.code === "23505" ? fault.constraint ?? "" : undefined;
}

/** Codes with which the driver or the server says "no connection now", not "wrong statement". */
const CONNECTION_CODES =
  /^(CONNECTION_|ECONN|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|57P0|08)/;

/**
 * Turns a lost or refused database connection into the error a client should see; others pass
 * through.
 */
export function asUnavailable(error: unknown): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== "string" || !CONNECTION_CODES.test(code)) return error;
  return new SextantError("unavailable", "The database is not answering; try again in a moment.", {
    cause: error,
  });
}
