/**
 * Numbers told in intervals of enough persons each, for sites with rules on what may leave. Where
 * one interval ends and the next begins is a number with few digits between two of the values, and
 * none of them; so an interval tells of no value more than that some lie in it. A value that enough
 * persons share is told as it is.
 * @module
 */
import type { SiteRules } from "../disclosure.ts";
import { roomOf } from "../distinct.ts";
import { countPlaces, type Places } from "../grouping.ts";
import { rangeOf } from "../levels.ts";

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

/**
 * Which number of those from `low` to just below `high` shall part them; undefined if none does.
 */
export type Part = (low: number, high: number) => number | undefined;

/** Different values, by size; of each place, how many rows and persons come before it. */
export interface Runs {
  values: ArrayLike<number>;
  /** One more than there are values: the last says how many rows there are. */
  rows: Uint32Array;
  /** Whoever has several values counts at the first of them. */
  persons: Uint32Array;
}

export interface Cutting {
  /** Persons of each interval, at least. */
  least: number;
  part: Part;
  /** Where the last interval ends. */
  last: number;
}

/**
 * The intervals of some values, by size, each of at least so many persons; undefined if all of them
 * are of fewer.
 */
export function intervalsOf(
  values: Float64Array | Int32Array,
  { persons }: Pick<SiteRules, "persons">,
  cutting: Cutting,
): Interval[] | undefined {
  return intervalsOfRuns(runsOf(values, persons), cutting);
}

/** The same of values that are counted already. */
export function intervalsOfRuns(runs: Runs, cutting: Cutting): Interval[] | undefined {
  const { values, rows, persons } = runs;
  const size = values.length;
  if (size === 0) return [];
  if (persons[size]! < cutting.least) return undefined;
  const found: Interval[] = [];
  // From the left, so that the intervals come out in order.
  const open: Range[] = [{ from: 0, to: size, upTo: cutting.last }];
  for (let at = open.pop(); at; at = open.pop()) {
    const { from, to, upTo } = at;
    const cut = cutOf(runs, cutting, at);
    if (!cut) {
      const exact = to - from === 1;
      found.push({
        upTo: exact ? values[from]! : upTo,
        end: upTo,
        rows: rows[to]! - rows[from]!,
        persons: persons[to]! - persons[from]!,
        exact,
      });
      continue;
    }
    open.push({ from: cut.place, to, upTo }, { from, to: cut.place, upTo: cut.number });
  }
  return found;
}

/**
 * Rows and persons of the intervals that end at or below a limit: the same as of all intervals, of
 * which only those around the limit are made.
 */
export function countUpTo(
  runs: Runs,
  cutting: Cutting,
  limit: number,
): { rows: number; persons: number } {
  const { values, rows, persons } = runs;
  let at: Range = { from: 0, to: values.length, upTo: cutting.last };
  for (let cut = cutOf(runs, cutting, at); cut; cut = cutOf(runs, cutting, at)) {
    const { from, to, upTo } = at;
    at = limit < cut.number
      ? { from, to: cut.place, upTo: cut.number }
      : { from: cut.place, to, upTo };
  }
  const upTo = at.to - at.from === 1 ? values[at.from]! : at.upTo;
  const place = limit < upTo ? at.from : at.to;
  return { rows: rows[place]!, persons: persons[place]! };
}

/** Some of the values, from one place to below another, and where they end. */
interface Range {
  from: number;
  to: number;
  upTo: number;
}

/**
 * Where to cut these values, with enough persons on both sides; in the middle if that goes. It is
 * asked some hundred times, in a process that has only begun: without functions made each time.
 */
