/**
 * A table of the counts of two columns over all organizations, with its tests and ratios; over the
 * levels of a third one, those of Mantel and Haenszel.
 * @module
 */
import type { Context } from "sextant/api.ts";
import { coverage, type LeftOut, readLeftOut, requireRows } from "sextant/kernels/frame.ts";
import { countGroups, groupRows } from "sextant/kernels/groups.ts";
import { byLevel } from "sextant/kernels/survey.ts";
import { askParts, readCount, readFields, readList, readText } from "sextant/parts.ts";
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
import { selectRows } from "sextant/where.ts";

export { description } from "./description.ts";

interface Question {
  row: string;
  column: string;
  stratum?: string | undefined;
  where?: string | undefined;
}

/** What leaves an organization. */
interface CountsPart {
  n: number;
  leftOut: LeftOut;
  /** The levels of row, column and stratum, and how many rows have them. */
  cells: { levels: string[]; count: number }[];
}

export async function central(
  context: Context,
  args: Question & { confidence: number; organizations?: number[] },
) {
  const { row, column, stratum, where, confidence, organizations } = args;
  const names = [row, column, ...stratum ? [stratum] : []];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new TypeError(`The column "${twice}" stands for two things in this table.`);
  const parts = await askParts(context, {
    organizations,
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
  const tableOf = (which: typeof cells) => {
    const counts = rows.map(() => columns.map(() => 0));
    for (const { levels: [r, c], count } of which) {
      counts[rows.indexOf(r!)]![columns.indexOf(c!)]! += count;
    }
    return counts;
  };
  const counts = tableOf(cells);
  const by = strata?.map((level) => ({
    stratum: level,
    counts: tableOf(cells.filter((cell) => cell.levels[2] === level)),
  }));
  const pair = isTwoByTwo(counts) ? describePair(counts, confidence) : NO_PAIR;
  const notes = isTwoByTwo(counts)
    ? [
      `Ratios are of "${columns[0]}" against "${columns[1]}" in "${rows[0]}" beside "${rows[1]}".`,
      ...counts.flat().includes(0) ? ["A cell is 0: ratios that divide by it are null."] : [],
    ]
    : [];
  return {
    rows,
    columns,
    counts,
    ...independence(counts),
    ...pair,
    strata: by ?? null,
    mantel_haenszel: by && isTwoByTwo(counts)
      ? describeStrata(by.map((one) => one.counts as TwoByTwo), confidence)
      : null,
    ...covered,
    notes: stratum && !isTwoByTwo(counts)
      ? [...notes, "Strata are pooled only in tables of two rows and two columns."]
      : notes,
  };
}

/** Returns this organization's counts. */
export function partial(
  context: Context,
  { row, column, stratum, where }: Question,
): CountsPart {
  const rows = selectRows(context.table(), where);
  const groups = groupRows(rows, [row, column, ...stratum ? [stratum] : []]);
  const counts = countGroups(groups);
  const cells = groups.levels.map((levels, i) => ({ levels, count: counts[i]! }));
  return { n: groups.n, leftOut: groups.leftOut, cells };
}

function isTwoByTwo(counts: number[][]): counts is TwoByTwo {
  return counts.length === 2 && counts[0]!.length === 2;
}

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
      readList(cells, (cell) =>
        readFields<CountsPart["cells"][number]>(cell, {
          levels: (levels) => readList(levels, readText, columns),
          count: readCount,
        })),
  });
}
