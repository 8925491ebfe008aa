/**
 * Rows counted, or a number's moments, by the levels of one or more columns of text, numbers or
 * truth values.
 * @module
 */
import type { Table } from "../api.ts";
import type { Rows } from "../where.ts";
import { type LeftOut, nothingLeftOut } from "./frame.ts";
import { MOST_LEVELS } from "./survey.ts";

/** The rows of a site by group. */
export interface Groups {
  /** Rows in a group. */
  n: number;
  leftOut: LeftOut;
  /** The levels of each group, one a column. */
  levels: string[][];
  /** Of each row the place of its group; -1 for one that is left out. */
  places: Int32Array;
  /** The numbers that were asked for, of every row. */
  numbers: Float64Array[];
}

/** Groups the rows in which none of the columns and none of the numbers, by name, is missing. */
export function groupRows(
  table: Rows,
  columns: string[],
  numbers: Record<string, Float64Array> = {},
): Groups {
  const leftOut = nothingLeftOut(table);
  const values = columns.map((name) => levelValues(table, name));
  const floats = Object.values(numbers);
  const names = Object.keys(numbers);
  const places = new Int32Array(table.length).fill(-1);
  const known = new Map<unknown, unknown>();
  const levels: string[][] = [];
  const miss = (name: string) => leftOut.missing[name] = (leftOut.missing[name] ?? 0) + 1;
  for (let i = 0; i < table.length; i++) {
    let complete = true;
    for (const [j, column] of values.entries()) {
      if (column[i] !== null) continue;
      complete = false;
      miss(columns[j]!);
    }
    for (const [j, column] of floats.entries()) {
      if (!Number.isNaN(column[i]!)) continue;
      complete = false;
      miss(names[j]!);
    }
    if (complete) places[i] = placeOf(i);
    else leftOut.rows++;
  }
  return { n: table.length - leftOut.rows, leftOut, levels, places, numbers: floats };

  function placeOf(row: number): number {
    let at = known;
    for (const column of values) {
      let next = at.get(column[row]) as Map<unknown, unknown> | undefined;
      if (!next) at.set(column[row], next = new Map());
      at = next;
    }
    let place = at.get(PLACE) as number | undefined;
    if (place === undefined) {
      at.set(PLACE, place = levels.length);
      levels.push(values.map((column) => String(column[row])));
      checkLevels(columns, levels);
    }
    return place;
  }
}

const PLACE = Symbol("place");

function levelValues(table: Table, name: string): readonly unknown[] {
  const { type, values } = table.column(name);
  if (type !== "date" || values.every((value) => value === null)) return values;
  throw new TypeError(`The column "${name}" holds dates, which are no levels.`);
}

function checkLevels(columns: string[], levels: string[][]) {
  if (levels.length <= MOST_LEVELS) return;
  for (const [i, name] of columns.entries()) {
    if (new Set(levels.map((group) => group[i])).size <= MOST_LEVELS) continue;
    throw new RangeError(
      `The column "${name}" has more than ${MOST_LEVELS} different values, too many for levels.`,
    );
  }
}

/** Rows by group. */
export function countGroups({ levels, places }: Groups): number[] {
  const counts = levels.map(() => 0);
  for (const place of places) if (place >= 0) counts[place]!++;
  return counts;
}

/** The values of one of the numbers by group. */
export function splitByGroup({ levels, places, numbers }: Groups, which = 0): Float64Array[] {
  const counts = countGroups({ levels, places } as Groups);
  const parts = counts.map((count) => new Float64Array(count));
  const filled = counts.map(() => 0);
  for (const [i, place] of places.entries()) {
    if (place >= 0) parts[place]![filled[place]!++] = numbers[which]![i]!;
  }
  return parts;
}