function cutOf(
  { values, rows, persons }: Runs,
  { least, part }: Cutting,
  { from, to }: Range,
): { number: number; place: number } | undefined {
  // The first place before which, and the last after which, there are enough.
  const first = firstAbove(persons, persons[from]! + least - 1, from, to);
  const end = firstAbove(persons, persons[to]! - least, from, to) - 1;
  if (first > end) return undefined;
  const middle = (rows[to]! - rows[from]!) >> 2;
  const low = firstAbove(rows, rows[from]! + middle - 1, first, to);
  const high = firstAbove(rows, rows[to]! - middle, from, end + 1) - 1;
  const number = numberBetween(values, part, low, high) ?? numberBetween(values, part, first, end);
  return number === undefined ? undefined : { number, place: firstAbove(values, number, from, to) };
}

/** What parts values at one of these places, or before it, from the others. */
function numberBetween(
  values: ArrayLike<number>,
  part: Part,
  low: number,
  high: number,
): number | undefined {
  // Left are values of at most the number: at least the one at `low - 1`, not the one at `high`.
  return low > high ? undefined : part(values[low - 1]!, values[high]!);
}

/** Counts values, and whose they are; where no persons are given each row is one. */
export function runsOf(
  given: Float64Array | Int32Array,
  personOf: Uint32Array | undefined,
): Runs {
  if (!personOf) {
    const { values, counts } = countsOf(given);
    const rows = sumsBefore(counts);
    return { values, rows, persons: rows };
  }
  const { least, room } = rangeOf(given);
  if (room > 0) return runsOfWhole(given, personOf, { least, room });
  const all = countsOf(given);
  const firsts = countsOf(firstOfEach(given, personOf));
  const persons = new Uint32Array(all.values.length + 1);
  let next = 0;
  for (let place = 0; place < all.values.length; place++) {
    const isFirst = firsts.values[next] === all.values[place];
    persons[place + 1] = persons[place]! + (isFirst ? firsts.counts[next++]! : 0);
  }
  return { values: all.values, rows: sumsBefore(all.counts), persons };
}

/** The same of places from 0 to below `size`, as those of bins are. */
export function runsOfPlaces(
  places: Places,
  size: number,
  personOf: Uint32Array | undefined,
): Runs {
  if (personOf) return runsOfWhole(places, personOf, { least: 0, room: size });
  const counts = countPlaces(places, size);
  return runsOfCounts(counts, Uint32Array.from([0, ...counts]), (place) => place);
}

/**
 * The same of whole numbers, in one pass over the rows: in a process that has only begun, a second
 * loop takes longer to translate than to run.
 */
function runsOfWhole(
  given: Float64Array | Places,
  personOf: Uint32Array,
  { least, room }: { least: number; room: number },
): Runs {
  const counts = new Uint32Array(room);
  // Of each person the place of the least value, from 1; and of each place how many have it there.
  const firsts = new Uint32Array(roomOf(personOf));
  const starts = new Uint32Array(room + 1);
  for (let row = 0; row < given.length; row++) {
    const place = given[row]! - least;
    counts[place]!++;
    const person = personOf[row]!;
    const first = firsts[person]!;
    if (first !== 0 && place >= first - 1) continue;
    // At 0 is nobody's first, and nobody asks for it.
    starts[first]!--;
    starts[place + 1]!++;
    firsts[person] = place + 1;
  }
  return runsOfCounts(counts, starts, (place) => least + place);
}

/**
 * The runs of values that are counted by place: of each its rows, and, one place on, the persons
 * whose first it is. Places without rows are none.
 */
export function runsOfCounts(
  counts: ArrayLike<number>,
  starts: Uint32Array,
  valueAt: (place: number) => number,
): Runs {
  const values = new Float64Array(counts.length);
  const rows = new Uint32Array(counts.length + 1);
  const persons = new Uint32Array(counts.length + 1);
  let size = 0;
  for (let place = 0; place < counts.length; place++) {
    if (counts[place] === 0) continue;
    values[size] = valueAt(place);
    rows[size + 1] = rows[size]! + counts[place]!;
    persons[size + 1] = persons[size]! + starts[place + 1]!;
    size++;
  }
  return {
    values: values.subarray(0, size),
    rows: rows.subarray(0, size + 1),
    persons: persons.subarray(0, size + 1),
  };
}

