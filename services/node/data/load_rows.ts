/**
 * Rows that another program than DuckDB reads, such as those of a spreadsheet or of a query at a
 * server, as its table `raw`. They come in batches, so that memory does not grow with them.
 * @module
 */
import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";
import { MISSING_WORDS } from "./options.ts";
import type { TypedColumn } from "./types.ts";

/** One cell, as a program gives it. */
export type Cell = string | number | bigint | boolean | Date | null;
type Type = TypedColumn["type"];

export interface Rows {
  names: string[];
  /**
   * Types of columns that are known, whatever the cells are; those of dates are text then. A date
   * may turn out to be text in a later batch.
   */
  types?: (Type | undefined)[];
  /** Each as long as `names`. */
  rows: Cell[][];
}

/** Batches of rows, all with the same names; at least one, which may be without rows. */
export type Batches = AsyncIterable<Rows> | Iterable<Rows>;

export interface LoadedRows {
  columns: TypedColumn[];
  rows: number;
}

/**
 * Makes the table `raw` of the rows. A column has a type only if every cell has it that is not
 * missing: none, or, among numbers, one of the words that mean so.
 */
export async function loadRows(
  connection: DuckDBConnection,
  batches: Batches,
): Promise<LoadedRows> {
  let appender: DuckDBAppender | undefined;
  let columns: LoadingColumn[] = [];
  let types: Rows["types"];
  let count = 0;
  for await (const { names, types: known, rows } of batches) {
    if (!appender) {
      columns = names.map((name, index) => newColumn(name, `c${index}`, known?.[index]));
      const declared = columns.map(({ place, stored }) => `${place} ${stored}`);
      await connection.run(`create table raw (${declared.join(", ")})`);
      appender = await connection.createAppender("raw");
    }
    types = known;
    count += rows.length;
    for (const row of rows) {
      for (const [index, column] of columns.entries()) append(appender, column, row[index] ?? null);
      appender.endRow();
    }
    // What it holds goes into the table, which may lie on the disk.
    appender.flushSync();
  }
  if (!appender) throw new TypeError("There must be a batch of rows, if an empty one");
  appender.closeSync();
  return { columns: columns.map((column, index) => typed(column, types?.[index])), rows: count };
}

/** A column whose cells come one by one. */
interface LoadingColumn {
  name: string;
  place: string;
  /** What it is in the table; text until its type is known. */
  stored: "double" | "boolean" | "varchar";
  nulls: number;
  /** Cells that are words for "missing"; of text they are words. */
  words: number;
  hasText: boolean;
  /** Cells that are neither missing nor of the type. */
  others: Record<"number" | "boolean" | "date", boolean>;
  present: boolean;
}

function newColumn(name: string, place: string, type: Type | undefined): LoadingColumn {
  return {
    name,
    place,
    stored: type === "number" ? "double" : type === "boolean" ? "boolean" : "varchar",
    nulls: 0,
    words: 0,
    hasText: false,
    others: { number: false, boolean: false, date: false },
    present: false,
  };
}

function append(appender: DuckDBAppender, column: LoadingColumn, cell: Cell): void {
  if (cell === null || typeof cell === "number" && Number.isNaN(cell)) {
    column.nulls++;
    return appender.appendNull();
  }
  look(column, cell);
  if (column.stored === "double") appender.appendDouble(Number(cell));
  else if (column.stored === "boolean") appender.appendBoolean(cell === true);
  else appender.appendVarchar(cell instanceof Date ? dateText(cell) : String(cell));
}

function look(column: LoadingColumn, cell: NonNullable<Cell>): void {
  if (typeof cell === "string") {
    column.hasText = true;
    if (MISSING_WORDS.includes(cell.trim())) {
      column.words++;
      return;
    }
  }
  column.present = true;
  const { others } = column;
  const isExact = typeof cell === "number" ||
    typeof cell === "bigint" && Number.isSafeInteger(Number(cell));
  if (!isExact) others.number = true;
  if (typeof cell !== "boolean") others.boolean = true;
  if (!(cell instanceof Date)) others.date = true;
}

function typed(column: LoadingColumn, known: Type | undefined): TypedColumn {
  const type = known ?? typeOf(column);
  const missing = column.nulls + (type === "text" ? 0 : column.words);
  return { name: column.name, type, missing, value: known ? column.place : valueOf(column, type) };
}

function typeOf({ present, hasText, others }: LoadingColumn): Type {
  // Words alone, even if each may mean "missing", are text.
  if (!present && hasText) return "text";
  return (["number", "boolean", "date"] as const).find((type) => !others[type]) ?? "text";
}

/** In SQL, of a column that was taken for text; words for "missing" are null. */
function valueOf({ place }: LoadingColumn, type: Type): string {
  if (type === "number") return `nullif(try_cast(${place} as double), 'nan'::double)`;
  if (type === "boolean") return `case ${place} when 'true' then true when 'false' then false end`;
  if (type === "text") return place;
  return `case when regexp_matches(${place}, '^[+-]?\\d+-\\d\\d-\\d\\d') then ${place} end`;
}

/** A day where it is one: spreadsheets have no other mark for it. */
function dateText(date: Date): string {
  const text = date.toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text;
}
