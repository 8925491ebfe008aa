/**
 * Rows counted, or a number's moments, by the levels of one or more columns of text, numbers or
 * truth values.
 * @module
 */
import type { Table } from "../api.ts";
import { type Contributions, contributionsOf, personsByPlace, rulesOfRows } from "../disclosure.ts";
import { PartWithheld, requireSubset, type SiteRules, tooFew } from "../disclosure.ts";
import type { Rows } from "../where.ts";
import { type LeftOut, nothingLeftOut, type Used, usedRows } from "./frame.ts";
import { MOST_LEVELS } from "./survey.ts";
import { floatsOfRows } from "../fill.ts";

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
  numbers: Record<string, Float64Array> = {},
): Groups {
  const leftOut: LeftOut & { rows: number } = { ...nothingLeftOut(table), rows: 0 };
  const values = columns.map((name) => levelValues(table, name));
  const floats = Object.values(numbers);
  const names = Object.keys(numbers);
  const places = new Int32Array(table.length).fill(-1);
  const known = new Map<unknown, unknown>();
  const levels: string[][] = [];
  const miss = (name: string) => leftOut.missing[name] = (leftOut.missing[name] ?? 0) + 1;
  for (let i = 0; i < table.length; i++) {
    let complete = true;
    for (const [j, column] of values.entries()) {
      if (column[i] !== null) continue;
      complete = false;
      miss(columns[j]!);
    }
    for (const [j, column] of floats.entries()) {
      if (!Number.isNaN(column[i]!)) continue;
      complete = false;
      miss(names[j]!);
    }
    if (complete) places[i] = placeOf(i);
    else leftOut.rows++;
  }
  const found = { leftOut, levels, places, numbers: floats, site: table.site };
  const used = table.site ? leaveOutRareLevels(columns, { ...found, site: table.site }) : found;
  return { ...used, n: table.length - leftOut.rows };

  function placeOf(row: number): number {
    let at = known;
    for (const column of values) {
      let next = at.get(column[row]) as Map<unknown, unknown> | undefined;
      if (!next) at.set(column[row], next = new Map());
      at = next;
    }
    let place = at.get(PLACE) as number | undefined;
    if (place === undefined) {
      at.set(PLACE, place = levels.length);
      levels.push(values.map((column) => String(column[row])));
      checkLevels(columns, levels);
    }
    return place;
  }
}

const PLACE = Symbol("place");

/** Without the rows of levels of too few persons, until no level is left that has so few. */
function leaveOutRareLevels(
  columns: string[],
  groups: Omit<Groups, "n"> & { site: SiteRules; leftOut: { rows: number } },
) {
  const { site, leftOut, levels, places } = groups;
  requireSubset(rulesOfGroups(groups), places.length - leftOut.rows);
  const least = Math.max(site.rules.minLevel, site.rules.minSubset);
  const gone = levels.map(() => false);
  for (let again = true; again;) {
    again = false;
    for (const [j, name] of columns.entries()) {
      const names = [...new Set(levels.filter((_, i) => !gone[i]).map((group) => group[j]!))];
      const ofGroup = levels.map((group, i) => gone[i] ? -1 : names.indexOf(group[j]!));
      const persons = personsByPlace(
        site,
        places.map((place) => place < 0 ? -1 : ofGroup[place]!),
        names.length,
      );
      const rare = persons.map((count) => count > 0 && count < least);
      if (!rare.includes(true)) continue;
      again = true;
      site.withhold("levels", "min_level", rare.filter(Boolean).length);
      const rows = countGroups(groups);
      for (const [i, place] of ofGroup.entries()) {
        if (place < 0 || !rare[place]) continue;
        gone[i] = true;
        leftOut.rows += rows[i]!;
        leftOut.levels[name] = (leftOut.levels[name] ?? 0) + rows[i]!;
      }
    }
  }
  // Nothing is left of some: that is no site without rows.
  if (levels.length > 0 && !gone.includes(false)) throw new PartWithheld("min_level");
  let kept = 0;
  const moved = gone.map((isGone) => isGone ? -1 : kept++);
  return {
    ...groups,
    levels: levels.filter((_, i) => !gone[i]),
    places: places.map((place) => place < 0 ? -1 : moved[place]!),
  };
}

