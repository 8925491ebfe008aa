/**
 * Rows counted, or a number's moments, by the levels of one or more columns of text, numbers or
 * truth values.
 * @module
 */
import type { Levels, Table } from "../api.ts";
import { personsByPlace } from "../disclosure.ts";
import { type Contributions, contributionsOf } from "../shares.ts";
import { PartWithheld, requireSubset, rulesOfGrouped, rulesOfRows } from "../disclosure.ts";
import { type SiteRules, tooFew, useGroups } from "../disclosure.ts";
import { distinctUpTo } from "../distinct.ts";
import { countPlaces, moveTo, splitBy } from "../grouping.ts";
import { type Memberships, membershipsOf, personsIn } from "../memberships.ts";
import type { Rows } from "../where.ts";
import { type LeftOut, nothingLeftOut, type Used, usedRows } from "./frame.ts";
import { MOST_LEVELS } from "./survey.ts";

/** The rows of a site by group. */
export interface Groups {
  /** Rows in a group. */
  n: number;
  leftOut: LeftOut;
  /** The levels of each group, one a column. */
  levels: string[][];
  /** Of each row the place of its group; -1 for one that is left out. */
  places: Int32Array;
  /** The numbers that were asked for, of every row. */
  numbers: Float64Array[];
  /** What may leave, and the persons of all rows; where the site's owner has set rules. */
  site: SiteRules | undefined;
}

/**
 * Groups the rows in which none of the columns and none of the numbers, by name, is missing. Under
 * rules the rows of levels that too few persons have are left out.
 */
export function groupRows(
  table: Rows,
  columns: string[],
  numbers: readonly (readonly [name: string, values: Float64Array])[] = [],
): Groups {
  const leftOut: LeftOut & { rows: number } = { ...nothingLeftOut(table), rows: 0 };
  const given = columns.map((name) => levelsOf(table, name));
  const places = new Int32Array(table.length);
  const leaveOut = (name: string, isMissing: (row: number) => boolean) => {
    let missing = 0;
    for (let row = 0; row < places.length; row++) {
      if (!isMissing(row)) continue;
      missing++;
      if (places[row] === 0) leftOut.rows++;
      places[row] = -1;
    }
    if (missing > 0) leftOut.missing[name] = missing;
  };
  for (const [i, { places: own }] of given.entries()) leaveOut(columns[i]!, (row) => own[row]! < 0);
  for (const [name, values] of numbers) {
    leaveOut(name, (row) => Number.isNaN(values[row]!));
  }
  let levels: string[][] = leftOut.rows < table.length ? [[]] : [];
  for (const [i, column] of given.entries()) levels = divide(places, levels, column, columns[i]!);
  const asked = numbers.map(([, values]) => values);
  const found = { leftOut, levels, places, numbers: asked, site: table.site };
  const used = table.site ? leaveOutRareLevels(columns, { ...found, site: table.site }) : found;
  return { ...used, n: table.length - leftOut.rows };
}

/** Larger than this, groups by level are looked up in a map and not in an array. */
const MOST_PLACES = 2 ** 22;

/**
 * Divides groups by the levels of one more column, and puts the places of the new groups, in the
 * order of their first rows, in those of the old ones.
 */
function divide(
  places: Int32Array,
  levels: string[][],
  { values, places: own }: Levels,
  name: string,
): string[][] {
  const width = Math.min(MOST_LEVELS, values.length);
  const numbers = new Int32Array(values.length).fill(-1);
  let different = 0;
  const groupAt = levels.length * width <= MOST_PLACES
    ? new Int32Array(levels.length * width).fill(-1)
    : new Map<number, number>();
  const divided: string[][] = [];
  for (let row = 0; row < places.length; row++) {
    const place = places[row]!;
    if (place < 0) continue;
    const value = own[row]!;
    let number = numbers[value]!;
    if (number < 0) {
      if (different === MOST_LEVELS) {
        throw new RangeError(
          `The column "${name}" has more than ${MOST_LEVELS} different values, too many for levels.`,
        );
      }
      number = numbers[value] = different++;
    }
    const at = place * width + number;
    let group = groupAt instanceof Map ? groupAt.get(at) ?? -1 : groupAt[at]!;
    if (group < 0) {
      group = divided.push([...levels[place]!, String(values[value])]) - 1;
      if (groupAt instanceof Map) groupAt.set(at, group);
      else groupAt[at] = group;
    }
    places[row] = group;
  }
  return divided;
}

