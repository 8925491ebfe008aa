/**
 * The types of the columns of a file in which everything is text, found by asking DuckDB how many
 * cells are what. A column has a type only if every cell that is not missing has it.
 *
 * Columns are called `c0`, `c1`, … in SQL: nobody's names stand in it.
 * @module
 */
import { DataError } from "./error.ts";
import { type ColumnType, MISSING_WORDS, type ReadOptions } from "./options.ts";
import type { Query } from "./types.ts";

export interface FoundColumn {
  name: string;
  type: ColumnType;
  missing: number;
  /** Of a column that is no numbers: the first row, counted from 1, that holds something else. */
  otherThanNumber: number | undefined;
  /** Cells that are numbers, missing ones not counted. */
  numbers: number;
  /** The expression of its values in that type, `NULL` where there is none. */
  value: string;
}

/** Without leading zeros, which an identifier has and a number has not. */
const DIGITS = "(?:(?:0|[1-9][0-9]*)(?:\\.[0-9]*)?|\\.[0-9]+)";
const SIMPLE = `[+-]?${DIGITS}`;
const NUMBER = `[+-]?${DIGITS}(?:[eE][+-]?[0-9]{1,3})?`;
const NUMBER_WITH_ZEROS = "[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?";
const WHOLE = "[+-]?[0-9]+(?:\\.0*)?";
const DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
const MOMENT = `${DAY}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]{1,9})?)?` +
  "(?:Z|[+-][0-9]{2}:?[0-9]{2})?";

/** A text in SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Expressions about one cell: `t`, without blanks around it and `NULL` where it is missing. */
interface Cell {
  /** The column as it is in the file, without blanks around. */
  trimmed: string;
  /** `t` itself, from that, which is `x` with the column's number. */
  text: string;
  /** As a number. */
  number: string;
  isNumber: string;
  /** As `isNumber`, with leading zeros and more digits than a number keeps. */
  isDigits: string;
}

const IS_BOOLEAN = "t in ('true', 'false', 'True', 'False', 'TRUE', 'FALSE')";
const IS_DATE = `(regexp_full_match(t, '${DAY}') and try_cast(t as date) is not null or ` +
  `regexp_full_match(t, '${MOMENT}') and try_cast(t as timestamptz) is not null)`;

function cellOf(index: number, { decimal, missing }: Pick<ReadOptions, "decimal" | "missing">) {
  const words = ["", ...missing ?? MISSING_WORDS];
  const longest = Math.max(...words.map((word) => word.length));
  const number = decimal === "," ? "replace(t, ',', '.')" : "t";
  // A decimal point in a file with decimal commas stands between thousands: which, cannot be known.
  const noPoint = decimal === "," ? "not contains(t, '.') and " : "";
  const value = `try_cast(${number} as double)`;
  const isFinite = `coalesce(isfinite(${value}), false)`;
  // Beyond 2^53 a JavaScript number is not every whole number.
  const isExact = `(abs(${value}) < 9007199254740992 or ` +
    `not regexp_full_match(${number}, '${WHOLE}'))`;
  return {
    trimmed: `trim(c${index}, ' \t')`,
    // Few cells are as short as a word for "missing", and only those are compared with all of them:
    // in a list, for `in` is made a join, and of 200 of these there is no memory for one row.
    text: `case when length(x${index}) <= ${longest} and ` +
      `list_contains([${words.map(literal).join(", ")}], x${index}) then null else x${index} end`,
    number: value,
    isNumber: `(${noPoint}case ` +
      `when length(t) < 16 and regexp_full_match(${number}, '${SIMPLE}') then true ` +
      `when regexp_full_match(${number}, '${NUMBER}') then ${isFinite} and ${isExact} ` +
      "else false end)",
    isDigits: `(${noPoint}regexp_full_match(${number}, '${NUMBER_WITH_ZEROS}') and ${isFinite})`,
  } satisfies Cell;
}

/**
 * Finds the type of each column of the table `raw`, whose columns `c0`, `c1`, … are text; `names`
 * are their real names. Makes the table `cells` in place of it, which has `t0`, `t1`, … besides:
 * the cells without blanks around them, `NULL` where they are missing. Throws a {@linkcode
 * DataError} where a cell is not what the owner says of its column.
 */
