/**
 * Sums of weights in which few rows count, as if there were hardly any others: the rows that count
 * equally and give as much are fewer than the rules ask for (Kish 1965).
 * @module
 */
import { mostRowsOfOne, PartWithheld, type SiteRules } from "./disclosure.ts";
import { sumsOf } from "./shares.ts";

/** Refuses sums of these weights, one a row. */
export function requireSpread(site: SiteRules, weights: Float64Array) {
  const { rules, persons } = site;
  const shares = persons ? sumsOf(persons, weights) : weights;
  let largest = 0;
  for (let i = 0; i < shares.length; i++) {
    if (shares[i]! <= largest) continue;
    largest = shares[i]!;
    if (Number.isNaN(largest)) throw new PartWithheld("min_subset");
  }
  if (largest === 0) return;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < shares.length; i++) {
    // Divided by the largest, so that squares stay numbers.
    const share = shares[i]! / largest;
    sum += share;
    squares += share * share;
  }
  if (!(sum * sum / squares >= rules.minSubset)) throw new PartWithheld("min_subset");
}

/** Squares beyond these may have lost what was added to them. */
const [LEAST, MOST] = [1e-250, 1e250];
/** More than rounding takes from sums over rows. */
const ROUNDING = 1e-6;

/**
 * Whether {@linkcode requireSpread} does not refuse weights of this sum, and of these squares. The
 * squares of persons' shares are at most those of their rows, times the rows that one of them has.
 */
export function isPlainlySpread(
  site: SiteRules,
  { sum, squares }: { sum: number; squares: number },
): boolean {
  // Nothing of anybody.
  if (sum === 0 && squares === 0) return true;
  if (!(squares > LEAST && squares < MOST)) return false;
  const least = site.rules.minSubset * mostRowsOfOne(site);
  return sum * sum / squares >= least * (1 + ROUNDING);
}
