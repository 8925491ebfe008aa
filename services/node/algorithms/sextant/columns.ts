/**
 * A column as numbers.
 * @module
 */
import type { Table } from "./api.ts";

/** A column's numbers, `NaN` where there is none; undefined if it holds something else. */
export function numbersOf(table: Table, name: string): Float64Array | undefined {
  try {
    return table.floats(name);
  } catch (error) {
    // Without a value a column is of no type: it may well hold numbers at the other sites.
    const values: unknown[] = table.column(name).values;
    if (values.every((value) => value === null)) return new Float64Array(table.length).fill(NaN);
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** A column's numbers, `NaN` where there is none; throws what is wrong if it holds something else. */
export function floatsOf(table: Table, name: string): Float64Array {
  return numbersOf(table, name) ?? table.floats(name);
}

/** Of a column of truth values, or of 0 and 1: 1 for true, `NaN` where there is no value. */
export function truthsOf(table: Table, name: string): Float64Array {
  const column = table.column(name);
  if (column.type === "boolean") {
    return Float64Array.from(column.values, (value) => value === null ? NaN : value ? 1 : 0);
  }
  const values = floatsOf(table, name);
  const wrong = values.findIndex((value) => value !== 0 && value !== 1 && !Number.isNaN(value));
  if (wrong < 0) return values;
  throw new TypeError(`The column "${name}" must hold 0 and 1, or truth values, and does not.`);
}
