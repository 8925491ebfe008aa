/**
 * The selections of a run, from the files of columns that it read and the evidence of which of their
 * rows it used.
 * @module
 */
import { createHash } from "node:crypto";
import { readSelections, type SelectedRows } from "../../algorithms/sextant/selection.ts";
import { type SandboxDatabase, sourceOf, type WantedDatabase } from "../../data/databases.ts";
import { openColumns } from "../../data/open_columns.ts";
import { isPostgres, readPostgresAddress } from "../../data/postgres_address.ts";
import type { Source } from "../../data/tables.ts";
import type { Ledger, Release } from "./ledger.ts";
import { makeSelection, type Selection, type SelectionOptions } from "./selection.ts";

/** A database that a run reads: as it was asked for, and its file of columns. */
export interface ReadDatabase {
  wanted: WantedDatabase;
  columns: SandboxDatabase;
}

/** A table of a run, and what a result rests on that rests on some of its rows. */
export interface TableOfRun {
  key: string;
  label: string;
  /** Rows. */
  length: number;
  /** Whether the task's preprocessing chose them. */
  isFiltered: boolean;
  select(rows: SelectedRows): Selection[];
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
    const { length, isFiltered } = table;
    const request = JSON.stringify(wanted);
    // A query gives its rows in any order.
    const places = isQuery ? new Uint32Array(length) : table.places();
    if (persons === null) {
      const unit = isQuery ? "counted" : "rows";
      return { key, length, isFiltered, select: createSelect(length, { unit, places, request }) };
    }
    if (!table.has(persons)) {
      throw new NoPersonsError(
        `The database "${label}" was asked for without the column that identifies a person ` +
          "(disclosure.persons), so nobody can tell how many persons the result rests on.",
      );
    }
    const numbers = await (await ledger.personsOf(key)).numbersOf(table.values(persons));
    const options = { unit: "persons" as const, persons: numbers, places, request };
    return { key, length, isFiltered, select: createSelect(length, options) };
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

/** Selections of one table that are remembered: analyses ask of the same rows again and again. */
const REMEMBERED_SELECTIONS = 64;

function createSelect(
  length: number,
  options: Omit<SelectionOptions, "selected">,
): TableOfRun["select"] {
  // Without what takes memory: that is made anew where the ledger does not know it.
  const remembered = new Map<string, Omit<Selection, "bytes">[]>();

  return (rows) => {
    const key = keyOf(rows);
    const make = () =>
      Array.from(
        readSelections(rows, length),
        (selected) => makeSelection({ ...options, selected }),
      );
    const known = remembered.get(key);
    const made = known ? withBytes(known, make) : make();
    // The ones that were used last stay.
    remembered.delete(key);
    remembered.set(key, made.map(({ unit, persons, digest }) => ({ unit, persons, digest })));
    if (remembered.size > REMEMBERED_SELECTIONS) remembered.delete(remembered.keys().next().value!);
    return made;
  };
}

/** What tells rows from others of the same table. */
function keyOf({ rows, groups = 1 }: SelectedRows): string {
  return `${groups} ${rows ?? "all"}`;
}

/** Selections that are looked into only where that has to be. */
function withBytes(
  selections: readonly Omit<Selection, "bytes">[],
  make: () => Selection[],
): Selection[] {
  let made: Selection[] | undefined;
  return selections.map((one, i) => ({
    ...one,
    get bytes() {
      return (made ??= make())[i]!.bytes;
    },
  }));
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
    const { key, label, select } = table;
    const used = table === main && evidence.length > 0 ? evidence as SelectedRows[] : [ALL];
    const different = new Map(used.map((one) => [keyOf(one), one]));
    return { key, label, selections: [...different.values()].flatMap(select) };
  });
}

const ALL: SelectedRows = { rows: null };
