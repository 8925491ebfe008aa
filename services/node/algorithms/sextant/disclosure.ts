/**
 * What a part of an algorithm does where the site's owner has set rules on what may leave: it
 * counts persons, leaves out or coarsens what rests on too few of them, and says so. The node looks
 * at what it returns once more.
 * @module
 */
import type { DisclosureRules, Table } from "./api.ts";
import {
  countDistinct,
  distinctByPlace,
  distinctUpTo,
  isAllDistinct,
  mostOf,
  numbersWithout,
  roomOf,
  withRoom,
} from "./distinct.ts";
import type { Places } from "./grouping.ts";
import { type SelectedRows, selectionOf, selectionsOf } from "./selection.ts";

/** What was withheld, in the words in which the node says so: never a value. */
export interface Withheld {
  output: string;
  /** As the owner's configuration names it. */
  rule: string;
  /** How many values. */
  values: number;
}

export type Rule =
  | "min_cell"
  | "min_subset"
  | "min_level"
  | "max_terms_share"
  | "min_residual_freedom"
  | "dominance"
  | "p_ratio"
  | "round_to";

/** The rules, and the persons of some rows. */
export interface SiteRules {
  rules: DisclosureRules;
  /** Of each row its person, numbered from 0; undefined where each row is one. */
  persons: Uint32Array | undefined;
  /** What is known of the persons of the whole table without looking at its rows. */
  known?: KnownPersons | undefined;
  /** Of each row its place in the database; undefined for all of its rows. */
  places: Uint32Array | undefined;
  /** Rows of the database. */
  tableLength: number;
  /**
   * Whether somebody chose these rows. Of a choice of none is told what is of one of few: else one
   * that adds a person to a condition would tell whether the person meets it.
   */
  isChosen?: boolean;
  /**
   * Says to the site's ledger which rows what leaves rests on; with none, that it rests on no rows.
   * Those `within` others are said beside them. Of a part that says only such, or nothing, the
   * ledger takes all of the chosen rows.
   */
  use(selections: readonly SelectedRows[], within?: "within"): void;
  withhold(output: string, rule: Rule, values: number): void;
}

/** The persons of a table. */
export interface KnownPersons {
  /** How many there are. */
  different: number;
  /** The most rows that one of them has. */
  most: number;
}

/** Nothing of this part may leave. */
export class PartWithheld extends Error {
  override name = "PartWithheld";

  readonly rule: Rule;

  constructor(rule: Rule) {
    super(`The rules of this site withhold its part: ${rule}.`);
    this.rule = rule;
  }
}

/**
 * The persons of a table's rows by the owner's column; rows without a value there count as one
 * person together, so that they are never taken for many. Undefined where each row is a person of
 * its own, which then need not be counted again and again.
 */
export function readPersons(
  table: Table,
  { persons }: DisclosureRules,
): Pick<SiteRules, "persons" | "known"> {
  if (persons === null) return { persons: undefined };
  const levels = table.levels(persons);
  const { counted } = levels;
  if (counted && counted.missing <= 1 && counted.most <= 1) return { persons: undefined };
  if (!counted || !levels.numbers) {
    const found = numbersWithout(levels.places);
    return { persons: isAllDistinct(found) ? undefined : found };
  }
  const { different, missing, most } = counted;
  // As they lie in the file: 0 is that of the rows without a value, and each of the others has
  // rows.
  const found = withRoom(levels.numbers, different + 1);
  const known = { different: different + (missing > 0 ? 1 : 0), most: Math.max(most, missing) };
  return { persons: found, known };
}

/** The same rules for some of the rows. */
export function rulesOfRows(site: SiteRules, rows: ArrayLike<number>): SiteRules {
  const { persons, places } = site;
  const of = (values: Uint32Array | undefined) => {
    const found = new Uint32Array(rows.length);
    for (let i = 0; i < found.length; i++) found[i] = values ? values[rows[i]!]! : rows[i]!;
    return found;
  };
  return {
    ...site,
    persons: persons && withRoom(of(persons), roomOf(persons)),
    places: of(places),
  };
}