export async function findColumns(
  query: Query,
  names: readonly string[],
  options: ReadOptions,
): Promise<FoundColumn[]> {
  checkNamed(names, options);
  const each = (expression: (cell: Cell, index: number) => string) =>
    names.map((_, index) => expression(cellOf(index, options), index)).join(", ");
  await query(
    `create table cells as
    select ${each(({ text }, index) => `c${index}, ${text} as t${index}`)}
    from (select *, ${each(({ trimmed }, index) => `${trimmed} as x${index}`)} from raw)`,
  );
  await query("drop table raw");
  const found: FoundColumn[] = [];
  for (const [index, name] of names.entries()) {
    const cell = cellOf(index, options);
    const { present, missing, numbers, other } = await countNumbers(query, index, cell);
    const said = Object.hasOwn(options.columns, name) ? options.columns[name] : undefined;
    if (said) await requireType(query, index, cell, said);
    const type = said ??
      (numbers === present ? "number" : await typeOfOthers(query, index, present));
    found.push({
      name,
      type,
      missing,
      numbers,
      otherThanNumber: type === "number" ? undefined : other,
      value: valueOf(type, index, cell),
    });
  }
  return found;
}

function checkNamed(names: readonly string[], { columns }: ReadOptions): void {
  const unknown = Object.keys(columns).filter((name) => !names.includes(name));
  if (unknown.length === 0) return;
  throw new DataError(
    `node.yaml gives the type of ${unknown.length} of its columns that the file does not have ` +
      "(`node check` names them).",
  );
}

function valueOf(type: ColumnType, index: number, { number }: Cell): string {
  const t = `t${index}`;
  switch (type) {
    case "number":
      return number.replaceAll(/\bt\b/g, t);
    case "boolean":
      return `lower(${t}) in ('true', '1')`;
    case "date":
      return t;
    case "text":
      // As it stands in the file, blanks included.
      return `case when ${t} is null then null else c${index} end`;
  }
}

async function countNumbers(query: Query, index: number, { isNumber }: Cell) {
  const [counts] = await query(
    `with judged as materialized (
      select rowid as row, t, t is not null and ${isNumber} as is_number
      from (select rowid, t${index} as t from cells))
    select count(t)::double as present, count(*)::double - count(t)::double as missing,
      count(*) filter (is_number)::double as numbers,
      (min(row) filter (t is not null and not is_number) + 1)::double as other
    from judged`,
  );
  const { present, missing, numbers, other } = counts!;
  return {
    present: Number(present),
    missing: Number(missing),
    numbers: Number(numbers),
    other: other == null ? undefined : Number(other),
  };
}

async function typeOfOthers(query: Query, index: number, present: number): Promise<ColumnType> {
  // Most columns of text show it by their first value.
  const [first] = await query(
    `select ${IS_BOOLEAN} as boolean, ${IS_DATE} as date
    from (select t${index} as t from cells where t${index} is not null limit 1)`,
  );
  const condition = first?.boolean ? IS_BOOLEAN : first?.date ? IS_DATE : undefined;
  if (condition === undefined) return "text";
  const [all] = await query(
    `select count(*) filter (t is not null and ${condition})::double as fitting
    from (select t${index} as t from cells)`,
  );
  if (Number(all!.fitting) !== present) return "text";
  return first!.boolean ? "boolean" : "date";
}

/** Throws where a cell of a column cannot be what the owner says. */
async function requireType(
  query: Query,
  index: number,
  { isDigits }: Cell,
  type: ColumnType,
): Promise<void> {
  const is: Record<ColumnType, string> = {
    number: isDigits,
    boolean: `(${IS_BOOLEAN} or t in ('0', '1'))`,
    date: IS_DATE,
    text: "true",
  };
  const [first] = await query(
    `select (min(rowid) + 1)::double as row from (select rowid, t${index} as t from cells)
    where t is not null and not ${is[type]}`,
  );
  if (first?.row == null) return;
  throw new DataError(
    `Row ${first.row} below the first line is no ${type} in column ${index + 1}, ` +
      "of which node.yaml says that it holds nothing else.",
  );
}
