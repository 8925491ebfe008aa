/**
 * Numbers whose count, sum and squares are counts in disguise: the mean of a column of 0 and 1 says
 * how many have 1, and the sum of one that is 0 for all but one is that one's value. What a
 * crosstab would withhold must not be told as a mean.
 * @module
 */
import type { DisclosureRules } from "./api.ts";
import { personsUpTo, type SiteRules, useGroups } from "./disclosure.ts";
import { countPlaces, splitBy } from "./grouping.ts";

/** Some numbers in sets of rows, of each of which so many sums are told. */
export interface Summed {
  /** None of those that are in a set is missing. */
  numbers: Float64Array;
  /** Of each row its set, from 0; -1 for one that is in none. */
  sets: Int32Array;
  size: number;
  /** The numbers of each set, in their order, where somebody has put them apart. */
  parts?: readonly Float64Array[];
  /** With their squares 3: so many different values follow from what is told, with their counts. */
  sums: 2 | 3;
}

export interface FewValues {
  /** Whether the sums of no set give any value away, nor do those of several together. */
  isNone: boolean;
  /** By set whether what would be told of it tells of too few persons. */
  tell: boolean[];
  /** Says to the site's ledger on which rows the sums of these sets rest beside all of a set's. */
  use(isTold: (set: number) => boolean): void;
}

/** Which of the sets' sums tell of those who have one value, or another than most. */
export function fewValuesIn(site: SiteRules, summed: Summed): FewValues {
  const { size } = summed;
  const found = placesOfValues(summed);
  const tell = new Array<boolean>(size).fill(false);
  if ("isNone" in found) {
    const use = (isTold: (set: number) => boolean) => useWithoutCommon(site, summed, isTold);
    return { isNone: found.isNone, tell, use };
  }
  const { of, setOf } = found;
  const { minLevel } = site.rules;
  for (const [place, persons] of personsUpTo(minLevel, site, of, setOf.length).entries()) {
    if (persons > 0 && persons < minLevel) tell[setOf[place]!] = true;
  }
  return {
    isNone: false,
    tell,
    use(isTold) {
      let kept = 0;
      const moved = setOf.map((set) => isTold(set) ? kept++ : -1);
      if (kept > 0) useGroups(site, of, kept, { numberOf: moved });
      const isOfLevels = new Set(setOf);
      useWithoutCommon(site, summed, (set) => isTold(set) && !isOfLevels.has(set));
    },
  };
}

/** Rows that are looked at for values that many of them have. */
const LOOKED_AT = 64;
/** So many of those have a value that many rows have. */
const LEAST_SEEN = 4;
/** So many times the least persons have it: of fewer rows, a column has the same by chance. */
const TIMES = 5;

/**
 * Says to the site's ledger on which other rows the sums of sets rest, too.
 *
 * A sum is also one of the rows without a value that is known, as 0 is. Of these rows there may be
 * few among those in which the sets of two results differ, though they differ by many.
 */
export function useWithoutCommon(
  site: SiteRules,
  { numbers, sets, size }: Pick<Summed, "numbers" | "sets" | "size">,
  isTold: (set: number) => boolean,
): void {
  let kept = 0;
  const moved = Array.from({ length: size }, (_, set) => isTold(set) ? kept++ : -1);
  if (kept === 0) return;
  for (const common of commonIn(numbers, site.rules)) {
    const others = sets.map((set, row) => numbers[row] === common ? -1 : set);
    useGroups(site, others, kept, { numberOf: moved });
  }
}

/** The values that many rows have, 0 among them. */
export function commonIn(
  numbers: Float64Array,
  { minSubset }: Pick<DisclosureRules, "minSubset">,
): number[] {
  const seen = new Map<number, number>([[0, LEAST_SEEN]]);
  const looked = Math.min(LOOKED_AT, numbers.length);
  for (let i = 0; i < looked; i++) {
    const value = numbers[Math.floor(i * numbers.length / looked)]!;
    seen.set(value, (seen.get(value) ?? 0) + 1);
  }
  const isOfMany = (value: number) => {
    let rows = 0;
    for (let at = -1; rows < TIMES * minSubset; rows++) {
      at = numbers.indexOf(value, at + 1);
      if (at < 0) return false;
    }
    return true;
  };
  return [...seen].flatMap(([value, count]) =>
    count >= LEAST_SEEN && isOfMany(value) ? [value] : []
  );
}

