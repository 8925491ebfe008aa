/**
 * What a site with rules tells of its columns: nothing of too few persons, nothing from which that
 * would follow, and no exact number of rows where few of them lack a value, which would follow too.
 * @module
 */
import type { SiteRules } from "sextant/disclosure.ts";
import {
  isOfFew,
  personsByPlace,
  requireSubset,
  rulesOfGrouped,
  tooFew,
  useGroups,
  useRows,
} from "sextant/disclosure.ts";
import { fewValuesIn } from "sextant/few_values.ts";
import { contributionsOf, whyNotShares } from "sextant/shares.ts";
import { countPairs, countPlaces, splitBy } from "sextant/grouping.ts";
import type { Groups } from "sextant/kernels/groups.ts";
import { nothingLeftOut } from "sextant/kernels/frame.ts";
import { personsOfUnions } from "sextant/memberships.ts";
import { momentsOf, roundedMoments } from "sextant/kernels/moments.ts";
import type { Rows } from "sextant/where.ts";
import { type Asked, lackOf, type Told } from "./lack.ts";
import type { Cell, ColumnPart, SummaryPart } from "./part.ts";
import { type Sets, setsOf, togetherOf } from "./sets.ts";

/**
 * A column's values: numbers, `NaN` where there is none; or of each row the place of its level in a
 * list of those that rows have, -1 where there is none.
 */
export type Values =
  | { type: string; numbers: Float64Array }
  | { type: string; names: string[]; places: Int32Array };

/** The part of a site with rules. */
export function tellColumns(
  table: Rows & { site: SiteRules },
  { columns, group, groups, valuesOf }: {
    columns: string[];
    group: string | undefined;
    groups: Groups | undefined;
    valuesOf: (name: string) => Values;
  },
): SummaryPart {
  const { site } = table;
  const { sets, rare } = setsOf(table, groups, group);
  const used = rulesOfGrouped(site, sets.of, sets.n);
  const persons = requireSubset(used, sets.n);
  if (sets.names.length > 1) useGroups(site, sets.of, sets.names.length);
  const found = columns.map((name) => {
    const read = valuesOf(name);
    // Of a choice in which few have a value is told what is of one in which nobody has.
    const isHidden = site.isChosen && personsWith(site, sets, read) < site.rules.minSubset;
    const values = isHidden ? valuesOfNobody(table.length) : read;
    const present = presentIn(sets, values);
    const asked = { sets, present: present ?? sets.of, persons };
    const cells = "numbers" in values
      ? tellNumbers(site, values, asked)
      : tellLevels(site, values, asked);
    return { name, type: values.type, ...cells };
  });
  if (sets.n > 0) useRows(used);
  const { minCell } = site.rules;
  // Of all but few without a value these few would follow.
  const isFew = ({ missing, missingPersons, presentPersons }: Told) =>
    missing > 0 && (missingPersons < minCell ||
      presentPersons < minCell && (presentPersons > 0 || site.isChosen === true));
  // Rounded counts do not tell their difference.
  const hide = site.rules.roundTo === 1 &&
    found.some(({ all, bySet }) => isFew(all) || bySet.some(isFew));
  if (hide) site.withhold("rows", "min_cell", 1 + sets.names.length);
  const show = (
    { missing, missingPersons: _, presentPersons: __, ...cell }: Told,
  ): Cell => ({
    ...cell,
    missing: hide ? null : missing,
  });
  const count = (set: number) => hide ? null : sets.rows[set]!;
  const named = sets.names.flatMap((name, set) => name === undefined ? [] : [{ name, set }]);
  const without = group ? sets.names.indexOf(undefined) : -1;
  return {
    rows: hide ? null : sets.n,
    persons,
    groups: Object.fromEntries(named.map(({ name, set }) => [name, count(set)])),
    groupPersons: Object.fromEntries(named.map(({ name, set }) => [name, sets.persons[set]!])),
    without_group: without >= 0 ? count(without) : 0,
    ...group && rare > 0 && { left_out: rare },
    where: nothingLeftOut(table).where,
    columns: Object.fromEntries(found.map(({ name, type, all, bySet }): [string, ColumnPart] => [
      name,
      {
        type,
        all: show(all),
        groups: Object.fromEntries(named.map(({ name, set }) => [name, show(bySet[set]!)])),
      },
    ])),
  };
}

