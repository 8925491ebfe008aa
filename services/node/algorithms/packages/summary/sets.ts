/**
 * Which rows of a site with rules are described together.
 * @module
 */
import { personsByPlace, type SiteRules } from "sextant/disclosure.ts";
import { countPlaces } from "sextant/grouping.ts";
import { type Groups, personsOfGroups } from "sextant/kernels/groups.ts";
import type { Rows } from "sextant/where.ts";

/** Rows that are described together, in sets. */
export interface Sets {
  /** Of each row its set; -1 for one that is not told of. */
  of: Int32Array;
  /** The group of each; undefined for the rows that have none. */
  names: (string | undefined)[];
  rows: number[];
  persons: readonly number[];
  /** All rows that are told of. */
  n: number;
  /** Of each row 0 where it is told of, else -1. */
  together: Int32Array;
}

/**
 * The rows that are told of: those of groups of too few persons are left out, with or without one.
 */
export function setsOf(
  table: Rows & { site: SiteRules },
  groups: Groups | undefined,
  group?: string,
): { sets: Sets; rare: number } {
  const { length, site } = table;
  const finish = (of: Int32Array, names: Sets["names"], rare: number) => {
    const rows = countPlaces(of, names.length);
    const n = rows.reduce((sum, count) => sum + count, 0);
    const isOfGroups = site.persons && groups && of === groups.places;
    const persons = isOfGroups
      ? personsOfGroups(groups)!
      : site.persons
      ? personsByPlace(site, of, names.length)
      : rows;
    return { sets: { of, names, rows, persons, n, together: togetherOf(of, n) }, rare };
  };
  if (!groups) return finish(new Int32Array(length), [undefined], 0);
  const names: Sets["names"] = groups.levels.map(([name]) => name!);
  const missing = groups.leftOut.missing[group!] ?? 0;
  const rare = groups.leftOut.rows! - missing;
  if (missing === 0) return finish(groups.places, names, rare);
  const isMissing = table.levels(group!).places.map((place) => place < 0 ? 0 : -1);
  if (personsByPlace(site, isMissing, 1)[0]! >= site.rules.minSubset) {
    const of = groups.places.map((place, row) => isMissing[row] === 0 ? names.length : place);
    return finish(of, [...names, undefined], rare);
  }
  site.withhold("without_group", "min_subset", 1);
  return finish(groups.places, names, rare + missing);
}

/** Of each row 0 where it is in a set, as `n` of them are, else -1. */
export function togetherOf(of: Int32Array, n: number): Int32Array {
  const together = new Int32Array(of.length);
  if (n < of.length) {
    for (let row = 0; row < of.length; row++) if (of[row]! < 0) together[row] = -1;
  }
  return together;
}
