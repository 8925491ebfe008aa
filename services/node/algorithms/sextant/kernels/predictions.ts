/**
 * What a site's rules ask of coefficients and scales that somebody else chose: none may make of a
 * sum over rows a count of those beyond a limit, which a few questions would bring to a person's
 * value.
 * @module
 */
import { PartWithheld, type SiteRules } from "../disclosure.ts";
import { requireSpread } from "../spread.ts";
import { momentsOf } from "./moments.ts";

/**
 * The most standard deviations of a sum of predictors of which an exponential is taken. A model of
 * a chance from 1 in 10,000 to 9,999 in 10,000 has about 5; beyond 36 an exponential is all or
 * nothing.
 */
const WIDEST = 10;
/** As many times as far off, or as wide or narrow as the column, a scale keeps no digits. */
const FARTHEST = 1e6;

interface Predicted {
  columns: readonly Float64Array[];
  offset?: Float64Array | undefined;
  /** Rows. */
  n: number;
}

/**
 * Refuses coefficients by which sums of predictors lie too far apart. By their standard deviation,
 * which follows from what is told anyway: a limit to the outermost ones would tell of these.
 */
export function requireRange(
  site: SiteRules | undefined,
  { columns, offset, n }: Predicted,
  coefficients: readonly number[],
): void {
  if (!site || n === 0) return;
  requireNear(n, momentsOf(sumsOf({ columns, offset, n }, coefficients)).squares);
}

/** The same of so many sums of predictors, of these squares about their mean. */
export function requireNear(n: number, squares: number): void {
  if (!(squares <= n * WIDEST ** 2)) throw new PartWithheld("min_subset");
}

/** Refuses coefficients by which only a few rows are in danger, as if there were no others. */
export function requireSpreadHazards(
  site: SiteRules | undefined,
  columns: readonly Float64Array[],
  coefficients: readonly number[],
): void {
  const n = columns[0]?.length ?? 0;
  if (!site || n === 0) return;
  requireRange(site, { columns, n }, coefficients);
  const sums = sumsOf({ columns, n }, coefficients);
  const most = sums.reduce((all, one) => Math.max(all, one), -Infinity);
  requireSpread(site, sums.map((one) => Math.exp(one - most)));
}

function sumsOf(
  { columns, offset, n }: Predicted,
  coefficients: readonly number[],
): Float64Array {
  const sums = offset ? offset.slice() : new Float64Array(n);
  for (const [j, values] of columns.entries()) {
    const coefficient = coefficients[j]!;
    for (let row = 0; row < n; row++) sums[row]! += coefficient * values[row]!;
  }
  return sums;
}

/** As many times less than {@linkcode FARTHEST} as rounding may take from plain sums. */
const PLAIN = 1e3;

/**
 * Whether {@linkcode requireScale} does not refuse what made a column of so many numbers, of this
 * sum and these squares about 0.
 */
export function isPlainlyScaled(
  { n, sum, squares }: { n: number; sum: number; squares: number },
): boolean {
  const mean = sum / n;
  const variance = squares / n - mean * mean;
  return variance >= 1 / PLAIN ** 2 && variance <= PLAIN ** 2 &&
    mean * mean <= PLAIN ** 2 * variance;
}

/** Refuses to centre and scale a column by numbers that have nothing to do with it. */
export function requireScale(
  site: SiteRules | undefined,
  values: Float64Array,
  { centre, scale }: { centre: number; scale: number },
): void {
  if (!site || values.length === 0) return;
  const { n, mean, squares } = momentsOf(values);
  const spread = Math.sqrt(squares / n);
  if (spread === 0) return;
  const size = Math.abs(scale) / spread;
  const isNear = Math.abs(centre - mean) <= FARTHEST * spread;
  if (!isNear || !(size >= 1 / FARTHEST && size <= FARTHEST)) throw new PartWithheld("min_subset");
}