/** Without the rows of levels of too few persons, until no level is left that has so few. */
function leaveOutRareLevels(
  columns: string[],
  groups: Omit<Groups, "n"> & { site: SiteRules; leftOut: { rows: number } },
) {
  const { site, leftOut, levels, places } = groups;
  const n = places.length - leftOut.rows;
  requireSubset(rulesOfGrouped(site, places, n), n);
  const least = Math.max(site.rules.minLevel, site.rules.minSubset);
  const rows = countGroups(groups);
  const gone = levels.map(() => false);
  for (let again = true; again;) {
    again = false;
    for (const [j, name] of columns.entries()) {
      const names = [...new Set(levels.filter((_, i) => !gone[i]).map((group) => group[j]!))];
      const ofGroup = levels.map((group, i) => gone[i] ? -1 : names.indexOf(group[j]!));
      const asked = { most: least, ofGroup, size: names.length };
      const persons = personsOfLevels({ ...groups, rows }, asked);
      const rare = persons.map((count) => count > 0 && count < least);
      if (!rare.includes(true)) continue;
      again = true;
      site.withhold("levels", "min_level", rare.filter(Boolean).length);
      for (const [i, place] of ofGroup.entries()) {
        if (place < 0 || !rare[place]) continue;
        gone[i] = true;
        leftOut.rows += rows[i]!;
        leftOut.levels[name] = (leftOut.levels[name] ?? 0) + rows[i]!;
      }
    }
  }
  if (!gone.includes(true)) return groups;
  // Nothing is left of some: that is no site without rows.
  if (!gone.includes(false)) throw new PartWithheld("min_level");
  let kept = 0;
  const moved = gone.map((isGone) => isGone ? -1 : kept++);
  return { ...groups, levels: levels.filter((_, i) => !gone[i]), places: moveTo(moved, places) };
}

/** The persons of each level of one column, counted no further than `most`. */
function personsOfLevels(
  { site, places, rows }: Counted & { site: SiteRules; rows: readonly number[] },
  { most, ofGroup, size }: { most: number; ofGroup: readonly number[]; size: number },
): number[] {
  if (site.persons) return distinctUpTo(most, site.persons, places, { size, numberOf: ofGroup });
  const counts = new Array<number>(size).fill(0);
  for (const [group, level] of ofGroup.entries()) if (level >= 0) counts[level]! += rows[group]!;
  return counts;
}

type Counted = Pick<Groups, "levels" | "places">;

/** By the places of the rows, which nobody changes once the groups are made. */
const known = new WeakMap<Int32Array, { persons: Uint32Array; memberships: Memberships }>();

/** Looked for once: levels, groups and their margins are all of the same rows. */
function membershipsIn({ levels, places }: Counted, persons: Uint32Array): Memberships | undefined {
  const before = known.get(places);
  if (before?.persons === persons) return before.memberships;
  const memberships = membershipsOf(persons, places, levels.length);
  if (memberships) known.set(places, { persons, memberships });
  return memberships;
}

/**
 * So many groups of so many rows the ledger can be told of: it gets a byte a row for every 255 of
 * them. Beyond that nothing is told, for what the ledger does not know it cannot keep apart.
 */
const MOST_NUMBERS = 2 ** 34;

/**
 * What a part says of the rows that are in its groups, and to the site's ledger of those of each.
 */
