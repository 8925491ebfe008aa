/**
 * The selections of a run, from the files of columns that it read and the evidence of which of their
 * rows it used.
 * @module
 */
import { createHash } from "node:crypto";
import { readSelection } from "../../algorithms/sextant/selection.ts";
import { type SandboxDatabase, sourceOf, type WantedDatabase } from "../../data/databases.ts";
import { openColumns } from "../../data/open_columns.ts";
import { isPostgres, readPostgresAddress } from "../../data/postgres_address.ts";
import type { Source } from "../../data/tables.ts";
import type { Ledger, Release } from "./ledger.ts";
import { makeSelection, type SelectionOptions } from "./selection.ts";

/** A database that a run reads: as it was asked for, and its file of columns. */
export interface ReadDatabase {
  wanted: WantedDatabase;
  columns: SandboxDatabase;
}

/** The persons of its rows. */
export interface TableOfRun extends Omit<SelectionOptions, "selected"> {
  key: string;
  label: string;
  /** Rows. */
  length: number;
}

/** A table without the column that the owner says identifies a person: nobody can be counted in it. */
export class NoPersonsError extends Error {
  override name = "NoPersonsError";
}

/** What tells a database from every other, whatever its label is and whoever logs in there. */
export function ledgerKey({ type, path }: Source): string {
  let place: unknown = path;
  if (type === "postgres" && isPostgres(path)) {
    const { host, port, database } = readPostgresAddress(path);
    place = { host, port, database };
  }
  return createHash("sha256").update(JSON.stringify([type, place])).digest("hex").slice(0, 32);
}

/** Tables whose persons are remembered: many runs, one after the other, read the same. */
const REMEMBERED = 4;

/** Reads the persons of tables, and remembers those of the last few. */
export function createTableReader(
  { persons, ledger }: { persons: string | null; ledger: Pick<Ledger, "personsOf"> },
): (database: ReadDatabase) => Promise<TableOfRun> {
  const remembered = new Map<string, Promise<Omit<TableOfRun, "label">>>();

  async function read(
    { wanted: { database, wanted }, columns: { label, path } }: ReadDatabase,
  ): Promise<Omit<TableOfRun, "label">> {
    const source = sourceOf(database);
    const key = ledgerKey(source);
    const isQuery = source.type === "postgres" || source.type === "sqlite";
    using table = openColumns(path);
    const { length } = table;
    const request = JSON.stringify(wanted);
    // A query gives its rows in any order.
    const places = isQuery ? new Uint32Array(length) : table.places();
    if (persons === null) {
      return { key, length, unit: isQuery ? "counted" : "rows", places, request };
    }
    if (!table.has(persons)) {
      throw new NoPersonsError(
        `The database "${label}" was asked for without the column that identifies a person ` +
          "(disclosure.persons), so nobody can tell how many persons the result rests on.",
      );
    }
    const column = table.column(persons);
    const numbers = await (await ledger.personsOf(key)).numbersOf(column);
    return { key, length, unit: "persons", persons: numbers, places, request };
  }

  return async (database) => {
    const { label, path } = database.columns;
    const { ino, size, birthtime } = await Deno.stat(path);
    const name = [path, ino, size, birthtime?.getTime()].join();
    const reading = remembered.get(name) ?? read(database);
    remembered.delete(name);
    remembered.set(name, reading);
    reading.catch(() => remembered.delete(name));
    for (const oldest of [...remembered.keys()].slice(0, -REMEMBERED)) remembered.delete(oldest);
    return { ...await reading, label };
  };
}

/**
 * What a result rests on. `evidence` is of the table that `context.table()` gives without a label;
 * of the others, and without evidence, all rows count.
 */
export function databasesOfRun(
  tables: readonly TableOfRun[],
  evidence: readonly unknown[] = [],
): Release["databases"] {
  const main = tables.find(({ label }) => label === "default") ?? tables[0];
  return tables.map((table) => {
    const { key, label, length } = table;
    const used = table === main && evidence.length > 0 ? evidence : [{ rows: null }];
    const different = new Set(used.map((rows) => JSON.stringify(rows)));
    const selections = [...different].map((rows) =>
      makeSelection({ ...table, selected: readSelection(JSON.parse(rows), length) })
    );
    return { key, label, selections };
  });
}
