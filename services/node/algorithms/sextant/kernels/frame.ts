/**
 * The rows of a site that a model can use: those in which nothing is missing.
 * @module
 */
import type { Table } from "../api.ts";
import type { Outside, Rows } from "../where.ts";
import { type Part, readCount, readFields, readRecord } from "../parts.ts";
import { floatsOf, sumCounts, type Variable } from "./survey.ts";

/** Rows that were not used, and why. A row in which two columns are missing counts at both. */
export interface LeftOut {
  rows: number;
  /** By column. */
  missing: Record<string, number>;
  /** Rows with a level that the model leaves out, by column. */
  levels: Record<string, number>;
  /** Rows that the condition `where` took away before; they are not among `rows`. */
  where: Outside;
}

/** Nothing left out yet of these rows. */
export function nothingLeftOut({ outside }: Rows): LeftOut {
  return { rows: 0, missing: {}, levels: {}, where: outside ?? { not_met: 0, unknown: 0 } };
}

export interface Frame {
  /** Rows. */
  n: number;
  leftOut: LeftOut;
  /** A column's numbers; of a category, the places of the levels. */
  column(name: string): Float64Array;
}

/**
 * The complete rows of these columns, and of those that were `read` already. A level that is not one
 * of the agreed ones leaves its row out too.
 */
export function completeRows(
  table: Rows,
  variables: Variable[],
  read: Record<string, Float64Array> = {},
): Frame {
  const leftOut = nothingLeftOut(table);
  const complete = new Uint8Array(table.length).fill(1);
  const columns = new Map<string, Float64Array>();
  const found = [
    ...variables.map((variable) => ({ name: variable.name, ...valuesOf(table, variable) })),
    ...Object.entries(read).map(([name, values]) => ({ name, ...withMissing(values) })),
  ];
  for (const { name, values, missing, others } of found) {
    columns.set(name, values);
    if (missing > 0) leftOut.missing[name] = missing;
    if (others > 0) leftOut.levels[name] = others;
    for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i]!)) complete[i] = 0;
  }
  let n = 0;
  for (let i = 0; i < complete.length; i++) n += complete[i]!;
  leftOut.rows = table.length - n;
  if (leftOut.rows > 0) {
    for (const [name, values] of columns) {
      const kept = new Float64Array(n);
      let filled = 0;
      for (let i = 0; i < values.length; i++) if (complete[i] === 1) kept[filled++] = values[i]!;
      columns.set(name, kept);
    }
  }
  return {
    n,
    leftOut,
    column(name) {
      const found = columns.get(name);
      if (found) return found;
      throw new Error(`The column "${name}" is not part of the model.`);
    },
  };
}

function valuesOf(table: Table, { name, levels }: Variable) {
  if (!levels) {
    return withMissing(floatsOf(table, name));
  }
  const places = new Map(levels.map((level, i) => [level, i]));
  const known = new Map<unknown, number>();
  const column = table.column(name).values;
  const values = new Float64Array(column.length).fill(NaN);
  let [missing, others] = [0, 0];
  for (let i = 0; i < column.length; i++) {
    const value = column[i];
    if (value === null || value === undefined) {
      missing++;
      continue;
    }
    let place = known.get(value);
    if (place === undefined) known.set(value, place = places.get(String(value)) ?? NaN);
    if (Number.isNaN(place)) others++;
    else values[i] = place;
  }
  return { values, missing, others };
}

function withMissing(values: Float64Array) {
  let missing = 0;
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i]!)) missing++;
  return { values, missing, others: 0 };
}

/** Reads what another site left out. */
export function readLeftOut(value: unknown): LeftOut {
  return readFields<LeftOut>(value, {
    rows: readCount,
    missing: (one) => readRecord(one, readCount),
    levels: (one) => readRecord(one, readCount),
    where: readOutside,
  });
}

/** Reads how many rows a condition took away at another site. */
export function readOutside(value: unknown): Outside {
  return readFields<Outside>(value, { not_met: readCount, unknown: readCount });
}

export interface Coverage {
  /** Rows used. */
  n: number;
  sites: { organization: number; n: number; left_out: number }[];
  left_out: LeftOut;
}

/** What a result rests on: the rows used, by site, and those left out. */
export function coverage(parts: Part<{ n: number; leftOut: LeftOut }>[]): Coverage {
  return {
    n: parts.reduce((sum, { part }) => sum + part.n, 0),
    sites: parts.map(({ organization, part }) => ({
      organization,
      n: part.n,
      left_out: part.leftOut.rows,
    })),
    left_out: {
      rows: parts.reduce((sum, { part }) => sum + part.leftOut.rows, 0),
      missing: sumCounts(parts.map(({ part }) => part.leftOut.missing)),
      levels: sumCounts(parts.map(({ part }) => part.leftOut.levels)),
      where: sumOutside(parts.map(({ part }) => part.leftOut.where)),
    },
  };
}

/** Throws if no row is used: there are none, or `lack` says what the rows lack. */
export function requireRows(
  { n, left_out }: { n: number; left_out: Pick<LeftOut, "rows" | "where"> },
  lack = "No row can be used.",
) {
  if (n > 0) return;
  const { rows, where: { not_met, unknown } } = left_out;
  if (rows > 0) throw new Error(lack);
  if (not_met + unknown === 0) throw new Error("There are no rows.");
  throw new Error(
    `No row meets the condition "where": of ${
      not_met + unknown
    } rows it is false or, of ${unknown}, ` +
      "left open by a missing value.",
  );
}

export function sumOutside(parts: Outside[]): Outside {
  return {
    not_met: parts.reduce((sum, { not_met }) => sum + not_met, 0),
    unknown: parts.reduce((sum, { unknown }) => sum + unknown, 0),
  };
}
