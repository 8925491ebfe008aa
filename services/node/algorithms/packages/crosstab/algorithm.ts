/**
 * A table of the counts of two columns over all organizations, with its tests and ratios; over the
 * levels of a third one, those of Mantel and Haenszel.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { coverage, readLeftOut, requireRows } from "sextant/kernels/frame.ts";
import type { Used } from "sextant/kernels/frame.ts";
import { countGroups, groupRows, hiddenGroups } from "sextant/kernels/groups.ts";
import { personsOfGroups, usedGroups } from "sextant/kernels/groups.ts";
import { byLevel } from "sextant/kernels/survey.ts";
import { readCount, readCountOrNull, readFields, readList, readText } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";
import { chiSquaredAbove } from "sextant/statistics/distributions.ts";
import { fisherExact } from "sextant/statistics/fisher.ts";
import {
  homogeneityTest,
  mantelHaenszelTest,
  oddsRatio,
  pooledOddsRatio,
  pooledRiskRatio,
  riskDifference,
  riskRatio,
  type TwoByTwo,
} from "sextant/statistics/two_by_two.ts";

export { description } from "./description.ts";

interface Question {
  row: string;
  column: string;
  stratum?: string | undefined;
  where?: string | undefined;
}

/** What leaves an organization. */
interface CountsPart extends Used {
  /** The levels of row, column and stratum, and how many rows have them; null if withheld. */
  cells: { levels: string[]; count: Count }[];
}

/** As it leaves. */
interface Cell {
  row: string;
  column: string;
  stratum?: string;
  count: Count;
  /** For the site's rules alone. */
  persons?: number;
}

/** Null where an organization withholds its own. */
type Count = number | null;

export async function central(
  context: Context,
  args: Question & { confidence: number; organizations?: number[] },
) {
  const { row, column, stratum, where, confidence, organizations } = args;
  const names = [row, column, ...stratum ? [stratum] : []];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new TypeError(`The column "${twice}" stands for two things in this table.`);
  const sites = createSites(context, organizations);
  const parts = await sites.ask({
    method: "partial",
    kwargs: { row, column, stratum, where },
    read: (part) => readPart(part, names.length),
  });
  const cells = parts.flatMap(({ part }) => part.cells);
  const covered = coverage(parts);
  requireRows(covered, "No row has a value in each of the columns.");
  const levels = names.map((_, i) =>
    [...new Set(cells.map((cell) => cell.levels[i]!))].sort(byLevel)
  );
  const [rows, columns, strata] = levels as [string[], string[], string[]?];
  const tableOf = (stratum?: string): Count[][] => {
    const counts = rows.map(() => columns.map((): Count => 0));
    for (const { part } of parts) {
      const unknown = names.map((name, i) => unknownLevels(part, name, i));
      for (const { levels: [r, c, s], count } of part.cells) {
        if (stratum !== undefined && s !== stratum) continue;
        const [i, j] = [rows.indexOf(r!), columns.indexOf(c!)];
        counts[i]![j] = add(counts[i]![j]!, count);
      }
      for (const [i, row] of rows.entries()) {
        for (const [j, column] of columns.entries()) {
          const isUnknown = unknown[0]!(row) || unknown[1]!(column) ||
            stratum !== undefined && unknown[2]!(stratum);
          if (isUnknown) counts[i]![j] = null;
        }
      }
    }
    return counts;
  };
  const counts = tableOf();
  const by = strata?.map((level) => ({ stratum: level, counts: tableOf(level) }));
  const known = isKnown(counts) ? counts : undefined;
  const pair = known && isTwoByTwo(known) ? describePair(known, confidence) : NO_PAIR;
  const notes = isTwoByTwo(counts)
    ? [
      `Ratios are of "${columns[0]}" against "${columns[1]}" in "${rows[0]}" beside "${rows[1]}".`,
      ...counts.flat().includes(0) ? ["A cell is 0: ratios that divide by it are null."] : [],
    ]
    : [];
  if (!known) {
    notes.push("A cell that an organization withholds is null, and so is what needs every cell.");
  }
  return {
    rows,
    columns,
    counts,
    ...known ? independence(known) : NO_TESTS,
    ...pair,
    strata: by ?? null,
    mantel_haenszel: by?.every((one) => isKnown(one.counts)) && isTwoByTwo(counts)
      ? describeStrata(by.map((one) => one.counts as TwoByTwo), confidence)
      : null,
    ...covered,
    ...sites.withheld(),
    notes: [
      ...notes,
      ...stratum && !isTwoByTwo(counts)
        ? ["Strata are pooled only in tables of two rows and two columns."]
        : [],
      ...sites.notes(),
    ],
  };
}

