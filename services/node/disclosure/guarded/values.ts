/**
 * Whether sums of numbers over a group of rows may be told.
 * @module
 */
import { sizesOf } from "./released.ts";
import type { Rule, Rules, Session, Telling } from "./session.ts";

/** Numbers of the rows of a group, none of which is missing, and of each row its person. */
export interface GroupValues {
  values: Float64Array;
  persons: Int32Array | undefined;
}

/** Different values that a count, a sum and a sum of squares give away one by one. */
const FEW_LEVELS = 3;

/** The rule that forbids to tell count, sum and sum of squares of these numbers, if one does. */
export function whyNotMoments(group: GroupValues, rules: Rules): Rule | undefined {
  const levels = levelsOf(group.values);
  if (levels.few && levels.few.some((level) => personsWith(group, level) < rules.minLevel)) {
    // One value alone is the group's count once more.
    if (levels.few.length > 1) return "min_level";
  }
  if (!levels.few && levels.commonest !== undefined) {
    if (personsOff(group, levels.commonest) < rules.minLevel) return "min_level";
  }
  return whyNotTotal(group, rules);
}

/**
 * The same for all rows of which sums follow from what has been told: what is withheld of a group
 * would else be the sum of all less those of the others.
 */
export function whyNotDerived(
  { persons, rules }: Pick<Session, "persons" | "rules">,
  telling: Telling,
): Rule | undefined {
  for (const { values, isIn } of telling.sums()) {
    const cells = Int32Array.from(values, (_, row) => isIn(row) ? 0 : -1);
    const why = whyNotMoments(valuesIn(cells, 0, values, persons), rules);
    if (why) return why;
  }
}

/** By dominance and p-ratio, which are about the largest contributions to a total. */
export function whyNotTotal(group: GroupValues, rules: Rules): Rule | undefined {
  const { dominance, pRatio } = rules;
  if (!dominance && pRatio === null) return undefined;
  const sizes = contributionsOf(group).sort().reverse();
  const total = sizes.reduce((sum, one) => sum + one, 0);
  if (total === 0) return undefined;
  if (dominance) {
    const largest = sizes.subarray(0, dominance.largest).reduce((sum, one) => sum + one, 0);
    if (largest > dominance.share * total) return "dominance";
  }
  const rest = total - sizes[0]! - (sizes[1] ?? 0);
  return pRatio !== null && rest < pRatio * sizes[0]! ? "p_ratio" : undefined;
}

/** What each person adds to a total. */
export function contributionsOf({ values, persons }: GroupValues): Float64Array {
  if (!persons) return values.map(Math.abs);
  const sums = new Map<number, number>();
  for (const [row, value] of values.entries()) {
    sums.set(persons[row]!, (sums.get(persons[row]!) ?? 0) + Math.abs(value));
  }
  return Float64Array.from(sums.values());
}

export interface Levels {
  /** All different values, where they are few. */
  few: number[] | undefined;
  /** The value of more than half of the rows. */
  commonest: number | undefined;
}

export function levelsOf(values: Float64Array): Levels {
  const sorted = values.slice().sort();
  const different: number[] = [];
  let commonest: number | undefined;
  for (let at = 0; at < sorted.length;) {
    let end = at + 1;
    while (end < sorted.length && sorted[end] === sorted[at]) end++;
    if (different.length <= FEW_LEVELS) different.push(sorted[at]!);
    if (2 * (end - at) > sorted.length) commonest = sorted[at]!;
    at = end;
  }
  // Three values that all differ are no levels: their sum and squares leave them open.
  const isFew = different.length <= Math.min(FEW_LEVELS, Math.max(2, sorted.length - 1));
  return { few: isFew ? different : undefined, commonest };
}

function personsWith({ values, persons }: GroupValues, level: number): number {
  const group = Int32Array.from(values, (value) => value === level ? 0 : -1);
  return sizesOf(group, 1, persons)[0]!;
}

function personsOff({ values, persons }: GroupValues, level: number): number {
  const group = Int32Array.from(values, (value) => value === level ? -1 : 0);
  return sizesOf(group, 1, persons)[0]!;
}

/** The rows of a cell out of all. */
export function valuesIn(
  cells: Int32Array,
  cell: number,
  values: Float64Array,
  persons: Int32Array | undefined,
): GroupValues {
  const rows: number[] = [];
  for (let row = 0; row < cells.length; row++) if (cells[row] === cell) rows.push(row);
  return {
    values: Float64Array.from(rows, (row) => values[row]!),
    persons: persons && Int32Array.from(rows, (row) => persons[row]!),
  };
}
