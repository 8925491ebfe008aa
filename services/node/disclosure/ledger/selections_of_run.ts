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
import { createPauses } from "../../../../shared/service/pauses.ts";
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
  /** The selections of some rows, which have this digest; those that are kept whole take room. */
  select(rows: SelectedRows, digest: string, room?: Room): Promise<Selection[]>;
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
/** For the selections of a run that are kept whole, in bytes: many would take a gibibyte. */
interface Room {
  left: number;
}
const newRoom = (): Room => ({ left: 32 * 2 ** 20 });

function createSelect(
  length: number,
  options: Omit<SelectionOptions, "selected">,
): Pick<TableOfRun, "select" | "known"> {
  // Without what takes most memory: that is made anew where the ledger does not know it.
  const remembered = new Map<string, { rows: SelectedRows; made: Made[] }>();

  return {
    async select(rows, digest, room = newRoom()) {
      const known = remembered.get(digest)?.made;
      const selections = known
        ? known.map((one, i) => withoutBytes(one, () => bytesOf(rows, i)))
        : await make(rows, room);
      // The ones that were used last stay.
      remembered.delete(digest);
      remembered.set(digest, {
        rows,
        made: selections.map(({ unit, persons, digest }) => ({ unit, persons, digest })),
      });
      let bytes = 0;
      for (const [count, [digest, { rows }]] of [...remembered].reverse().entries()) {
        bytes += rows.rows?.length ?? 0;
        const isTooMuch = count > 0 && bytes > REMEMBERED_BYTES;
        if (isTooMuch || count >= REMEMBERED_SELECTIONS) remembered.delete(digest);
      }
      return selections;
    },
    known: () => new Map([...remembered].map(([digest, { rows }]) => [digest, rows])),
  };

  async function make(rows: SelectedRows, room: Room): Promise<Selection[]> {
    const pause = createPauses();
    const made: Selection[] = [];
    for (const selected of readSelections(rows, length)) {
      const [one, i] = [makeSelection({ ...options, selected }), made.length];
      room.left -= one.bytes.length;
      made.push(room.left >= 0 ? one : withoutBytes(one, () => bytesOf(rows, i)));
      await pause();
    }
    return made;
  }

  function bytesOf(rows: SelectedRows, i: number): Selection["bytes"] {
    const [selected] = readSelections(rows, length, i);
    return makeSelection({ ...options, selected: selected! }).bytes;
  }
}

/** A selection without what takes most memory. */
type Made = Omit<Selection, "bytes">;

/** A selection that is made anew each time it is looked into, which few are. */
function withoutBytes(
  { unit, persons, digest }: Made,
  bytesOf: () => Selection["bytes"],
): Selection {
  return {
    unit,
    persons,
    digest,
    get bytes() {
      return bytesOf();
    },
  };
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
  const room = newRoom();
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
    const selections: Selection[] = [];
    for (const [digest, rows] of different) selections.push(...await select(rows, digest, room));
    databases.push({ key, label, selections });
  }
  return databases;
}

const ALL: SelectedRows = { rows: null };