/** How many persons have a value in the rows that are told of. */
function personsWith(site: SiteRules, sets: Sets, values: Values): number {
  const present = presentIn(sets, values) ?? sets.of;
  return personsByPlace(site, present.map((set) => set < 0 ? -1 : 0), 1)[0]!;
}

function valuesOfNobody(rows: number): Values {
  return { type: "none", numbers: new Float64Array(rows).fill(NaN) };
}

/** The sets without the rows that lack a value; undefined where none does. */
function presentIn({ of }: Sets, values: Values): Int32Array | undefined {
  // Looked for by the engine's own code, which is fast in a process that has only begun.
  const isWhole = "numbers" in values ? !values.numbers.includes(NaN) : !values.places.includes(-1);
  if (isWhole) return undefined;
  const isMissing = "numbers" in values
    ? (row: number) => Number.isNaN(values.numbers[row]!)
    : (row: number) => values.places[row]! < 0;
  let present: Int32Array | undefined;
  for (let row = 0; row < of.length; row++) {
    if (of[row]! < 0 || !isMissing(row)) continue;
    present ??= of.slice();
    present[row] = -1;
  }
  return present;
}

function tellNumbers(
  site: SiteRules,
  { numbers }: { numbers: Float64Array },
  asked: Asked,
): { all: Told; bySet: Told[] } {
  const { sets, present } = asked;
  const least = site.rules.minSubset;
  const lack = lackOf(site, asked);
  // As if none were few.
  const known = lack.persons.map((count) => site.isChosen ? Math.max(1, count) : count);
  const partsOf = (places: Int32Array, rows: readonly number[]) =>
    rows[0] === places.length ? [numbers] : splitBy(places, numbers, rows);
  const momentsIn = (
    places: Int32Array,
    rows: readonly number[],
    parts: readonly Float64Array[],
  ) => {
    const { dominance, pRatio } = site.rules;
    const asks = dominance !== null || pRatio !== null;
    const whose = asks && site.persons ? splitBy(places, site.persons, rows) : undefined;
    return parts.map((values, i) => {
      const contributions = contributionsOf({ ...site, persons: whose?.[i] }, values);
      return {
        ...roundedMoments(momentsOf(values), site.rules.roundTo),
        ...contributions && { contributions },
      };
    });
  };
  const rows = sets.rows.map((count, set) => count - lack.missing[set]!);
  const parts = partsOf(present, rows);
  const cells = momentsIn(present, rows, parts).map((moments, set) => ({
    missing: lack.missing[set]!,
    missingPersons: lack.missingPersons[set]!,
    presentPersons: lack.persons[set]!,
    moments: { ...moments, persons: lack.persons[set]! },
    counts: {},
  }));
  const n = rows.reduce((sum, count) => sum + count, 0);
  const inOne = (isIn: (set: number) => boolean) =>
    present.map((set) => set >= 0 && isIn(set) ? 0 : -1);
  const isComplete = present === sets.of;
  const together = isComplete ? sets.together : togetherOf(present, n);
  const partsTogether = partsOf(together, [n]);
  const whole = momentsIn(together, [n], partsTogether)[0]!;
  const all = {
    missing: lack.missing.reduce((sum, count) => sum + count, 0),
    missingPersons: lack.missingInAll,
    presentPersons: lack.all,
    moments: { ...whole, persons: lack.all },
    counts: {},
  };
  const look = (sets: Int32Array, size: number, parts?: readonly Float64Array[]) =>
    fewValuesIn(site, { numbers, sets, size, sums: 3, ...parts && { parts } });
  const few = look(present, cells.length, parts);
  const fewInAll = cells.length === 1 || few.isNone ? few : look(together, 1, partsTogether);
  const isOfFewShares = ({ contributions }: typeof whole) =>
    contributions !== undefined && whyNotShares(site.rules, contributions) !== undefined;
  const byShares = cells.map(({ moments }) => isOfFewShares(moments));
  const isAllOfShares = isOfFewShares(whole);
  const isAllHidden = isOfFew(site, lack.all) || fewInAll.tell[0]! || isAllOfShares;
  const others = few.tell.map((tell, set) => tell || byShares[set]!);
  const hidden = tooFew(known, least, [cells.map((_, i) => i)], others);
  const isGivenAway = (set: Int32Array) => {
    if (look(set, 1).tell[0]) return true;
    const rows = countPlaces(set, 1);
    return isOfFewShares(momentsIn(set, rows, partsOf(set, rows))[0]!);
  };
  // What all less those that are told of leaves is told too.
  while (!isAllHidden && hidden.includes(true) && hidden.includes(false)) {
    if (!isGivenAway(inOne((set) => hidden[set]!))) break;
    const [next] = [...cells.keys()].filter((set) => !hidden[set])
      .sort((a, b) => known[a]! - known[b]!);
    hidden[next!] = true;
  }
  // Of the rows of the sets as they are it is said anyhow.
  if (!isComplete || hidden.includes(true)) {
    useGroups(site, present.map((set) => set < 0 || hidden[set] ? -1 : set), cells.length);
  }
  few.use((set) => !hidden[set]);
  if (!isAllHidden) {
    if (!isComplete) useGroups(site, together, 1);
    fewInAll.use(() => true);
  }
  const rule = fewInAll.tell[0] || few.tell.includes(true)
    ? "min_level"
    : isAllOfShares || byShares.includes(true)
    ? "dominance"
    : "min_subset";
  const tell = (cell: typeof all, isHidden: boolean): Told => {
    if (isHidden) site.withhold("columns", rule, 3);
    return isHidden ? { ...cell, moments: null } : cell;
  };
  return { all: tell(all, isAllHidden), bySet: cells.map((cell, i) => tell(cell, hidden[i]!)) };
}

