/**
 * What the sandbox finds in the node's databases, read as a run would read them.
 * @module
 */
import { DataError } from "../data/error.ts";
import { type NodeDatabase, sourceOf } from "../data/databases.ts";
import { isPostgres } from "../data/postgres_address.ts";
import type { Tables } from "../data/tables.ts";
import type { Description } from "../data/types.ts";
import type { DisclosureRules } from "../disclosure/rules.ts";
import { type Finding, finding } from "./finding.ts";
import { columnOfPersons, READ_WHOLE, warnOfPersons } from "./persons.ts";

/** The share of numbers in a column of text from which on the rest looks like a mistake. */
const ALMOST = 0.9;

export interface CheckDatabaseOptions {
  tables: Tables;
  /** Whether the hub is told the names of columns. */
  shareColumns: boolean;
  /** The rules on what may leave; null where there are none. */
  rules?: Pick<DisclosureRules, "persons"> | null;
}

/**
 * Reads a file that can be opened; yields what it holds, or why no task can use it in the sandbox.
 */
export async function* checkDatabase(
  database: NodeDatabase,
  { tables, shareColumns, rules = null }: CheckDatabaseOptions,
): AsyncGenerator<Finding> {
  const name = `database ${database.label}`;
  if (database.type === "sql") {
    return yield finding(name, true, "sql, can be read; the query comes with each task");
  }
  if (!READ_WHOLE.includes(database.type)) {
    return yield finding(name, true, `${database.type}, can be read; for containers`);
  }
  let description: Description;
  try {
    description = await tables.describe(sourceOf(database));
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const unknown = await unknownColumns(database, tables);
    return yield finding(name, false, `${database.type}. ${error.message}${unknown}`);
  }
  yield finding(name, true, summary(database, description));
  if (description.csv?.doubtfulHeader) {
    const advice = "if it is data, set `read: {header: false}`; if it names the columns, `true`";
    yield finding(`${name}, header`, false, `the first line looks like data: ${advice}`);
  }
  for (const { name: column, type, missing, numbers } of description.columns) {
    const present = description.rows - missing;
    const almost = numbers !== undefined && numbers < present && numbers >= ALMOST * present;
    const note = almost ? `; ${numbers} of ${present} values are numbers, the others are not` : "";
    yield finding(`${name}, ${column}`, true, `${type}, ${missing} missing${note}`);
  }
  if (rules) yield* checkPersons(database, description, rules);
  const told = shareColumns && !description.csv?.doubtfulHeader;
  yield finding(
    `${name}, told to the hub`,
    true,
    told ? "the names of its columns (share_columns)" : "no names of columns",
  );
}

/** What keeps persons from being counted right. */
function* checkPersons(
  { label }: NodeDatabase,
  description: Description,
  { persons }: Pick<DisclosureRules, "persons">,
): Generator<Finding> {
  const name = `database ${label}, persons`;
  if (persons !== null) {
    if (description.columns.some((column) => column.name === persons)) return;
    const note =
      `it has no column "${persons}" (disclosure.persons), so nobody can tell how many ` +
      "persons a result rests on, and none leaves";
    return yield finding(name, true, `WARNING: ${note}`);
  }
  const column = columnOfPersons(description);
  if (column !== undefined) yield finding(name, true, `WARNING: ${warnOfPersons(label, column)}`);
}

/** Whether the sandbox can ask the server of a database; nothing of one that it does not read. */
export async function* checkServer(
  database: NodeDatabase,
  tables: Tables,
): AsyncGenerator<Finding> {
  const name = `database ${database.label}, sandbox`;
  try {
    await tables.describe(sourceOf(database));
    yield finding(name, true, "logs in and asks; the query comes with each task");
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    // Of what is for containers alone that is no fault.
    const well = !isReadInSandbox(database);
    yield finding(name, well, error.message);
  }
}

function isReadInSandbox({ type, uri = "" }: NodeDatabase): boolean {
  return type === "sql" && (isPostgres(uri) || /^sqlite:/i.test(uri));
}

function summary({ type }: NodeDatabase, { rows, columns, csv }: Description): string {
  const size = `${type}, ${rows} rows, ${columns.length} columns`;
  if (!csv) return size;
  const separator = csv.separator === "\t" ? "tab" : JSON.stringify(csv.separator);
  const blank = csv.blankLines > 0 ? `, ${csv.blankLines} blank lines left out` : "";
  return `${size}, ${csv.encoding}, separator ${separator}${blank}`;
}

/**
 * The columns of which node.yaml gives the type and that the file does not have, for its owner to
 * read.
 */
async function unknownColumns(database: NodeDatabase, tables: Tables): Promise<string> {
  const given = Object.keys(database.read?.columns ?? {});
  if (given.length === 0) return "";
  const source = sourceOf({ ...database, read: { ...database.read!, columns: {} } });
  const found = await tables.describe(source).catch(() => undefined);
  const names = found?.columns.map(({ name }) => name) ?? given;
  const unknown = given.filter((one) => !names.includes(one));
  return unknown.length > 0 ? ` It does not have: ${unknown.join(", ")}.` : "";
}
