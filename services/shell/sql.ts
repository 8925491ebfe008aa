/**
 * `sql.identity` and its sisters: any query of one service's database. Secrets are blotted out of
 * what comes back, whatever they are called in the query.
 * @module
 */
import type { Db } from "../../shared/storage/db.ts";
import { HUB_SERVICES, type HubService } from "../../shared/broker/subjects.ts";
import { ShellError } from "./errors.ts";
import { render } from "./show/render.ts";
import { terminalWidth } from "../../shared/command_line/table.ts";

/** Columns that nobody is shown, by table. */
const SECRETS: Record<HubService, Record<string, string[]>> = {
  identity: {
    user: ["password_hash", "otp_secret"],
    signing_key: ["private_jwk"],
    reset_token: ["sha256"],
  },
  collaboration: { node: ["api_key_sha256"] },
  task: {},
};
const HIDDEN = "[hidden]";
/** Hashes of passwords inside of other texts, such as a whole row as one value. */
const HASH = /\$(?:argon2[a-z]*|2[abxy])\$[^\s)"'}]+/g;

/** The rows of a query; a table at the prompt. */
export class SqlRows extends Array<Record<string, unknown>> {
  /** What a statement without rows did, such as `UPDATE 3`. */
  declare readonly summary?: string;

  [Symbol.for("Deno.customInspect")](): string {
    return render(this, terminalWidth());
  }
}

export type Query = (strings: TemplateStringsArray, ...values: unknown[]) => Promise<SqlRows>;

export function createSql(databases: Record<HubService, Db>): Record<HubService, Query> {
  return Object.assign(
    () => {
      throw new ShellError(
        "Say which database: await sql.identity`…`, sql.collaboration or sql.task",
      );
    },
    Object.fromEntries(
      HUB_SERVICES.map((service) => [service, createQuery(service, databases[service])]),
    ) as Record<HubService, Query>,
  );
}

function createQuery(service: HubService, db: Db): Query {
  let secrets: Promise<Set<string>> | undefined;
  return async function query(strings, ...values) {
    if (!Array.isArray(strings) || !("raw" in strings)) {
      throw new ShellError(`Write the query in backquotes: await sql.${service}\`select …\``);
    }
    // deno-lint-ignore no-explicit-any -- the driver takes whatever it can turn into a parameter
    const answer = await db(strings, ...values as any[]);
    secrets ??= secretColumns(service, db);
    const known = await secrets;
    const { columns } = answer;
    const hidden = new Set(
      columns.filter((one) => known.has(`${one.table}.${one.number}`)).map((one) => one.name),
    );
    const rows = new SqlRows();
    if (columns.length === 0 && answer.command) {
      const summary = `${answer.command} ${answer.count || ""}`.trim();
      Object.defineProperty(rows, "summary", { value: summary });
    }
    for (const row of answer) {
      rows.push(Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          hidden.has(name) && value !== null ? HIDDEN : blotted(value),
        ]),
      ));
    }
    return rows;
  };
}

function blotted(value: unknown): unknown {
  if (typeof value === "string") return value.replace(HASH, HIDDEN);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  const text = JSON.stringify(value);
  const clean = text?.replace(HASH, HIDDEN);
  return clean === text ? value : JSON.parse(clean);
}

async function secretColumns(service: HubService, db: Db): Promise<Set<string>> {
  const found = new Set<string>();
  for (const [table, columns] of Object.entries(SECRETS[service])) {
    const rows = await db<{ place: string }[]>`
      select attrelid || '.' || attnum as place from pg_attribute
      join pg_class on pg_class.oid = attrelid
      where relname = ${table} and relnamespace = current_schema()::regnamespace
        and attname = any(${columns})`;
    for (const { place } of rows) found.add(place);
  }
  return found;
}
