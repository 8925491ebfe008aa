/**
 * Exact quantiles over all organizations, without their values: sites count how many lie at or
 * below given numbers, and the search is narrowed until no number lies in between.
 * @module
 */
import type { Context } from "sextant/api.ts";
import { completeRows, coverage, type LeftOut, readLeftOut } from "sextant/kernels/frame.ts";
import { requireRows } from "sextant/kernels/frame.ts";
import { askParts, readCount, readFields, readList, readNumber } from "sextant/parts.ts";
import { fromOrdered, toOrdered } from "sextant/statistics/ordered_bits.ts";
import { selectRows } from "sextant/where.ts";

export { description } from "./description.ts";

/** Into how many parts a round cuts the numbers that one value may be. */
const CUTS = 256n;
/** Eight suffice for 64 bits. */
const MOST_ROUNDS = 20;

interface Question {
  column: string;
  where?: string | undefined;
}

interface CountPart {
  n: number;
  leftOut: LeftOut;
  /** Values at or below each of the numbers. */
  counts: number[];
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
  const ask = (limits: number[]) =>
    askParts(context, {
      organizations,
      method: "partial",
      kwargs: { column, where, limits },
      read: (part) => readPart(part, limits.length),
    });
  const parts = await ask([]);
  const covered = coverage(parts);
  requireRows(covered, `No organization has a value in the column "${column}".`);
  const { n, ...rest } = covered;

  // Between which two of the sorted values each quantile lies, and where.
  const places = probabilities.map((p) => p * (n - 1));
  const ranks = places.flatMap((place) => [Math.floor(place) + 1, Math.ceil(place) + 1]);
  const values = await findValues([...new Set(ranks)], async (limits) => {
    const parts = await ask(limits);
    return limits.map((_, i) => parts.reduce((sum, { part }) => sum + part.counts[i]!, 0));
  });
  const quantiles = places.map((place, i) => {
    const [low, high] = [Math.floor(place), Math.ceil(place)].map((rank) => values.get(rank + 1)!);
    const value = low! + (place - Math.floor(place)) * (high! - low!);
    return { probability: probabilities[i]!, value };
  });
  return { quantiles, n, ...rest, notes: [] };
}

/** Returns this organization's counts. */
export function partial(
  context: Context,
  { column, where, limits }: Question & { limits: number[] },
): CountPart {
  const frame = completeRows(selectRows(context.table(), where), [{ name: column }]);
  const sorted = frame.column(column).slice().sort();
  return {
    n: frame.n,
    leftOut: frame.leftOut,
    counts: limits.map((limit) => below(sorted, limit)),
  };
}

/** How many of the sorted values are at or below the limit. */
function below(sorted: Float64Array, limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
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
  return readFields<CountPart>(value, {
    n: readCount,
    leftOut: readLeftOut,
    counts: (counts) => readList(counts, readNumber, length),
  });
}