/** Returns this organization's counts. */
export function partial(
  context: Context,
  { row, column, stratum, where }: Question,
): Used & { cells: Cell[] } {
  return answer(context, where, (rows) => {
    const groups = groupRows(rows, [row, column, ...stratum ? [stratum] : []]);
    const counts = countGroups(groups);
    const persons = personsOfGroups(groups);
    const hidden = hiddenGroups(groups, { persons });
    const gone = hidden.filter(Boolean).length;
    if (gone > 0) groups.site!.withhold("cells", "min_cell", gone);
    const cells = groups.levels.map(([row, column, stratum], i): Cell => ({
      row: row!,
      column: column!,
      ...stratum !== undefined && { stratum },
      count: hidden[i] ? null : counts[i]!,
      ...persons && { persons: persons[i]! },
    }));
    return { ...usedGroups(groups), cells };
  });
}

function add(a: Count, b: Count): Count {
  return a === null || b === null ? null : a + b;
}

/**
 * Whether an organization may have rows of a level though it names none: it has left out levels of
 * too few persons.
 */
function unknownLevels(part: CountsPart, name: string, place: number): (level: string) => boolean {
  if (part.leftOut.levels[name] === undefined) return () => false;
  const named = new Set(part.cells.map(({ levels }) => levels[place]));
  return (level) => !named.has(level);
}

function isKnown(counts: Count[][]): counts is number[][] {
  return !counts.flat().includes(null);
}

function isTwoByTwo<T extends Count>(counts: T[][]): counts is [[T, T], [T, T]] {
  return counts.length === 2 && counts[0]!.length === 2;
}

const NO_TESTS = { chi_squared: null, yates: null, cramers_v: null, smallest_expected: null };

/** The tests of independence, null where a table of one row or column has none. */
function independence(counts: number[][]) {
  const rows = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const columns = counts[0]!.map((_, j) => counts.reduce((sum, row) => sum + row[j]!, 0));
  const n = rows.reduce((sum, count) => sum + count, 0);
  const expected = rows.map((row) => columns.map((column) => row * column / n));
  const smallest = Math.min(...expected.flat());
  const freedom = (rows.length - 1) * (columns.length - 1);
  if (freedom === 0) {
    return { chi_squared: null, yates: null, cramers_v: null, smallest_expected: smallest };
  }
  const distance = (correction: number) =>
    counts.reduce((sum, row, i) =>
      sum + row.reduce((inRow, count, j) => {
        const away = Math.abs(count - expected[i]![j]!);
        return inRow + (away - Math.min(correction, away)) ** 2 / expected[i]![j]!;
      }, 0), 0);
  const test = (statistic: number) => ({
    statistic,
    degrees_of_freedom: freedom,
    p: chiSquaredAbove(statistic, freedom),
  });
  const most = n * Math.min(rows.length - 1, columns.length - 1);
  return {
    chi_squared: test(distance(0)),
    yates: isTwoByTwo(counts) ? test(distance(0.5)) : null,
    cramers_v: Math.sqrt(distance(0) / most),
    smallest_expected: smallest,
  };
}

const NO_PAIR = { fisher: null, odds_ratio: null, risk_ratio: null, risk_difference: null };

function describePair(counts: TwoByTwo, confidence: number) {
  return {
    fisher: { p: fisherExact(counts) },
    odds_ratio: oddsRatio(counts, confidence),
    risk_ratio: riskRatio(counts, confidence),
    risk_difference: riskDifference(counts, confidence),
  };
}

function describeStrata(tables: TwoByTwo[], confidence: number) {
  const odds = pooledOddsRatio(tables, confidence);
  return {
    odds_ratio: odds,
    risk_ratio: pooledRiskRatio(tables, confidence),
    test: mantelHaenszelTest(tables),
    homogeneity: odds && homogeneityTest(tables, odds.estimate),
  };
}

function readPart(value: unknown, columns: number): CountsPart {
  return readFields<CountsPart>(value, {
    n: readCount,
    leftOut: readLeftOut,
    cells: (cells) =>
      readList(cells, (cell) => {
        const read = readFields<Omit<Cell, "persons">>(cell, {
          row: readText,
          column: readText,
          stratum: (one) => columns === 3 ? readText(one) : "",
          count: readCountOrNull,
        });
        const levels = [read.row, read.column, read.stratum!].slice(0, columns);
        return { levels, count: read.count };
      }),
  });
}
