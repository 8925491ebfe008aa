/**
 * What a column of a site with rules is told of, and what of its rows lacks a value.
 * @module
 */
import { personsByPlace, type SiteRules } from "sextant/disclosure.ts";
import { countPlaces } from "sextant/grouping.ts";
import type { Cell } from "./part.ts";
import type { Sets } from "./sets.ts";

/** What a column is told of. */
export interface Asked {
  sets: Sets;
  /** Of each row its set, if it has a value. */
  present: Int32Array;
  /** Those of all rows that are told of. */
  persons: number;
}

export interface Told extends Omit<Cell, "missing"> {
  missing: number;
  missingPersons: number;
  presentPersons: number;
}

/** By set and of all: the rows without a value, whose they are, and the persons of the others. */
export function lackOf(site: SiteRules, { sets, present, persons }: Asked) {
  const size = sets.names.length;
  if (present === sets.of) {
    const none = sets.rows.map(() => 0);
    return {
      missing: none,
      missingPersons: none,
      persons: sets.persons,
      missingInAll: 0,
      all: persons,
    };
  }
  const rows = countPlaces(present, size);
  const absent = sets.of.map((set, row) => present[row]! < 0 ? set : -1);
  const merged = (places: Int32Array) =>
    personsByPlace(site, places.map((set) => set < 0 ? -1 : 0), 1)[0]!;
  return {
    missing: sets.rows.map((count, set) => count - rows[set]!),
    missingPersons: personsByPlace(site, absent, size),
    persons: personsByPlace(site, present, size),
    missingInAll: merged(absent),
    all: merged(present),
  };
}
