/**
 * Sums that one person, or few, make up nearly all of.
 * @module
 */
import type { DisclosureRules } from "./api.ts";
import { PartWithheld, type SiteRules } from "./disclosure.ts";
import { roomOf } from "./distinct.ts";

/** What single persons contribute to a sum, for the rules on dominance. */
export interface Contributions {
  total: number;
  largest: number[];
}

/** The contributions to the sum of some values; undefined where no rule asks for them. */
export function contributionsOf(
  { rules, persons }: SiteRules,
  values: Float64Array,
): Contributions | undefined {
  if (rules.dominance === null && rules.pRatio === null) return undefined;
  const byPerson = new Map<number, number>();
  for (let i = 0; i < values.length; i++) {
    const person = persons?.[i] ?? i;
    const value = values[i]!;
    if (!Number.isNaN(value)) byPerson.set(person, (byPerson.get(person) ?? 0) + value);
  }
  const sorted = Float64Array.from(byPerson.values(), Math.abs).sort().reverse();
  return {
    total: sorted.reduce((sum, value) => sum + value, 0),
    largest: [...sorted.subarray(0, Math.max(2, rules.dominance?.largest ?? 0))],
  };
}

/** Refuses columns of which one person, or few, make up nearly all of the sum. */
export function requireShares(site: SiteRules, columns: readonly Float64Array[]) {
  const { rules: { dominance, pRatio }, persons } = site;
  if (!dominance && pRatio === null) return;
  const most = Math.max(2, dominance?.largest ?? 0);
  for (const values of columns) {
    const sizes = persons ? sumsOf(persons, values.map(Math.abs)) : values;
    let total = 0;
    const largest = new Array<number>(most).fill(0);
    for (let i = 0; i < sizes.length; i++) {
      const size = Math.abs(sizes[i]!);
      total += size;
      if (!(size > largest[most - 1]!)) continue;
      largest[most - 1] = size;
      largest.sort((a, b) => b - a);
    }
    const why = whyNotShares({ dominance, pRatio }, { total, largest });
    if (why) throw new PartWithheld(why);
  }
}

/**
 * The rule against telling a sum that one person, or few, make up nearly all of, if one is; numbers
 * that are none break it. The last digit of a product may be another.
 */
export function whyNotShares(
  { dominance, pRatio }: Pick<DisclosureRules, "dominance" | "pRatio">,
  { total, largest }: Contributions,
): "dominance" | "p_ratio" | undefined {
  const sorted = largest.toSorted((one, other) => other - one);
  if (dominance) {
    // Fewer than so many are all that there are.
    const together = sorted.slice(0, dominance.largest).reduce((sum, one) => sum + one, 0);
    if (!(together <= dominance.share * total * (1 + 1e-12))) return "dominance";
  }
  const [first = 0, second = 0] = sorted;
  if (pRatio !== null && !(total - first - second >= pRatio * first * (1 - 1e-12))) {
    return "p_ratio";
  }
}

/** The sum of the values of each person. */
export function sumsOf(persons: Uint32Array, values: Float64Array): Float64Array {
  const sums = new Float64Array(roomOf(persons));
  for (let row = 0; row < values.length; row++) sums[persons[row]!]! += values[row]!;
  return sums;
}
