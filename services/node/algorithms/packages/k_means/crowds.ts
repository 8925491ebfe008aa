/**
 * Rows that go to clusters together, at sites with rules on what may leave: neighbours in crowds of
 * enough persons, which are the same whatever the centres are. So no cluster is of too few, and two
 * answers, of centres that hardly differ, differ by whole crowds and never by a person.
 * @module
 */
import { type SiteRules, useGroups } from "sextant/disclosure.ts";
import { momentsOf } from "sextant/kernels/moments.ts";
import { floatsOfRows } from "sextant/fill.ts";

/** Crowds are larger where there are very many rows: more of them would take long. */
const MOST_CROWDS = 20_000;

export interface Crowd {
  size: number;
  /** By column. */
  means: number[];
  /** By column: squared distances from the mean. */
  squares: number[];
  rows: Uint32Array;
}

/** Halves the rows by the column in which they differ most, as long as both halves are enough. */
export function crowdsOf(columns: Float64Array[], site: SiteRules): Crowd[] {
  const n = columns[0]!.length;
  if (n === 0) return [];
  const least = site.rules.minSubset;
  const small = Math.max(2 * least, Math.ceil(n / MOST_CROWDS));
  const spreads = columns.map((values) => momentsOf(values).squares);
  const crowds: Crowd[] = [];
  const open = [Uint32Array.from({ length: n }, (_, row) => row)];
  for (let rows = open.pop(); rows; rows = open.pop()) {
    const moments = columns.map((values) => momentsOf(floatsOfRows(rows, (row) => values[row]!)));
    const halves = rows.length < small ? undefined : halve(rows, moments);
    if (halves) {
      open.push(...halves);
      continue;
    }
    crowds.push({
      size: rows.length,
      means: moments.map(({ mean }) => mean),
      squares: moments.map(({ squares }) => squares),
      rows,
    });
  }
  return crowds;

  function halve(rows: Uint32Array, moments: { mean: number; squares: number }[]) {
    const share = moments.map(({ squares }, i) => spreads[i]! > 0 ? squares / spreads[i]! : 0);
    const widest = share.indexOf(Math.max(...share));
    const values = columns[widest]!;
    const { mean } = moments[widest]!;
    const byMean = [
      rows.filter((row) => values[row]! <= mean),
      rows.filter((row) => values[row]! > mean),
    ];
    if (byMean.every(isEnough)) return byMean;
    const sorted = rows.slice().sort((a, b) => values[a]! - values[b]! || a - b);
    const middle = sorted.length >> 1;
    const byPlace = [sorted.slice(0, middle), sorted.slice(middle)];
    return byPlace.every(isEnough) ? byPlace : undefined;
  }

  function isEnough(rows: Uint32Array): boolean {
    if (!site.persons) return rows.length >= least;
    return new Set(Array.from(rows, (row) => site.persons![row]!)).size >= least;
  }
}

/**
 * The clusters of crowds: each goes as a whole to the centre that its mean is nearest to. Says to
 * the site's ledger which rows each cluster has.
 */
export function clustersOfCrowds(
  crowds: Crowd[],
  { centres, scales, site }: { centres: number[][]; scales: number[]; site: SiteRules },
) {
  const sizes = centres.map(() => 0);
  const within = centres.map(() => 0);
  const sums = centres.map((centre) => centre.map(() => 0));
  const persons = centres.map(() => new Set<number>());
  const clusterOf = new Int32Array(crowds.reduce((sum, { size }) => sum + size, 0));
  for (const { size, means, squares, rows } of crowds) {
    let [nearest, least] = [0, Infinity];
    for (const [k, centre] of centres.entries()) {
      const distance = means.reduce(
        (sum, mean, j) => sum + ((mean - centre[j]!) / scales[j]!) ** 2,
        0,
      );
      if (distance < least) [nearest, least] = [k, distance];
    }
    sizes[nearest]! += size;
    for (const row of rows) clusterOf[row] = nearest;
    within[nearest]! += size * least +
      squares.reduce((sum, square, j) => sum + square / scales[j]! ** 2, 0);
    for (const [j, mean] of means.entries()) sums[nearest]![j]! += size * mean;
    if (site.persons) { for (const row of rows) persons[nearest]!.add(site.persons[row]!); }
  }
  useGroups(site, clusterOf, centres.length);
  return {
    sizes,
    persons: site.persons ? persons.map(({ size }) => size) : sizes,
    /** Not sums: with sizes that are rounded they would give other means. */
    means: sums.map((row, k) => row.map((sum) => sizes[k] === 0 ? 0 : sum / sizes[k]!)),
    within,
  };
}
