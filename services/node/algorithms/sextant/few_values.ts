/**
 * Numbers whose count, sum and squares are counts in disguise: the mean of a column of 0 and 1 says how
 * many have 1, and the sum of one that is 0 for all but one is that one's value. What a crosstab
 * would withhold must not be told as a mean.
 * @module
 */
import { personsByPlace, type SiteRules, useGroups } from "./disclosure.ts";

/** Some numbers in sets of rows, of each of which so many sums are told. */
export interface Summed {
  /** None of those that are in a set is missing. */
  numbers: Float64Array;
  /** Of each row its set, from 0; -1 for one that is in none. */
  sets: Int32Array;
  size: number;
  /** With their squares 3: so many different values follow from what is told, with their counts. */
  sums: 2 | 3;
}

export interface FewValues {
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
  if (!found) return { tell, use() {} };
  const { of, setOf } = found;
  for (const [place, persons] of personsByPlace(site, of, setOf.length).entries()) {
    if (persons > 0 && persons < site.rules.minLevel) tell[setOf[place]!] = true;
  }
  return {
    tell,
    use(isTold) {
      let kept = 0;
      const moved = setOf.map((set) => isTold(set) ? kept++ : -1);
      if (kept > 0) useGroups(site, of.map((place) => place < 0 ? -1 : moved[place]!), kept);
    },
  };
}

/**
 * Of each row the place of its value among those that the sums of its set give away, and of each
 * place its set; undefined where they give none away.
 */
function placesOfValues(
  { numbers, sets, size, sums }: Summed,
): { of: Int32Array; setOf: number[] } | undefined {
  const { values, different, candidates, rows } = surveyOf({ numbers, sets, size, sums });
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
    // One value is the set's count once more; as many as there are rows are left open by their sums.
    const isFew = count > 1 && count <= sums && count <= Math.max(2, rows[set]! - 1);
    const hasMost = count > 1 && !isFew && 2 * same[set]! > rows[set]!;
    const places = isFew ? count : hasMost ? 2 : 0;
    const at = places > 0 ? setOf.length : -1;
    for (let i = 0; i < places; i++) setOf.push(set);
    return { at, isFew };
  });
  if (setOf.length === 0) return undefined;
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

/** In one pass, by set: the first different values, and what most rows may have (Boyer and Moore 1991). */
function surveyOf({ numbers, sets, size, sums }: Summed) {
  const values = new Float64Array(size * sums);
  const different = new Uint8Array(size);
  const candidates = new Float64Array(size).fill(NaN);
  const leads = new Int32Array(size);
  const rows = new Uint32Array(size);
  for (let row = 0; row < sets.length; row++) {
    const set = sets[row]!;
    if (set < 0) continue;
    const value = numbers[row]!;
    rows[set]!++;
    if (leads[set] === 0) candidates[set] = value;
    leads[set]! += candidates[set] === value ? 1 : -1;
    const count = different[set]!;
    if (count > sums) continue;
    let place = 0;
    while (place < count && values[set * sums + place] !== value) place++;
    if (place < count) continue;
    if (count < sums) values[set * sums + count] = value;
    different[set] = count + 1;
  }
  return {
    values,
    different,
    rows,
    candidates: leads.some((lead) => lead > 0) ? candidates : null,
  };
}
