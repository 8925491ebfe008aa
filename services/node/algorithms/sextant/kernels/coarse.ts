/**
 * Numbers told in intervals of enough persons each, for sites with rules on what may leave. Where one
 * interval ends and the next begins is a number with few digits between two of the values, and none
 * of them; so an interval tells of no value more than that some lie in it. A value that enough
 * persons share is told as it is.
 * @module
 */
import type { SiteRules } from "../disclosure.ts";
import { floatsOfRows } from "../fill.ts";

/** An interval of values: above the end of the one before, up to its own. */
export interface Interval {
  upTo: number;
  /** Where the next one begins; not less than `upTo`. */
  end: number;
  rows: number;
  /** Not more than there are: whoever has values in several counts in the first. */
  persons: number;
  /** All its values are the same, which is `upTo`. */
  exact: boolean;
}

/** Which number of those from `low` to just below `high` shall part them; undefined if none does. */
export type Part = (low: number, high: number) => number | undefined;

/**
 * The intervals of some values, by size, each of at least so many persons; undefined if all of them
 * are of fewer. `last` is where the last one ends.
 */
export function intervalsOf(
  values: Float64Array,
  { persons }: Pick<SiteRules, "persons">,
  { least, part, last }: { least: number; part: Part; last: number },
): Interval[] | undefined {
  const { sorted, counted } = sortValues(values, persons);
  const n = sorted.length;
  if (n === 0) return [];
  if (counted(0, n) < least) return undefined;
  const found: Interval[] = [];
  // From the left, so that the intervals come out in order.
  const open = [{ from: 0, to: n, upTo: last }];
  for (let at = open.pop(); at; at = open.pop()) {
    const cut = cutOf(at.from, at.to);
    if (!cut) {
      const { from, to } = at;
      const exact = sorted[from] === sorted[to - 1];
      const upTo = exact ? sorted[from]! : at.upTo;
      found.push({ upTo, end: at.upTo, rows: to - from, persons: counted(from, to), exact });
      continue;
    }
    open.push({ ...at, from: cut.place }, { from: at.from, to: cut.place, upTo: cut.number });
  }
  return found;

  /** Where to cut these sorted values, with enough persons on both sides; in the middle if that goes. */
  function cutOf(from: number, to: number) {
    // The first place before which, and the last after which, there are enough.
    const first = firstWhere(from, to, (place) => counted(from, place) >= least);
    const end = firstWhere(from, to, (place) => counted(place, to) < least) - 1;
    if (first > end) return undefined;
    const middle = (to - from) >> 2;
    const [low, high] = [Math.max(first, from + middle), Math.min(end, to - middle)];
    return cutBetween(low, high) ?? cutBetween(first, end);

    function cutBetween(low: number, high: number) {
      if (low > high) return undefined;
      // Left are values of at most the number: at least the one at `low - 1`, not the one at `high`.
      const number = part(sorted[low - 1]!, sorted[high]!);
      if (number === undefined) return undefined;
      const place = firstWhere(from, to, (one) => one === to || sorted[one]! > number);
      return { number, place };
    }
  }
}

/** The first place of a range of which this is true, as it is of all after it; else the range's end. */
export function firstWhere(from: number, to: number, isTrue: (place: number) => boolean): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The values by size, and how many persons have their first one in a range of places. */
function sortValues(values: Float64Array, persons: Uint32Array | undefined) {
  if (!persons) {
    return { sorted: values.slice().sort(), counted: (from: number, to: number) => to - from };
  }
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const before = new Uint32Array(values.length + 1);
  const seen = new Set<number>();
  for (const [i, row] of order.entries()) {
    before[i + 1] = seen.add(persons[row]!).size;
  }
  return {
    sorted: floatsOfRows(order, (row) => values[row]!),
    counted: (from: number, to: number) => before[to]! - before[from]!,
  };
}

/** The number with the fewest digits of those from `low` to just below `high`. */
export function roundest(low: number, high: number): number | undefined {
  if (!(low < high)) return undefined;
  if (low <= 0 && 0 < high) return 0;
  const size = Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)))) + 1;
  // A double has no more than 17 digits.
  for (let exponent = size; exponent > size - 20; exponent--) {
    for (const digit of [5, 2, 1]) {
      const found = firstMultiple(low, digit, exponent);
      if (found >= low && found < high) return found;
    }
  }
  return undefined;
}

/** The first multiple of `digit` tens to a power that is not below. */
function firstMultiple(low: number, digit: number, exponent: number): number {
  // Divided by a power of ten that is a whole number, it has the digits that people expect.
  if (exponent < 0) {
    const tens = 10 ** -exponent;
    return Math.ceil(low * tens / digit) * digit / tens;
  }
  const step = digit * 10 ** exponent;
  return Math.ceil(low / step) * step;
}

/** Of whole numbers: the one that most powers of two divide. */
export function evenest(low: number, high: number): number | undefined {
  for (let step = 2 ** 30; step >= 1; step /= 2) {
    const found = Math.ceil(low / step) * step;
    if (found < high) return found;
  }
  return undefined;
}

/** A number of two digits, not below: where times that end at it may be said to end. */
export function roundedUp(value: number): number {
  return roundest(value, value + Math.abs(value) / 8) ?? value;
}
