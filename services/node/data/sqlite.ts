/**
 * What a query finds in an SQLite file.
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { DataError } from "./error.ts";
import type { Cell, Rows } from "./load_rows.ts";

/** Rows that are handed on at once: no more of a result is ever in memory. */
const BATCH = 5000;
/** SQLITE_BUSY. */
const BUSY = 5;

/**
 * Runs one query that only reads, and gives its rows in batches; at least one. Throws a
 * {@linkcode DataError} with what SQLite says of a query that it cannot run: that is about the
 * researcher's own text, never about values.
 */
export function* readSqlite(path: string, query: string): Generator<Rows> {
  const database = openFile(path);
  try {
    const statement = prepare(database, query);
    statement.setReadBigInts(true);
    const names = statement.columns().map(({ name }) => name);
    if (names.length === 0) throw new DataError("Its query gives no rows: it must be a select.");
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) {
      throw new DataError(`Its query gives two columns the name ${JSON.stringify(twice)}.`);
    }
    let rows: Cell[][] = [];
    for (const found of statement.iterate()) {
      const row = names.map((name) => found[name]!);
      const bytes = row.findIndex((cell) => ArrayBuffer.isView(cell));
      if (bytes >= 0) throw new DataError(`Column ${bytes + 1} of its query holds bytes.`);
      rows.push(row as Cell[]);
      if (rows.length < BATCH) continue;
      yield { names, rows };
      rows = [];
    }
    yield { names, rows };
  } catch (error) {
    throw isLocked(error) ? locked(error) : error;
  } finally {
    database.close();
  }
}

function openFile(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    // Fails for a file that is none.
    database.prepare("select count(*) from sqlite_schema").get();
    return database;
  } catch (cause) {
    if (isLocked(cause)) throw locked(cause);
    throw new DataError("It is not an SQLite file.", { cause });
  }
}

/** Another program writes to it; the library has waited for seconds. */
function isLocked(error: unknown): boolean {
  return (error as { errcode?: number }).errcode === BUSY;
}

function locked(cause: unknown): DataError {
  return new DataError(
    "It is locked by another program that writes to it: try again later.",
    { cause },
  );
}

function prepare(database: DatabaseSync, query: string) {
  try {
    return database.prepare(query);
  } catch (cause) {
    throw new DataError(`Its query cannot be run: ${(cause as Error).message}.`, { cause });
  }
}
