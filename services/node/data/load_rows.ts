/**
 * Rows that another program than DuckDB has read, such as those of a spreadsheet, as its table
 * `raw`.
 * @module
 */
import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";
import { MISSING_WORDS } from "./options.ts";
import type { TypedColumn } from "./types.ts";

/** One cell, as a program gives it. */
export type Cell = string | number | bigint | boolean | Date | null;

export interface Rows {
  names: string[];
  /** Types of columns that are known, whatever the cells are; those of dates are text then. */
  types?: (TypedColumn["type"] | undefined)[];
  /** Each as long as `names`. */
  rows: Cell[][];
}

/**
 * Makes the table `raw` of the rows. A column has a type only if every cell has it that is not
 * missing: none, or, among numbers, one of the words that mean so.
 */
export async function loadRows(
  connection: DuckDBConnection,
  { names, types = [], rows }: Rows,
): Promise<TypedColumn[]> {
  const columns = names.map((name, index) => {
    const cells = rows.map((row) => row[index] ?? null);
    const type = types[index] ?? typeOf(cells);
    const missing = cells.filter((cell) => isMissing(cell, type)).length;
    return { name, type, missing, value: `c${index}` };
  });
  const sqlTypes = { number: "double", boolean: "boolean", date: "varchar", text: "varchar" };
  const declared = columns.map(({ type, value }) => `${value} ${sqlTypes[type]}`);
  await connection.run(`create table raw (${declared.join(", ")})`);
  const appender = await connection.createAppender("raw");
  for (const row of rows) {
    for (const [index, { type }] of columns.entries()) append(appender, row[index] ?? null, type);
    appender.endRow();
  }
  appender.closeSync();
  return columns;
}

type Type = TypedColumn["type"];

function isMissing(cell: Cell, type: Type): boolean {
  if (cell === null || typeof cell === "number" && Number.isNaN(cell)) return true;
  return type !== "text" && typeof cell === "string" && MISSING_WORDS.includes(cell.trim());
}

function typeOf(cells: Cell[]): Type {
  const exact = (cell: Cell) =>
    typeof cell === "number" ||
    typeof cell === "bigint" && Number.isSafeInteger(Number(cell));
  const rules: [Type, (cell: Cell) => boolean][] = [
    ["number", exact],
    ["boolean", (cell) => typeof cell === "boolean"],
    ["date", (cell) => cell instanceof Date],
  ];
  for (const [type, fits] of rules) {
    const present = cells.filter((cell) => !isMissing(cell, type));
    // Words alone, even if each may mean "missing", are text.
    if (present.length === 0 && cells.some((cell) => typeof cell === "string")) continue;
    if (present.every(fits)) return type;
  }
  return "text";
}

function append(appender: DuckDBAppender, cell: Cell, type: Type): void {
  if (cell === null || isMissing(cell, type)) appender.appendNull();
  else if (type === "number") appender.appendDouble(Number(cell));
  else if (type === "boolean") appender.appendBoolean(cell === true);
  else appender.appendVarchar(cell instanceof Date ? dateText(cell) : String(cell));
}

/** A day where it is one: spreadsheets have no other mark for it. */
function dateText(date: Date): string {
  const text = date.toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text;
}
