/**
 * Exact quantiles over all organizations, without their values: sites count how many lie at or
 * below given numbers, and the search is narrowed until no number lies in between. A site with
 * rules counts in intervals of its own, the same whatever is asked, so that no search closes in on
 * a value.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { PartWithheld, type SiteRules, useGroups } from "sextant/disclosure.ts";
import {
  countUpTo,
  firstAbove,
  intervalsOfRuns,
  roundest,
  runsOf,
} from "sextant/kernels/coarse.ts";
import { completeRows, coverage, readLeftOut } from "sextant/kernels/frame.ts";
import { requireRows, type Used, usedRows } from "sextant/kernels/frame.ts";
import { readCount, readFields, readList, readNumber } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";
import { fromOrdered, toOrdered } from "sextant/statistics/ordered_bits.ts";

export { description } from "./description.ts";

/** Into how many parts a round cuts the numbers that one value may be. */
const CUTS = 256n;
/** Eight suffice for 64 bits. */
const MOST_ROUNDS = 20;

interface Question {
  column: string;
  where?: string | undefined;
}

interface CountPart extends Used {
  /** Values at or below each of the numbers. */
  counts: number[];
  /** Of a site with rules: so many of the least and of the greatest values are told of together. */
  ends?: number;
  countPersons?: number[];
}

/** One value of the sorted rows, searched for between two numbers: above `low`, at most `high`. */
interface Search {
  /** How many values are at or below it, itself among them. */
  rank: number;
  low: bigint;
  high: bigint;
}

export async function central(
  context: Context,
  args: Question & { probabilities: unknown[]; organizations?: number[] },
) {
  const { column, where, organizations } = args;
  const isOne = (p: unknown): p is number => typeof p === "number" && p > 0 && p < 1;
  const { probabilities } = args;
  if (probabilities.length === 0 || !probabilities.every(isOne)) {
    throw new TypeError('The argument "probabilities" must be a list of numbers between 0 and 1.');
  }
  const sites = createSites(context, organizations);
  const ask = (limits: number[]) =>
    sites.ask({
      method: "partial",
      kwargs: { column, where, limits },
      read: (part) => readPart(part, limits.length),
    });
  const parts = await ask([]);
  const covered = coverage(parts);
  requireRows(covered, `No organization has a value in the column "${column}".`);
  const { n, ...rest } = covered;
  sites.settle();
  const ends = Math.max(...parts.map(({ part }) => part.ends ?? 0));

  // Between which two of the sorted values each quantile lies, and where.
  const places = probabilities.map((p) => p * (n - 1));
  const ranks = places.flatMap((place) => [Math.floor(place) + 1, Math.ceil(place) + 1]);
  const values = await findValues([...new Set(ranks)], async (limits) => {
    const parts = await ask(limits);
    return limits.map((_, i) => parts.reduce((sum, { part }) => sum + part.counts[i]!, 0));
  });
  const quantiles = places.map((place, i) => {
    const [low, high] = [Math.floor(place), Math.ceil(place)].map((rank) => values.get(rank + 1)!);
    // Not at the ends, nor where the last interval ends, which is no value.
    if (place < ends || place > n - 1 - ends || high === Number.MAX_VALUE && ends > 0) {
      return { probability: probabilities[i]!, value: null };
    }
    const value = low! + (place - Math.floor(place)) * (high! - low!);
    return { probability: probabilities[i]!, value };
  });
  const notes = ends > 0
    ? ["Values are where intervals of enough persons end; at the ends there are none."]
    : [];
  return { quantiles, n, ...rest, ...sites.withheld(), notes: [...notes, ...sites.notes()] };
}

/** Returns this organization's counts. */
export function partial(
  context: Context,
  { column, where, limits }: Question & { limits: number[] },
): CountPart {
  return answer(context, where, (table) => {
    const frame = completeRows(table, [{ name: column }]);
    if (frame.site) {
      return { ...usedRows(frame), ...coarseCounts(frame.column(column), limits, frame.site) };
    }
    const sorted = frame.column(column).slice().sort();
    return {
      ...usedRows(frame),
      counts: limits.map((limit) => firstAbove(sorted, limit, 0, sorted.length)),
    };
  });
}

/** The counts as if every value were where its interval ends. */
function coarseCounts(values: Float64Array, limits: number[], site: SiteRules) {
  const { rules: { minSubset: least }, withhold } = site;
  const runs = runsOf(values, site.persons);
  const cutting = { least, part: roundest, last: Number.MAX_VALUE };
  const { persons } = runs;
  if (values.length > 0 && persons.at(-1)! < least) throw new PartWithheld("min_cell");
  // A value that fewer have is told with others.
  const isCoarse = persons.some((before, place) =>
    place > 0 && before - persons[place - 1]! < least
  );
  const intervals = intervalsOfRuns(runs, cutting)!;
  if (isCoarse || intervals.some(({ exact }) => !exact)) {
    withhold("counts", "min_cell", values.length);
  }
  useCounted(site, values, { limits, ends: intervals.map(({ upTo }) => upTo) });
  const counts = limits.map((limit) => countUpTo(runs, cutting, limit));
  return {
    counts: counts.map(({ rows }) => rows),
    countPersons: counts.map(({ persons }) => persons),
    ends: least,
  };
}

/** Says to the ledger which rows lie between two limits that are asked for, in whole intervals. */
function useCounted(
  site: SiteRules,
  values: Float64Array,
  { limits, ends }: { limits: readonly number[]; ends: readonly number[] },
): void {
  const isAfter = (limit: number) => firstAbove(ends, limit, 0, ends.length);
  const told = [...new Set(limits.map(isAfter))].sort((a, b) => a - b);
  if (told.length === 0) return;
  const groupOf = Int32Array.from(values, (value) => {
    const after = isAfter(value);
    // An interval has its end.
    const interval = after > 0 && ends[after - 1] === value ? after - 1 : after;
    return firstAbove(told, interval, 0, told.length);
  });
  useGroups(site, groupOf, told.length + 1);
}

/** The values of these ranks, from counts of values at or below limits. */
async function findValues(
  ranks: number[],
  count: (limits: number[]) => Promise<number[]>,
): Promise<Map<number, number>> {
  const edge = toOrdered(Number.MAX_VALUE);
  const searches: Search[] = ranks.map((rank) => ({ rank, low: -edge - 1n, high: edge }));
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const open = searches.filter(({ low, high }) => high - low > 1n);
    if (open.length === 0) break;
    const limits = [...new Set(open.flatMap(cuts))].sort((a, b) => a < b ? -1 : 1);
    const counts = await count(limits.map(fromOrdered));
    for (const search of open) {
      for (const [i, limit] of limits.entries()) {
        const isAbove = counts[i]! < search.rank;
        if (isAbove && limit > search.low) search.low = limit;
        if (!isAbove && limit < search.high) search.high = limit;
      }
    }
  }
  return new Map(searches.map(({ rank, high }) => [rank, fromOrdered(high)]));
}

function cuts({ low, high }: Search): bigint[] {
  const width = high - low;
  const parts = width < CUTS ? width : CUTS;
  return Array.from({ length: Number(parts) - 1 }, (_, i) => low + width * BigInt(i + 1) / parts);
}

function readPart(value: unknown, length: number): CountPart {
  return readFields<Omit<CountPart, "countPersons">>(value, {
    n: readCount,
    leftOut: readLeftOut,
    counts: (counts) => readList(counts, readNumber, length),
    ends: (ends) => ends === undefined ? 0 : readCount(ends),
  });
}