export function usedGroups(groups: Groups): Used {
  const { n, leftOut, site, levels, places } = groups;
  const used = usedRows({ n, leftOut, site: site && rulesOfGrouped(site, places, n) });
  if (!site || levels.length < 2) return used;
  if (levels.length * places.length > MOST_NUMBERS) throw new PartWithheld("min_cell");
  useGroups(site, places, levels.length);
  return used;
}

/** The persons of each group; undefined where no rules ask for them. */
export function personsOfGroups(groups: Groups): readonly number[] | undefined {
  const { site, levels, places } = groups;
  if (!site?.persons) return site && countGroups(groups);
  const memberships = membershipsIn(groups, site.persons);
  if (!memberships) return personsByPlace(site, places, levels.length);
  return levels.map((_, group) => personsIn(memberships, [group]));
}

/**
 * Which groups may not be told, as they are of too few persons or would tell of such a one: the sum
 * over any of the columns may be known from another table. `events` are counts of persons, too;
 * `others` are groups that are hidden anyhow.
 */
export function hiddenGroups(
  groups: Groups,
  { events, others, persons = personsOfGroups(groups) }: {
    events?: number[] | undefined;
    others?: readonly boolean[];
    persons?: readonly number[] | undefined;
  } = {},
): boolean[] {
  const { site, levels } = groups;
  if (!site) return levels.map(() => false);
  const width = levels[0]?.length ?? 0;
  const sums: number[][] = [];
  for (let fixed = 0; fixed < 2 ** width; fixed++) {
    const byKey = new Map<string, number[]>();
    for (const [i, group] of levels.entries()) {
      const key = JSON.stringify(group.filter((_, j) => fixed >> j & 1));
      byKey.set(key, [...byKey.get(key) ?? [], i]);
    }
    sums.push(...[...byKey.values()].filter((places) => places.length > 1));
  }
  const least = site.rules.minSubset;
  let hidden = tooFew(persons!, least, sums, others);
  if (!events) return hidden;
  // What hides the one must not show the other.
  for (let before = 0, now = -1; before !== now;) {
    before = now;
    const byEvents = tooFew(events, least, sums, hidden);
    hidden = tooFew(persons!, least, sums, byEvents);
    now = hidden.filter(Boolean).length;
  }
  return hidden;
}

/** What single persons contribute to a number by group, where a rule asks for it. */
export function contributionsByGroup(groups: Groups, which = 0): Contributions[] | undefined {
  const { site, levels, numbers } = groups;
  if (!site || (site.rules.dominance === null && site.rules.pRatio === null)) return undefined;
  const rows = rowsByGroup(groups);
  return levels.map((_, group) => {
    const values = new Float64Array(rows[group]!.length);
    for (let i = 0; i < values.length; i++) values[i] = numbers[which]![rows[group]![i]!]!;
    return contributionsOf(rulesOfRows(site, rows[group]!), values)!;
  });
}

function levelsOf(table: Table, name: string): Levels {
  const levels = table.levels(name);
  if (levels.type !== "date" || !levels.places.some((place) => place >= 0)) return levels;
  throw new TypeError(`The column "${name}" holds dates, which are no levels.`);
}

/** By the places of the rows, as nobody changes them. */
const counted = new WeakMap<Int32Array, number[]>();

/** Rows by group; of the same rows they are counted once. */
export function countGroups({ levels, places }: Counted): readonly number[] {
  const known = counted.get(places);
  if (known?.length === levels.length) return known;
  const rows = countPlaces(places, levels.length);
  counted.set(places, rows);
  return rows;
}

/** The rows of each group. */
export function rowsByGroup({ levels, places }: Pick<Groups, "levels" | "places">): number[][] {
  const rows = levels.map(() => [] as number[]);
  for (let row = 0; row < places.length; row++) {
    if (places[row]! >= 0) rows[places[row]!]!.push(row);
  }
  return rows;
}

/** The values of one of the numbers by group. */
export function splitByGroup({ levels, places, numbers }: Groups, which = 0): Float64Array[] {
  return splitBy(places, numbers[which]!, countGroups({ levels, places }));
}