/** The rules and the persons of the rows that are in a group. */
export function rulesOfGroups(
  { site, places }: { site: SiteRules; places: Int32Array },
): SiteRules {
  const rows: number[] = [];
  for (let row = 0; row < places.length; row++) if (places[row]! >= 0) rows.push(row);
  return rulesOfRows(site, rows);
}

/** More bits than this the ledger is not told of. */
const MOST_BITS = 64_000_000;

/**
 * What a part says of the rows that are in its groups, and to the site's ledger of the rows of each,
 * where there are not very many.
 */
export function usedGroups(groups: Groups): Used {
  const { n, leftOut, site, levels, places } = groups;
  const used = usedRows({ n, leftOut, site: site && rulesOfGroups({ site, places }) });
  if (!site || levels.length < 2 || levels.length * places.length > MOST_BITS) return used;
  for (const rows of rowsByGroup(groups)) site.use(rulesOfRows(site, rows).places);
  return used;
}

/** The persons of each group; undefined where no rules ask for them. */
export function personsOfGroups({ site, levels, places }: Groups): number[] | undefined {
  return site && personsByPlace(site, places, levels.length);
}

/**
 * Which groups may not be told, as they are of too few persons or would tell of such a one: the sum
 * over any of the columns may be known from another table. `events` are counts of persons, too.
 */
export function hiddenGroups(groups: Groups, events?: number[]): boolean[] {
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
  const least = Math.max(site.rules.minCell, site.rules.minSubset);
  let hidden = tooFew(personsOfGroups(groups)!, least, sums);
  if (!events) return hidden;
  // What hides the one must not show the other.
  for (let before = 0, now = -1; before !== now;) {
    before = now;
    const byEvents = tooFew(events, least, sums, hidden);
    hidden = tooFew(personsOfGroups(groups)!, least, sums, byEvents);
    now = hidden.filter(Boolean).length;
  }
  return hidden;
}

/** What single persons contribute to a number by group, where a rule asks for it. */
export function contributionsByGroup(groups: Groups, which = 0): Contributions[] | undefined {
  const { site, places, levels, numbers } = groups;
  if (!site || (site.rules.dominance === null && site.rules.pRatio === null)) return undefined;
  return levels.map((_, group) => {
    const rows: number[] = [];
    for (let row = 0; row < places.length; row++) if (places[row] === group) rows.push(row);
    const values = floatsOfRows(rows, (row) => numbers[which]![row]!);
    return contributionsOf(rulesOfRows(site, rows), values)!;
  });
}

function levelValues(table: Table, name: string): readonly unknown[] {
  const { type, values } = table.column(name);
  if (type !== "date" || values.every((value) => value === null)) return values;
  throw new TypeError(`The column "${name}" holds dates, which are no levels.`);
}

function checkLevels(columns: string[], levels: string[][]) {
  if (levels.length <= MOST_LEVELS) return;
  for (const [i, name] of columns.entries()) {
    if (new Set(levels.map((group) => group[i])).size <= MOST_LEVELS) continue;
    throw new RangeError(
      `The column "${name}" has more than ${MOST_LEVELS} different values, too many for levels.`,
    );
  }
}

/** Rows by group. */
export function countGroups({ levels, places }: Pick<Groups, "levels" | "places">): number[] {
  const counts = levels.map(() => 0);
  for (const place of places) if (place >= 0) counts[place]!++;
  return counts;
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
  const counts = countGroups({ levels, places });
  const parts = counts.map((count) => new Float64Array(count));
  const filled = counts.map(() => 0);
  for (const [i, place] of places.entries()) {
    if (place >= 0) parts[place]![filled[place]!++] = numbers[which]![i]!;
  }
  return parts;
}
