/**
 * What a part of an algorithm does where the site's owner has set rules on what may leave: it counts
 * persons, leaves out or coarsens what rests on too few of them, and says so. The node looks at what
 * it returns once more.
 * @module
 */
import type { DisclosureRules, Table } from "./api.ts";
import { intsByPlace } from "./fill.ts";

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
  | "round_to";

/** The rules, and the persons of some rows. */
export interface SiteRules {
  rules: DisclosureRules;
  /** Of each row its person, numbered from 0; undefined where each row is one. */
  persons: Uint32Array | undefined;
  /** Of each row its place in the database; undefined for all of its rows. */
  places: Uint32Array | undefined;
  /** Says to the site's ledger that what leaves rests on the rows at these places; all of them. */
  use(places: Uint32Array | undefined): void;
  withhold(output: string, rule: Rule, values: number): void;
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
 * person together, so that they are never taken for many.
 */
export function readPersons(table: Table, { persons }: DisclosureRules): Uint32Array | undefined {
  if (persons === null) return undefined;
  const numbers = new Map<unknown, number>();
  const values: readonly unknown[] = table.column(persons).values;
  const found = new Uint32Array(values.length);
  for (let row = 0; row < found.length; row++) {
    const value = values[row];
    let number = numbers.get(value);
    if (number === undefined) numbers.set(value, number = numbers.size);
    found[row] = number;
  }
  return found;
}

/** The same rules for some of the rows. */
export function rulesOfRows(site: SiteRules, rows: ArrayLike<number>): SiteRules {
  const { persons, places } = site;
  const of = (values: Uint32Array | undefined) => {
    const found = new Uint32Array(rows.length);
    for (let i = 0; i < found.length; i++) found[i] = values ? values[rows[i]!]! : rows[i]!;
    return found;
  };
  return { ...site, persons: persons && of(persons), places: of(places) };
}

/** How many persons so many rows are of. */
export function countPersons({ persons }: SiteRules, rows: number): number {
  return persons ? new Set(persons).size : rows;
}

/** How many persons have rows at each of so many places; rows at -1 are at none. */
export function personsByPlace(
  { persons }: Pick<SiteRules, "persons">,
  places: ArrayLike<number>,
  size: number,
): number[] {
  const counts = new Array<number>(size).fill(0);
  const seen = persons && Array.from({ length: size }, () => new Set<number>());
  for (let row = 0; row < places.length; row++) {
    const place = places[row]!;
    if (place < 0) continue;
    if (seen) seen[place]!.add(persons[row]!);
    else counts[place]!++;
  }
  return seen?.map(({ size }) => size) ?? counts;
}

/** Refuses rows of too few persons; none at all tell nothing. Others are said to be used. */
export function requireSubset(site: SiteRules, rows: number): number {
  const persons = countPersons(site, rows);
  if (persons > 0 && persons < site.rules.minSubset) throw new PartWithheld("min_subset");
  return persons;
}

/** Rows in which all but few persons have the same value, or those of few persons, show those few. */
export function requireLevels(site: SiteRules, columns: readonly Float64Array[]) {
  for (const values of columns) {
    if (!site.persons && isPlainlyMixed(values, site.rules.minLevel)) continue;
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
      const places = intsByPlace(values.length, (i) => values[i] === most ? 1 : 0);
      [few, those] = personsByPlace(site, places, 2) as [number, number];
    }
    const isTooFew = (persons: number) => persons > 0 && persons < site.rules.minLevel;
    if (isTooFew(few) || 2 * same > values.length && isTooFew(those)) {
      throw new PartWithheld("min_level");
    }
  }
}

/**
 * Whether at least so many rows are without whatever value most have; seen from the first rows of
 * nearly every column. If all but fewer had one value, one of the first so many rows would have it.
 */
function isPlainlyMixed(values: Float64Array, least: number): boolean {
  if (values.length < 2 * least) return false;
  return values.subarray(0, least).every((candidate) => {
    let others = 0;
    for (let i = 0; i < values.length && others < least; i++) {
      if (values[i] !== candidate) others++;
    }
    return others >= least;
  });
}

/**
 * Refuses sums in which few rows count, as if there were hardly any others: the rows that count
 * equally and give as much are fewer than the rules ask for (Kish 1965).
 */
export function requireSpread({ rules, persons }: SiteRules, weights: Float64Array) {
  let byPerson = weights;
  if (persons) {
    byPerson = new Float64Array(persons.reduce((most, one) => Math.max(most, one), 0) + 1);
    for (let i = 0; i < weights.length; i++) byPerson[persons[i]!]! += weights[i]!;
  }
  // Divided by the largest, so that squares stay numbers.
  let [largest, sum, squares] = [0, 0, 0];
  for (const weight of byPerson) largest = Math.max(largest, weight);
  if (largest === 0) return;
  for (const weight of byPerson) {
    sum += weight / largest;
    squares += (weight / largest) ** 2;
  }
  if (!(sum * sum / squares >= rules.minSubset)) throw new PartWithheld("min_subset");
}

/**
 * Which of some counts may not be told, as they are of too few persons, or would give such a one
 * away: each of `sums` are places whose total may be known from elsewhere; `others` are hidden anyhow.
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

/** Whether the total of hidden counts tells the small ones: they are known to be small, and not 0. */
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

/** What single persons contribute to a sum, for the rules on dominance. */
export interface Contributions {
  total: number;
  largest: number[];
}

/** The contributions to the sum of some values; undefined where no rule asks for them. */
export function contributionsOf(
  { rules, persons }: SiteRules,
  values: Float64Array,
): Contributions | undefined {
  if (rules.dominance === null && rules.pRatio === null) return undefined;
  const byPerson = new Map<number, number>();
  for (let i = 0; i < values.length; i++) {
    const person = persons?.[i] ?? i;
    const value = values[i]!;
    if (!Number.isNaN(value)) byPerson.set(person, (byPerson.get(person) ?? 0) + value);
  }
  const sorted = Float64Array.from(byPerson.values(), Math.abs).sort().reverse();
  return {
    total: sorted.reduce((sum, value) => sum + value, 0),
    largest: [...sorted.subarray(0, Math.max(2, rules.dominance?.largest ?? 0))],
  };
}