/** Counts of levels by set, and what is left of each line: its sums may be known. */
function tellLevels(
  site: SiteRules,
  values: { names: string[]; places: Int32Array },
  asked: Asked,
): { all: Told; bySet: Told[] } {
  const { minCell, minLevel } = site.rules;
  const pairs = pairsOf(values, asked);
  const { names, inAll, tallies } = talliesOf(site, values, { ...asked, pairs });
  const total = inAll.persons;
  const isNamed = total.map((count) => count >= minLevel);
  const bySet = tallies.map(({ persons }) => persons);
  const [height, width] = [names.length, tallies.length];
  const line = (length: number, place: (i: number) => number) =>
    Array.from({ length }, (_, i) => place(i));
  const hidden = tooFew(
    bySet.flat(),
    minCell,
    [
      ...line(height, (level) => level).map((level) => line(width, (set) => set * height + level)),
      ...line(width, (set) => set).map((set) => line(height, (level) => set * height + level)),
    ],
    bySet.flatMap((counts) => counts.map((count, level) => count > 0 && !isNamed[level])),
  );
  const hiddenInAll = tooFew(
    total,
    minCell,
    [line(height, (level) => level)],
    isNamed.map((one) => !one),
  );
  const tell = (
    { counts, persons, presentPersons, missing, missingPersons }: Tally,
    isHidden: (level: number) => boolean,
  ): Told => {
    const shown = names.flatMap((name, level) =>
      isNamed[level] && counts[level]! > 0
        ? [{ name, count: isHidden(level) ? null : counts[level]!, persons: persons[level]! }]
        : []
    );
    const gone = shown.filter(({ count }) => count === null).length;
    if (gone > 0) site.withhold("columns", "min_cell", gone);
    return {
      missing,
      missingPersons,
      presentPersons,
      moments: { ...momentsOf([]), persons: 0 },
      counts: Object.fromEntries(shown.map(({ name, count }) => [name, count])),
      countPersons: Object.fromEntries(shown.map(({ name, persons }) => [name, persons])),
      unnamed: isNamed.includes(false),
    };
  };
  useLevels(site, pairs, { sets: width, given: values.names, names, hidden, hiddenInAll });
  const rare = isNamed.filter((one) => !one).length;
  if (rare > 0) site.withhold("levels", "min_level", rare);
  return {
    all: tell(inAll, (level) => hiddenInAll[level]!),
    bySet: tallies.map((one, set) => tell(one, (level) => hidden[set * height + level]!)),
  };
}