/**
 * Of each row the place of its value among those that the sums of its set give away, and of each
 * place its set. Where they give none away, whether several sets together do not either: what is of
 * few values, or has one that more than half of the rows have, has a part of which the same is
 * true.
 */
function placesOfValues(
  summed: Summed,
): { of: Int32Array; setOf: number[] } | { isNone: boolean } {
  const { numbers, sets, size, sums } = summed;
  const { values, different, candidates, rows } = surveyOf(summed);
  // What more than half of a set's rows have, if there is such a value.
  const same = new Uint32Array(size);
  if (candidates) {
    for (let row = 0; row < sets.length; row++) {
      const set = sets[row]!;
      if (set >= 0 && numbers[row] === candidates[set]) same[set]!++;
    }
  }
  const setOf: number[] = [];
  const first = Array.from({ length: size }, (_, set) => {
    const count = different[set]!;
    // One value is the set's count once more; as many as there are rows are left open by their
    // sums.
    const isFew = count > 1 && count <= sums && count <= Math.max(2, rows[set]! - 1);
    const hasMost = count > 1 && !isFew && 2 * same[set]! > rows[set]!;
    const places = isFew ? count : hasMost ? 2 : 0;
    const at = places > 0 ? setOf.length : -1;
    for (let i = 0; i < places; i++) setOf.push(set);
    return { at, isFew };
  });
  if (setOf.length === 0) return { isNone: different.every((count) => count > sums) };
  const of = new Int32Array(sets.length).fill(-1);
  for (let row = 0; row < sets.length; row++) {
    const set = sets[row]!;
    if (set < 0 || first[set]!.at < 0) continue;
    const { at, isFew } = first[set]!;
    const value = numbers[row]!;
    if (!isFew) {
      of[row] = at + (value === candidates![set] ? 1 : 0);
      continue;
    }
    let place = 0;
    while (values[set * sums + place] !== value) place++;
    of[row] = at + place;
  }
  return { of, setOf };
}

/** By set: the first different values, and what most rows may have. */
function surveyOf(
  { numbers, sets, size, sums, parts = splitBy(sets, numbers, countPlaces(sets, size)) }: Summed,
) {
  const values = new Float64Array(size * sums);
  const different = new Uint8Array(size);
  const candidates = new Float64Array(size).fill(NaN);
  let isMost = false;
  for (const [set, part] of parts.entries()) {
    // Nearly every column has more among its first rows.
    different[set] = differentIn(part, values.subarray(set * sums, (set + 1) * sums));
    const candidate = hasTwoAlike(part) ? candidateIn(part) : undefined;
    if (candidate === undefined) continue;
    candidates[set] = candidate;
    isMost = true;
  }
  const rows = parts.map(({ length }) => length);
  return { values, different, rows, candidates: isMost ? candidates : null };
}

/**
 * Whether in some pair of values side by side both are the same. Where more than half of all are
 * the same there is such a pair; or one in each pair is, and so is the last value, which has no
 * other.
 */
function hasTwoAlike(part: Float64Array): boolean {
  for (let i = 1; i < part.length; i += 2) if (part[i] === part[i - 1]) return true;
  const last = part[part.length - 1];
  return part.length % 2 === 1 && (part[0] === last || part[1] === last);
}

/** What more than half of the values may be (Boyer and Moore 1991). */
function candidateIn(part: Float64Array): number | undefined {
  let most = NaN;
  let lead = 0;
  for (let i = 0; i < part.length; i++) {
    if (lead === 0) most = part[i]!;
    lead += part[i] === most ? 1 : -1;
  }
  return lead > 0 ? most : undefined;
}

/**
 * How many different values, one more than there is room for at most; puts the first ones there.
 */
function differentIn(part: Float64Array, room: Float64Array): number {
  let count = 0;
  for (let i = 0; i < part.length && count <= room.length; i++) {
    let place = 0;
    while (place < count && room[place] !== part[i]) place++;
    if (place < count) continue;
    if (count < room.length) room[count] = part[i]!;
    count++;
  }
  return count;
}
