/**
 * The selections of a run, from the files of columns that it read and the evidence of which of
 * their rows it used.
 * @module
 */
import { createHash } from "node:crypto";
import {
  digestOfRows,
  type KnownRows,
  readSelections,
  type SelectedRows,
} from "../../algorithms/sextant/selection.ts";
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
  /** The selections of some rows, which have this digest. */
  select(rows: SelectedRows, digest: string): Selection[];
  /** What was selected before, by digest. */
  known(): ReadonlyMap<string, SelectedRows>;
}

/**
 * A table without the column that the owner says identifies a person: nobody can be counted in it.
 */
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
      return { key, length, isFiltered, ...createSelect(length, { unit, places, request }) };
    }
    if (!table.has(persons)) {
      throw new NoPersonsError(
        `The database "${label}" was asked for without the column that identifies a person ` +
          "(disclosure.persons), so nobody can tell how many persons the result rests on.",
      );
    }
    const numbers = await (await ledger.personsOf(key)).numbersOf(table.values(persons));
    const options = { unit: "persons" as const, persons: numbers, places, request };
    return { key, length, isFiltered, ...createSelect(length, options) };
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
/** Nor more than this of what says which rows they are, the last one aside. */
const REMEMBERED_BYTES = 16 * 2 ** 20;

function createSelect(
  length: number,
  options: Omit<SelectionOptions, "selected">,
): Pick<TableOfRun, "select" | "known"> {
  // Without what takes most memory: that is made anew where the ledger does not know it.
  const remembered = new Map<string, { rows: SelectedRows; made: Omit<Selection, "bytes">[] }>();

  return {
    select(rows, digest) {
      const make = () =>
        Array.from(
          readSelections(rows, length),
          (selected) => makeSelection({ ...options, selected }),
        );
      const known = remembered.get(digest);
      const made = known ? withBytes(known.made, make) : make();
      // The ones that were used last stay.
      remembered.delete(digest);
      remembered.set(digest, {
        rows,
        made: made.map(({ unit, persons, digest }) => ({ unit, persons, digest })),
      });
      let bytes = 0;
      for (const [count, [digest, { rows }]] of [...remembered].reverse().entries()) {
        bytes += rows.rows?.length ?? 0;
        const isTooMuch = count > 0 && bytes > REMEMBERED_BYTES;
        if (isTooMuch || count >= REMEMBERED_SELECTIONS) remembered.delete(digest);
      }
      return made;
    },
    known: () => new Map([...remembered].map(([digest, { rows }]) => [digest, rows])),
  };
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

/** The table of which evidence is: the one that `context.table()` gives without a label. */
export function mainTable(tables: readonly TableOfRun[]): TableOfRun | undefined {
  return tables.find(({ label }) => label === "default") ?? tables[0];
}

/**
 * What a result rests on. `evidence` is of the main table, in which rows may be named that are
 * `known`; of the others, and without evidence, all rows count.
 */
export async function databasesOfRun(
  tables: readonly TableOfRun[],
  evidence: readonly unknown[] = [],
  known: ReadonlyMap<string, SelectedRows> = new Map(),
): Promise<Release["databases"]> {
  const main = mainTable(tables);
  const databases: Release["databases"] = [];
  for (const table of tables) {
    const { key, label, select } = table;
    const isUsed = table === main && evidence.length > 0;
    const used = isUsed ? evidence as (SelectedRows | KnownRows)[] : [ALL];
    const different = new Map<string, SelectedRows>();
    for (const one of used) {
      const digest = "known" in one ? one.known : await digestOfRows(one);
      const rows = "known" in one ? known.get(digest) : one;
      if (!rows) throw new TypeError("The evidence of a result names rows that nobody knows");
      different.set(digest, rows);
    }
    const selections = [...different].flatMap(([digest, rows]) => select(rows, digest));
    databases.push({ key, label, selections });
  }
  return databases;
}

const ALL: SelectedRows = { rows: null };
