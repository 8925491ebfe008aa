/**
 * The rows of a site that a model can use: those in which nothing is missing.
 * @module
 */
import type { Table } from "../api.ts";
import {
  PartWithheld,
  personsUpTo,
  requireSubset,
  rulesOfRows,
  type SiteRules,
  useRows,
} from "../disclosure.ts";
import type { Outside, Rows } from "../where.ts";
import { type Part, readCountOrNull, readFields, readRecord } from "../parts.ts";
import { floatsOf } from "../columns.ts";
import { sumCounts, type Variable } from "./survey.ts";

/**
 * Rows that were not used, and why. A row in which two columns are missing counts at both. Null
 * where an organization's rules withhold a count.
 */
export interface LeftOut {
  rows: number | null;
  /** By column. */
  missing: Record<string, number | null>;
  /** Rows with a level that the model leaves out, by column. */
  levels: Record<string, number | null>;
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
  /** Whether it is a category, whose numbers are places of levels. */
  isCategory(name: string): boolean;
  /** What may leave, where the site's owner has set rules. */
  site: SiteRules | undefined;
}

/**
 * The beginning of a site's part: how many rows it uses, of how many persons, and what it does not.
 */
export interface Used {
  n: number;
  /** For the site's rules alone: it does not leave. */
  persons?: number;
  leftOut: LeftOut;
}

/** What a part says of the rows that it uses; under rules, refuses rows of too few persons. */
export function usedRows({ n, leftOut, site }: Pick<Frame, "n" | "leftOut" | "site">): Used {
  if (!site) return { n, leftOut };
  const persons = requireSubset(site, n);
  if (n > 0) useRows(site);
  else site.use([]);
  return { n, persons, leftOut: withoutFew(leftOut, site) };
}

/**
 * Where a few rows were left out for one reason, how many were for others is not told either: the
 * difference to how many were left out in all would be those few.
 */
function withoutFew(leftOut: LeftOut, { rules: { minCell }, withhold }: SiteRules): LeftOut {
  const { missing, levels } = leftOut;
  const counts = [missing, levels].flatMap((counts) => Object.values(counts));
  const some = counts.filter((count) => count !== null && count > 0) as number[];
  if (some.length < 2 || some.every((count) => count >= minCell)) return leftOut;
  withhold("leftOut", "min_cell", some.length);
  const hidden = (counts: Record<string, number | null>) =>
    Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count && null]));
  return { ...leftOut, missing: hidden(missing), levels: hidden(levels) };
}

/**
 * The complete rows of these columns, and of those that were `read` already. A level that is not
 * one of the agreed ones leaves its row out too; under rules so does one that too few persons have
 * here, except in columns that are `kept` as they are, such as an outcome.
 */
export function completeRows(
  table: Rows,
  variables: Variable[],
  read: Record<string, Float64Array> = {},
  kept: string[] = [],
): Frame {
  const leftOut: LeftOut & { rows: number } = { ...nothingLeftOut(table), rows: 0 };
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
    if (missing + others === 0) continue;
    for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i]!)) complete[i] = 0;
  }
  const wasEmpty = !complete.includes(1);
  // Whoever names some of the levels chooses rows.
  const isChosen = table.site?.isChosen === true || found.some(({ others }) => others > 0);
  const site = table.site && { ...table.site, isChosen };
  if (site) {
    const categories = variables.filter(({ name, levels }) => levels && !kept.includes(name));
    leaveOutRareLevels(site, { categories, columns, complete, leftOut });
  }
  let n = 0;
  for (let i = 0; i < complete.length; i++) n += complete[i]!;
  // Nothing is left of some: that is no site without rows.
  if (n === 0 && site && isChosen) throw new PartWithheld("min_subset");
  if (n === 0 && !wasEmpty) throw new PartWithheld("min_level");
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
    site: site && leftOut.rows > 0 ? rulesOfRows(site, rowsWhere(complete, n)) : site,
    isCategory: (name) => variables.some((one) => one.name === name && one.levels !== undefined),
    column(name) {
      const found = columns.get(name);
      if (found) return found;
      throw new Error(`The column "${name}" is not part of the model.`);
    },
  };
}