/** Of each row that has a value its set and its level, as one number: sets of levels; else -1. */
function pairsOf(
  { names, places }: { names: string[]; places: Int32Array },
  { present }: Asked,
): Int32Array {
  const pairs = new Int32Array(places.length);
  for (let row = 0; row < pairs.length; row++) {
    pairs[row] = present[row]! < 0 ? -1 : present[row]! * names.length + places[row]!;
  }
  return pairs;
}

/** Says to the ledger of each count that is told the rows that it is of. */
function useLevels(
  site: SiteRules,
  pairs: Int32Array,
  { sets, given, names, hidden, hiddenInAll }: {
    /** How many. */
    sets: number;
    /** Levels as the pairs number them, and those that rows have. */
    given: readonly string[];
    names: readonly string[];
    hidden: readonly boolean[];
    hiddenInAll: readonly boolean[];
  },
): void {
  const height = names.length;
  const levels = given.map((name) => names.indexOf(name));
  const inAll = levels.map((level) => hiddenInAll[level] === false ? level : -1);
  const each = Array.from({ length: sets }, (_, set) => set);
  useGroups(site, pairs, height, { numberOf: each.flatMap(() => inAll) });
  if (sets < 2) return;
  const numberIn = (set: number, level: number) =>
    hidden[set * height + level] === false && level >= 0 ? set * height + level : -1;
  const numberOf = each.flatMap((set) => levels.map((level) => numberIn(set, level)));
  useGroups(site, pairs, sets * height, { numberOf });
}

/** By level: rows, and persons. */
interface Tally {
  counts: number[];
  persons: number[];
  /** Of all levels together. */
  presentPersons: number;
  missing: number;
  missingPersons: number;
}

/** The levels of the rows that are told of, by set and in all. */
function talliesOf(
  site: SiteRules,
  { names: given, places }: { names: string[]; places: Int32Array },
  { pairs, ...asked }: Asked & { pairs: Int32Array },
): { names: string[]; inAll: Tally; tallies: Tally[] } {
  const { sets } = asked;
  const size = sets.names.length;
  const counts = countPairs(sets.of, places, [size, given.length]);
  const total = given.map((_, level) => counts.reduce((sum, row) => sum + row[level]!, 0));
  const there = [...given.keys()].filter((level) => total[level]! > 0);
  const only = <Value>(values: readonly Value[]) => there.map((level) => values[level]!);
  const lack = lackOf(site, asked);
  let [persons, inAll] = [counts, total];
  if (site.persons) {
    const width = given.length;
    const pairOf = (set: number, level: number) => set * width + level;
    const personsOf = personsOfUnions(site.persons, pairs, size * width);
    const each = personsOf(Array.from({ length: size * width }, (_, pair) => [pair]));
    persons = counts.map((row, set) => row.map((_, level) => each[pairOf(set, level)]!));
    inAll = personsOf(given.map((_, level) => counts.map((_, set) => pairOf(set, level))));
  }
  return {
    names: only(given),
    inAll: {
      counts: only(total),
      persons: only(inAll),
      presentPersons: lack.all,
      missing: lack.missing.reduce((sum, count) => sum + count, 0),
      missingPersons: lack.missingInAll,
    },
    tallies: counts.map((row, set) => ({
      counts: only(row),
      persons: only(persons[set]!),
      presentPersons: lack.persons[set]!,
      missing: lack.missing[set]!,
      missingPersons: lack.missingPersons[set]!,
    })),
  };
}
