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
    if (!table.levels(name).places.some((place) => place >= 0)) {
      return new Float64Array(table.length).fill(NaN);
    }
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/**
 * A column's numbers, `NaN` where there is none; throws what is wrong if it holds something else.
 */
export function floatsOf(table: Table, name: string): Float64Array {
  return numbersOf(table, name) ?? table.floats(name);
}

/** Of a column of truth values, or of 0 and 1: 1 for true, `NaN` where there is no value. */
export function truthsOf(table: Table, name: string): Float64Array {
  const values = numbersOf(table, name);
  if (!values) return truthsOfLevels(table, name);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === 0 || value === 1 || Number.isNaN(value)) continue;
    throw new TypeError(`The column "${name}" must hold 0 and 1, or truth values, and does not.`);
  }
  return values;
}

function truthsOfLevels(table: Table, name: string): Float64Array {
  const { type, places, values } = table.levels(name);
  // Says what is wrong with it.
  if (type !== "boolean") return table.floats(name);
  const truths = new Float64Array(places.length);
  for (let i = 0; i < truths.length; i++) {
    truths[i] = places[i]! < 0 ? NaN : values[places[i]!] ? 1 : 0;
  }
  return truths;
}

/** An error about a table that is the same whichever of its rows are chosen. */
export function isAboutNames(error: unknown): boolean {
  return isOfTable(error) && /has no column/.test(error.message);
}

/** An error of the table itself, which tells no value. */
export function isOfTable(error: unknown): error is Error {
  return error instanceof Error && error.name === "TableError";
}
