/**
 * Of which groups persons are, counted: from it the persons of any groups taken together follow
 * without another look at the rows, as a crosstab and all of its margins need them.
 * @module
 */
import { distinctByPlace, roomOf } from "./distinct.ts";
import { moveTo } from "./grouping.ts";

/**
 * Sets of groups, each as the bits of a number, and how many persons have rows in exactly these.
 */
export interface Memberships {
  sets: Uint32Array;
  persons: Uint32Array;
}

/** Each set of so many groups has a place in an array. */
const MOST_GROUPS = 12;

/**
 * The memberships of rows whose groups are at `places`, -1 for none; undefined of too many groups.
 */
export function membershipsOf(
  persons: Uint32Array,
  places: Int32Array,
  groups: number,
): Memberships | undefined {
  if (groups > MOST_GROUPS) return undefined;
  const setOf = new Uint16Array(roomOf(persons));
  for (let row = 0; row < places.length; row++) {
    const place = places[row]!;
    if (place >= 0) setOf[persons[row]!]! |= 1 << place;
  }
  const counts = new Uint32Array(1 << groups);
  for (let person = 0; person < setOf.length; person++) counts[setOf[person]!]!++;
  // That of no group at all is of nobody who is asked for.
  counts[0] = 0;
  const sets = Uint32Array.from(counts.keys()).filter((set) => counts[set]! > 0);
  return { sets, persons: sets.map((set) => counts[set]!) };
}

/** How many persons have rows in any of these groups. */
export function personsIn({ sets, persons }: Memberships, groups: readonly number[]): number {
  const asked = groups.reduce((bits, group) => bits | 1 << group, 0);
  return persons.reduce((sum, count, i) => (sets[i]! & asked) !== 0 ? sum + count : sum, 0);
}

/**
 * How many persons have rows in any of some groups, for each of several such unions, of which no
 * two have a group in common; to be asked of the same rows again and again.
 */
export function personsOfUnions(
  persons: Uint32Array,
  places: Int32Array,
  size: number,
): (unions: readonly (readonly number[])[]) => number[] {
  const memberships = membershipsOf(persons, places, size);
  if (memberships) return (unions) => unions.map((groups) => personsIn(memberships, groups));
  return (unions) => {
    const unionOf = new Array<number>(size).fill(-1);
    for (const [union, groups] of unions.entries()) {
      for (const group of groups) unionOf[group] = union;
    }
    const moved = moveTo(unionOf, places);
    return distinctByPlace(persons, moved, { size: unions.length, within: undefined });
  };
}
