/**
 * A CSV file, or what the agent made of a Parquet file, as the typed, read-only table that
 * algorithms see.
 *
 * What an error here says travels to the researcher: it may name columns and rows, but no value.
 * @module
 */
import type { Column, Table } from "../algorithms/api.ts";
import { closest } from "../../../shared/command_line/closest.ts";
import { CsvError, parseCsv } from "./csv.ts";

/** A database cannot be used as the algorithm asked. */
export class TableError extends Error {
  override name = "TableError";
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const MISSING = /^(na|nan|null)?$/i;
/** Column names in one message. */
const NAMES_SHOWN = 40;

/**
 * Begins a table whose columns have their types already: then follows a {@linkcode TypedTable} as
 * JSON.
 */
export const TYPED = "\x01sextant table 1\n";

export interface TypedTable {
  columns: Column[];
  length: number;
}

/**
 * Reads the bytes (UTF-8) of a CSV file or of a typed table; `label` names the database in
 * messages. Throws a {@linkcode TableError}.
 */
export function readTable(label: string, bytes: Uint8Array): Table {
  const start = new TextEncoder().encode(TYPED);
  if (start.every((byte, index) => bytes[index] === byte)) {
    return typedTable(label, JSON.parse(new TextDecoder().decode(bytes.subarray(start.length))));
  }
  const { names, columns, length } = parse(label, bytes);
  const cellsOf = (name: string) => columns[indexOf(label, name, names)]!;

  return {
    columns: names,
    length,
    column(name): Column {
      const cells = cellsOf(name);
      const { values, firstOther } = toNumbers(cells);
      if (firstOther === undefined) return { name, type: "number", values };
      return { name, type: "text", values: cells.map((cell) => cell === "" ? null : cell) };
    },
    numeric(name) {
      const { values, firstOther } = toNumbers(cellsOf(name));
      if (firstOther === undefined) return values;
      throw new TableError(
        `The column "${name}" of the database "${label}" is not numeric: ` +
          `row ${firstOther + 1} below the first line holds something other than a number.`,
      );
    },
  };
}

/** Where a column stands. */
function indexOf(label: string, name: string, names: readonly string[]): number {
  const index = names.indexOf(name);
  if (index >= 0) return index;
  const near = closest(String(name), names);
  const shown = names.slice(0, NAMES_SHOWN).join(", ");
  throw new TableError(
    `The database "${label}" has no column "${name}"${near ? `; did you mean "${near}"?` : "."} ` +
      `It has: ${shown}${
        names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : ""
      }.`,
  );
}

function typedTable(label: string, { columns, length }: TypedTable): Table {
  const names = columns.map(({ name }) => name);
  const column = (name: string) => columns[indexOf(label, name, names)]!;
  return {
    columns: names,
    length,
    column,
    numeric(name) {
      const { type, values } = column(name);
      if (type === "number") return values;
      throw new TableError(
        `The column "${name}" of the database "${label}" is not numeric: it holds text.`,
      );
    },
  };
}

function parse(label: string, bytes: Uint8Array) {
  try {
    return parseCsv(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof CsvError) {
      throw new TableError(`The database "${label}" is not a valid CSV file. ${error.message}`);
    }
    if (error instanceof TypeError) {
      throw new TableError(`The database "${label}" is not text in UTF-8.`);
    }
    throw error;
  }
}

/**
 * The cells as numbers; `firstOther` is the index of the first that is neither a number nor
 * missing.
 */
function toNumbers(cells: string[]): { values: (number | null)[]; firstOther: number | undefined } {
  const values: (number | null)[] = [];
  for (const [index, cell] of cells.entries()) {
    const text = cell.trim();
    const value = NUMBER.test(text) ? Number(text) : MISSING.test(text) ? null : NaN;
    if (value !== null && !Number.isFinite(value)) return { values, firstOther: index };
    values.push(value);
  }
  return { values, firstOther: undefined };
}
