/**
 * Whether a new version can be rolled in: its first replica changes the tables while those of the
 * version before go on with them. So its migrations may only add to them ("expand"); what nobody
 * uses any more goes with a later version ("contract"), which is started after all of the one
 * before were stopped.
 * @module
 */
import { pathToFileURL } from "node:url";
import { HUB_SERVICES } from "../../shared/broker/subjects.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { openDatabase, pendingMigrations } from "../../shared/storage/db.ts";

/** Statements after which what worked before may fail, or mean another thing. */
const CONTRACTS: readonly RegExp[] = [
  /\bdrop\s+(table|column|view|schema|sequence|type|function|default)\b/i,
  /\brename\b/i,
  /\bset\s+not\s+null\b/i,
  /\balter\s+(column\s+)?[\w"]+\s+(set\s+data\s+)?type\b/i,
  /\b(truncate|delete\s+from)\b/i,
  // A column that the replicas of before do not fill.
  /\badd\s+(column\s+)?(if\s+not\s+exists\s+)?[\w"]+\s+[^,;]*\bnot\s+null\b(?![^,;]*\bdefault\b)(?<!\bdefault\b[^,;]*)/i,
  // Rows that they may write.
  /\badd\s+(constraint|check|unique|primary\s+key|foreign\s+key)\b/i,
  /\bcreate\s+unique\s+index\b/i,
  /\bcreate\s+(or\s+replace\s+)?(function|trigger)\b/i,
];

/** The statement of a migration that takes something away; `undefined` when all only add. */
export function contracting(sql: string): string | undefined {
  const text = sql.replace(/--.*$/gm, "");
  // What a new table holds is no business of the version before.
  const statements = text.split(";").filter((one) => !/^\s*create\s+table\b/i.test(one));
  return statements.find((one) => CONTRACTS.some((words) => words.test(one)))?.trim()
    .replace(/\s+/g, " ");
}

/**
 * Throws, with what to do, when a migration of a checkout that this database has not seen yet
 * cannot be applied while replicas of the version before work.
 */
export async function requireRollable(adminUrl: string, checkout: string): Promise<void> {
  for (const service of HUB_SERVICES) {
    const db = openDatabase(adminUrl, { schema: service, log: silentLogger, max: 1 });
    try {
      const shared = pathToFileURL(`${checkout}shared/storage/schema/`);
      const own = pathToFileURL(`${checkout}services/${service}/schema/`);
      for (const { name, file } of await pendingMigrations(db, [shared, own])) {
        const statement = contracting(await Deno.readTextFile(file));
        if (statement === undefined) continue;
        throw new Error(
          `Cannot replace one replica after the other: ${name} of ${service} changes what those of ` +
            `the version before need (${
              statement.slice(0, 80)
            }). Stop the hub, and start it again.`,
        );
      }
    } finally {
      await db.end({ timeout: 2 });
    }
  }
}