/** The same rules for the rows that are in a group, `n` of them; those at -1 are in none. */
export function rulesOfGrouped(site: SiteRules, groupOf: Int32Array, n: number): SiteRules {
  if (n === groupOf.length) return site;
  const rows = new Uint32Array(n);
  let filled = 0;
  for (let row = 0; row < groupOf.length; row++) if (groupOf[row]! >= 0) rows[filled++] = row;
  return rulesOfRows(site, rows);
}

/** Says to the site's ledger that what leaves rests on all of the rows. */
export function useRows({ places, tableLength, use }: SiteRules): void {
  use([selectionOf(places, tableLength)]);
}

/**
 * Says the same of the rows of each of so many groups; those at -1 are in none. Of groups of too
 * few persons nothing is told, and the ledger hears of none.
 */
export function useGroups(
  site: SiteRules,
  groupOf: Places,
  groups: number,
  { numberOf, areEnough }: GroupsOfRows = {},
): void {
  const { places, tableLength: length, use, rules: { minSubset }, persons } = site;
  const isKept = areEnough ??
    distinctUpTo(minSubset, persons, groupOf, { size: groups, numberOf })
      .map((count) => count >= minSubset);
  let kept = 0;
  const moved = isKept.map((is) => is ? kept++ : -1);
  if (kept === 0) return;
  const to = numberOf ? numberOf.map((group) => group < 0 ? -1 : moved[group]!) : moved;
  use(selectionsOf(groupOf, kept, { places, length, numberOf: to }));
}

/** What is known of groups of rows. */
interface GroupsOfRows {
  /**
   * Where the groups are not the rows' numbers themselves: of each number its group, -1 for none.
   */
  numberOf?: readonly number[];
  /** By group, where somebody has counted: whether it is of persons enough. */
  areEnough?: readonly boolean[];
}

/** Says the same of groups of rows that are all said beside them. */
export function useWithin(site: SiteRules, groupOf: Int32Array, groups: number): void {
  useGroups(within(site), groupOf, groups);
}

/** The same rules, of which the ledger hears of rows that are all said beside them. */
export function within(site: SiteRules): SiteRules {
  return { ...site, use: (selections) => site.use(selections, "within") };
}

/** How many persons so many rows are of. */
export function countPersons({ persons, places, known }: SiteRules, rows: number): number {
  if (!persons) return rows;
  return known && !places ? known.different : countDistinct(persons);
}

/**
 * How many persons have rows at each of so many places; rows at -1, or at `NaN`, are at none, nor
 * are those for which `within` has 0.
 */
export function personsByPlace(
  { persons }: Pick<SiteRules, "persons">,
  places: Int32Array | Float64Array,
  size: number,
  within?: Uint8Array,
): number[] {
  if (persons) return distinctByPlace(persons, places, { size, within });
  const counts = new Array<number>(size).fill(0);
  for (let row = 0; row < places.length; row++) {
    const place = places[row]!;
    if (place >= 0 && (!within || within[row] === 1)) counts[place]!++;
  }
  return counts;
}

/** The same, counted no further than `most`: for whoever asks only whether they are enough. */
export function personsUpTo(
  most: number,
  { persons }: Pick<SiteRules, "persons">,
  places: Int32Array | Float64Array,
  size: number,
  within?: Uint8Array,
): number[] {
  return distinctUpTo(most, persons, places, { size, within });
}

/** Refuses rows of too few persons; none at all tell nothing, unless somebody chose them. */
export function requireSubset(site: SiteRules, rows: number): number {
  const persons = countPersons(site, rows);
  if (isOfFew(site, persons)) throw new PartWithheld("min_subset");
  return persons;
}

/** Whether of rows of so many persons nothing may be told. */
export function isOfFew({ rules, isChosen }: SiteRules, persons: number): boolean {
  return persons < rules.minSubset && (persons > 0 || isChosen === true);
}

/**
 * Rows in which all but few persons have the same value, or those of few persons, show those few.
 */