function rowsWhere(complete: Uint8Array, n: number): Uint32Array {
  const rows = new Uint32Array(n);
  let filled = 0;
  for (let i = 0; i < complete.length; i++) if (complete[i] === 1) rows[filled++] = i;
  return rows;
}

/** Leaves out the rows of levels of too few persons, until no level is left that has so few. */
function leaveOutRareLevels(
  site: SiteRules,
  { categories, columns, complete, leftOut }: {
    categories: Variable[];
    columns: Map<string, Float64Array>;
    complete: Uint8Array;
    leftOut: LeftOut;
  },
) {
  for (let again = true; again;) {
    again = false;
    for (const { name, levels } of categories) {
      const values = columns.get(name)!;
      const { minLevel } = site.rules;
      const persons = personsUpTo(minLevel, site, values, levels!.length, complete);
      const rare = persons.map((count) => count > 0 && count < minLevel);
      if (!rare.includes(true)) continue;
      again = true;
      site.withhold("levels", "min_level", rare.filter(Boolean).length);
      for (let i = 0; i < values.length; i++) {
        if (complete[i] === 0 || !rare[values[i]!]) continue;
        complete[i] = 0;
        leftOut.levels[name] = (leftOut.levels[name] ?? 0) + 1;
      }
    }
  }
}

function valuesOf(table: Table, { name, levels }: Variable) {
  if (!levels) {
    return withMissing(floatsOf(table, name));
  }
  const agreed = new Map(levels.map((level, i) => [level, i]));
  const { values: given, places } = table.levels(name);
  const placeOf = given.map((value) => agreed.get(String(value)) ?? NaN);
  const values = new Float64Array(places.length);
  let [missing, others] = [0, 0];
  for (let i = 0; i < places.length; i++) {
    const place = places[i]! < 0 ? NaN : placeOf[places[i]!]!;
    values[i] = place;
    if (places[i]! < 0) missing++;
    else if (Number.isNaN(place)) others++;
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
    rows: readCountOrNull,
    missing: (one) => readRecord(one, readCountOrNull),
    levels: (one) => readRecord(one, readCountOrNull),
    where: readOutside,
  });
}

/** Reads how many rows a condition took away at another site. */
export function readOutside(value: unknown): Outside {
  return readFields<Outside>(value, { not_met: readCountOrNull, unknown: readCountOrNull });
}

export interface Coverage {
  /** Rows used. */
  n: number;
  sites: { organization: number; n: number; left_out: number | null }[];
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
      rows: sumKnown(parts.map(({ part }) => part.leftOut.rows)),
      missing: sumCounts(parts.map(({ part }) => part.leftOut.missing)),
      levels: sumCounts(parts.map(({ part }) => part.leftOut.levels)),
      where: sumOutside(parts.map(({ part }) => part.leftOut.where)),
    },
  };
}

/** Throws if no row is used: there are none, or `lack` says what the rows lack. */
export function requireRows(
  { n, left_out }: { n: number | null; left_out: Pick<LeftOut, "rows" | "where"> },
  lack = "No row can be used.",
) {
  // A count that is withheld is not 0.
  if (n !== 0) return;
  const { rows, where: { not_met, unknown } } = left_out;
  if (rows !== 0) throw new Error(lack);
  if (not_met === null || unknown === null) {
    throw new Error('No row meets the condition "where".');
  }
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
    not_met: sumKnown(parts.map(({ not_met }) => not_met)),
    unknown: sumKnown(parts.map(({ unknown }) => unknown)),
  };
}

/** The sum of counts; null where one of them was withheld, which is not 0. */
export function sumKnown(counts: readonly (number | null)[]): number | null {
  return counts.reduce((sum, count) => sum === null || count === null ? null : sum + count, 0);
}
