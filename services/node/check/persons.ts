/**
 * Whether a database looks as if persons had several rows in it, where rows are counted as persons.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { NodeConfig } from "../config/config.ts";
import { type NodeDatabase, sourceOf } from "../data/databases.ts";
import { DataError } from "../data/error.ts";
import type { Tables } from "../data/tables.ts";
import type { ColumnDescription, DatabaseType, Description } from "../data/types.ts";

/** Types of files of which all is read. */
export const READ_WHOLE: readonly DatabaseType[] = ["csv", "parquet", "excel"];

/** Names that columns of persons have, and no others. */
const OF_PERSONS =
  /^(.*[^a-z])?(patient|person|subject|participant|respondent|pseudonym|pid|mrn|bsn|ssn)([^a-z].*|s?_?(id|nr|no|num|number|key|code))?$/i;
/** Names of keys of anything. */
const OF_SOMETHING = /(^|[^a-z])(id|uuid|key)$|[a-z]I[dD]$/;
/** Different values, at least. */
const ENOUGH = { ofPersons: 2, ofSomething: 10, unnamed: 20 };
/** Rows of one value on average, at most: what has more is a group. */
const MOST_ROWS = { ofPersons: Infinity, ofSomething: 50, unnamed: 5 };

/**
 * The column that seems to name persons of whom some have several rows; undefined where none does.
 * A guess, by its name and by how many values it has.
 */
export function columnOfPersons({ rows, columns }: Description): string | undefined {
  const candidates = columns.map((column) => ({ name: column.name, rank: rankOf(column, rows) }))
    .filter(({ rank }) => rank > 0);
  return candidates.sort((one, other) => other.rank - one.rank)[0]?.name;
}

/** 0 for a column that does not seem to name persons; more for one that does so more plainly. */
function rankOf({ name, type, missing, different }: ColumnDescription, rows: number): number {
  const present = rows - missing;
  if (different === undefined || different >= present) return 0;
  const kinds = [
    ["ofPersons", OF_PERSONS.test(name)],
    ["ofSomething", OF_SOMETHING.test(name)],
    ["unnamed", type === "text"],
  ] as const;
  const at = kinds.findIndex(([kind, fits]) =>
    fits && different >= ENOUGH[kind] && present <= MOST_ROWS[kind] * different
  );
  return at < 0 ? 0 : kinds.length - at;
}

/** What an owner is told of such a column. */
export function warnOfPersons(label: string, column: string): string {
  return `each row of "${label}" counts as a person, and its column "${column}" looks as if it named ` +
    "persons of whom some have several rows: one of them would count as many. Set " +
    "disclosure.persons to the column that says whose a row is";
}

/**
 * Looks at each file once, where rows are counted as persons, and says in the log which look as if
 * persons had several. What cannot be read shows when it is used.
 */
export async function sayPersons(
  { databases, disclosure }: Pick<NodeConfig, "databases" | "disclosure">,
  { tables, log, signal }: { tables: Tables; log: Logger; signal: AbortSignal },
): Promise<void> {
  if (!disclosure || disclosure.rules.persons !== null) return;
  for (const database of databases) {
    if (signal.aborted) return;
    if (!READ_WHOLE.includes(database.type)) continue;
    const description = await describe(database, tables).catch((error) => {
      if (error instanceof DataError) return undefined;
      log.warn("Cannot look at a database", { database: database.label, reason: messageOf(error) });
    });
    const column = description && columnOfPersons(description);
    if (column !== undefined) log.warn(warnOfPersons(database.label, column));
  }
}

async function describe(database: NodeDatabase, tables: Tables): Promise<Description> {
  return await tables.describe(sourceOf(database));
}
