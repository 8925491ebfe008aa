/**
 * The database of one deployment: one role and one schema per service, each closed to the others.
 * @module
 */
import { openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { HUB_SERVICES } from "../../shared/broker/subjects.ts";
import { DATABASE, roleOf, type RolePasswords } from "./names.ts";

export interface SetUpDatabaseOptions {
  /** Address of a database for a role that may create roles and databases. */
  adminUrl: (database: string) => string;
  passwords: RolePasswords;
  database?: string;
}

/** Creates what is missing and sets the passwords; safe to do again. */
export async function setUpDatabase(
  { adminUrl, passwords, database = DATABASE }: SetUpDatabaseOptions,
): Promise<void> {
  await asAdmin(adminUrl("postgres"), async (run) => {
    for (const service of HUB_SERVICES) {
      const role = roleOf(service);
      const attributes = `login nosuperuser nocreatedb nocreaterole noinherit password ` +
        literal(passwords[service]);
      const [found] = await run(`select 1 from pg_roles where rolname = ${literal(role)}`);
      await run(`${found ? "alter" : "create"} role ${role} with ${attributes}`);
    }
    const [found] = await run(`select 1 from pg_database where datname = ${literal(database)}`);
    if (!found) await run(`create database ${name(database)}`);
  });
  await asAdmin(adminUrl(database), async (run) => {
    await run(`revoke all on database ${name(database)} from public`);
    await run(`revoke all on schema public from public`);
    for (const service of HUB_SERVICES) {
      const role = roleOf(service);
      await run(`grant connect on database ${name(database)} to ${role}`);
      await run(`create schema if not exists ${service} authorization ${role}`);
    }
  });
}

type Run = (statement: string) => Promise<unknown[]>;

async function asAdmin(url: string, body: (run: Run) => Promise<void>): Promise<void> {
  const db = openDatabase(url, { schema: "pg_catalog", log: silentLogger, max: 1 });
  try {
    await body(async (statement) => await db.unsafe(statement));
  } finally {
    await db.end();
  }
}

// Statements that define roles and databases take no parameters; both kinds of text are made by the
// set-up.
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function name(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