/** Of each place the sum of what is before it, and of all at the end. */
export function sumsBefore(counts: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  const sums = new Uint32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) sums[i + 1] = sums[i]! + counts[i]!;
  return sums;
}

/** The least value of each person who has one. */
function firstOfEach(values: Float64Array | Int32Array, personOf: Uint32Array): Float64Array {
  const firsts = new Float64Array(roomOf(personOf)).fill(Infinity);
  for (let row = 0; row < values.length; row++) {
    if (values[row]! < firsts[personOf[row]!]!) firsts[personOf[row]!] = values[row]!;
  }
  return firsts.filter((value) => value !== Infinity);
}

/** The different values, by size, and how often each is there; none of them is `NaN`. */
export function countsOf(
  values: Float64Array | Int32Array,
): { values: Float64Array; counts: Uint32Array } {
  const { least, room } = rangeOf(values);
  if (room > 0) {
    // Times in days, places of bins: nothing has to be sorted.
    const counts = new Uint32Array(room);
    for (let row = 0; row < values.length; row++) counts[values[row]! - least]!++;
    const there = new Float64Array(room);
    let size = 0;
    for (let i = 0; i < room; i++) {
      if (counts[i] === 0) continue;
      there[size] = least + i;
      counts[size++] = counts[i]!;
    }
    return { values: there.subarray(0, size), counts: counts.subarray(0, size) };
  }
  const sorted = Float64Array.from(values).sort();
  const counts = new Uint32Array(sorted.length);
  let size = 0;
  for (let i = 0; i < sorted.length; i++) {
    if (size === 0 || sorted[i] !== sorted[size - 1]) sorted[size++] = sorted[i]!;
    counts[size - 1]!++;
  }
  return { values: sorted.subarray(0, size), counts: counts.subarray(0, size) };
}

/** The first place of a range at which a number above the limit is; else the range's end. */
export function firstAbove(
  sorted: ArrayLike<number>,
  limit: number,
  from: number,
  to: number,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The number with the fewest digits of those from `low` to just below `high`. */
export function roundest(low: number, high: number): number | undefined {
  if (!(low < high)) return undefined;
  if (low <= 0 && 0 < high) return 0;
  const size = Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)))) + 1;
  // A double has no more than 17 digits.
  for (let exponent = size; exponent > size - 20; exponent--) {
    for (let i = 0; i < DIGITS.length; i++) {
      const found = firstMultiple(low, DIGITS[i]!, exponent);
      if (found >= low && found < high) return found;
    }
  }
  return undefined;
}

const DIGITS = [5, 2, 1];

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

/** Of whole numbers that may be taken: the one that most powers of two divide. */
export function evenest(
  low: number,
  high: number,
  isAllowed: (number: number) => boolean = () => true,
): number | undefined {
  const longest = 2 ** Math.ceil(Math.log2(Math.max(1, Math.abs(low), Math.abs(high))));
  for (let step = longest; step >= 1; step /= 2) {
    for (let found = Math.ceil(low / step) * step; found < high; found += step) {
      if (isAllowed(found)) return found;
    }
  }
  return undefined;
}

/** A number of two digits, not below: where times that end at it may be said to end. */
export function roundedUp(value: number): number {
  return roundest(value, value + Math.abs(value) / 8) ?? value;
}

/**
 * How exactly a threshold is given: five or one of its last digit that is not 0, so 25 to 5 and
 * 18.3 to 0.1. Thresholds that come ever closer to a value would tell it, to its last digit, by
 * whether they are answered; so the data must be as dense as a threshold is exact.
 */
export function unitOf(threshold: number): number {
  const [digits, power] = Math.abs(threshold).toExponential().split("e") as [string, string];
  const [, decimals = ""] = digits.split(".");
  const last = decimals === "" ? digits.at(-1)! : decimals.at(-1)!;
  return (last === "5" ? 5 : 1) * 10 ** (Number(power) - decimals.length);
}