export function requireLevels(site: SiteRules, columns: readonly Float64Array[]) {
  const isPlainlyMixed = createPlainlyMixed(site);
  for (const values of columns) {
    if (isPlainlyMixed(values)) continue;
    // What most rows have, if there is such a value (Boyer and Moore 1991).
    let [most, lead] = [NaN, 0];
    for (let i = 0; i < values.length; i++) {
      if (lead === 0) most = values[i]!;
      lead += values[i] === most ? 1 : -1;
    }
    let same = 0;
    for (let i = 0; i < values.length; i++) same += values[i] === most ? 1 : 0;
    let [few, those] = [values.length - same, same];
    if (site.persons) {
      const places = new Int32Array(values.length);
      for (let i = 0; i < values.length; i++) places[i] = values[i] === most ? 1 : 0;
      [few, those] = personsUpTo(site.rules.minLevel, site, places, 2) as [number, number];
    }
    const isTooFew = (persons: number) => persons > 0 && persons < site.rules.minLevel;
    if (isTooFew(few) || 2 * same > values.length && isTooFew(those)) {
      throw new PartWithheld("min_level");
    }
  }
}

/** Rows that are looked at for values that nearly all might have. */
const LOOKED_AT = 100;

/**
 * Whether a column is seen not to be refused, from the first rows of nearly every one: at least so
 * many persons are without whatever value most rows have, and no fewer have it.
 */
function createPlainlyMixed(
  site: SiteRules,
): (values: Float64Array) => boolean {
  const { rules: { minLevel: least }, persons } = site;
  const most = mostRowsOfOne(site);
  const first = persons ? firstRowsOf(least, persons) : least;
  return (values) => {
    // As many rows as half of them, or more, are then of enough persons.
    if (first === undefined || values.length < 2 * least * most) return false;
    // If all but fewer had one value, one of the first rows, which are of so many, would have it.
    return values.subarray(0, first).every((candidate) => areWithout(values, candidate));
  };

  /** Whether at least so many persons have another value. */
  function areWithout(values: Float64Array, candidate: number): boolean {
    const others: number[] = [];
    for (let i = 0; i < values.length && others.length < least; i++) {
      if (values[i] === candidate) continue;
      const person = persons ? persons[i]! : i;
      if (!others.includes(person)) others.push(person);
    }
    return others.length >= least;
  }
}

/** So many rows at most the person has who has most of them. */
export function mostRowsOfOne({ persons, known }: SiteRules): number {
  if (!persons) return 1;
  // No more of some rows than of all.
  if (known) return known.most;
  return mostOf(persons);
}

/** How many of the first rows are of so many persons; undefined where too many rows would be. */
function firstRowsOf(least: number, persons: Uint32Array): number | undefined {
  const seen: number[] = [];
  for (let row = 0; row < persons.length && row < LOOKED_AT; row++) {
    if (!seen.includes(persons[row]!)) seen.push(persons[row]!);
    if (seen.length === least) return row + 1;
  }
  return undefined;
}

/**
 * Which of some counts may not be told, as they are of too few persons, or would give such a one
 * away: each of `sums` are places whose total may be known from elsewhere; `others` are hidden
 * anyhow.
 */
export function tooFew(
  counts: readonly number[],
  least: number,
  sums: number[][],
  others: readonly boolean[] = [],
): boolean[] {
  const hidden = counts.map((count, i) => others[i] === true || (count > 0 && count < least));
  for (let again = true; again;) {
    again = false;
    for (const places of sums) {
      const gone = places.filter((place) => hidden[place]);
      if (gone.length === 0 || !tells(gone.map((place) => counts[place]!), least)) continue;
      const next = places.filter((place) => !hidden[place] && counts[place]! > 0)
        .sort((a, b) => counts[a]! - counts[b]!)[0];
      if (next === undefined) continue;
      hidden[next] = again = true;
    }
  }
  return hidden;
}

/**
 * Whether the total of hidden counts tells the small ones: they are known to be small, and not 0.
 */
function tells(counts: number[], least: number): boolean {
  // Alone it follows from the total, and from it what else was hidden with it.
  if (counts.filter((count) => count > 0).length === 1) return true;
  const small = counts.filter((count) => count > 0 && count < least);
  if (small.length === 0) return false;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return total < least ||
    small.length === counts.length &&
      (total === counts.length || total === counts.length * (least - 1));
}
