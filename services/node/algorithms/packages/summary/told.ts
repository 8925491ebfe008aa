/**
 * What a site with rules tells of its columns: nothing of too few persons, nothing from which that
 * would follow, and no exact number of rows where few of them lack a value, which would follow too.
 * @module
 */
import type { SiteRules } from "sextant/disclosure.ts";
import {
  contributionsOf,
  countPersons,
  personsByPlace,
  rulesOfRows,
  tooFew,
} from "sextant/disclosure.ts";
import type { Groups } from "sextant/kernels/groups.ts";
import { nothingLeftOut } from "sextant/kernels/frame.ts";
import { momentsOf, roundedMoments } from "sextant/kernels/moments.ts";
import type { Rows } from "sextant/where.ts";
import { requireSubset } from "sextant/disclosure.ts";
import type { Cell, ColumnPart, SummaryPart } from "./part.ts";
import { floatsOfRows, intsByPlace } from "sextant/fill.ts";

/** Rows that are described together. */
interface RowSet {
  rows: ArrayLike<number>;
  /** The group; undefined for the rows that have none. */
  name: string | undefined;
}

/** A column's values: numbers, `NaN` where there is none; or levels, null where there is none. */
export type Values =
  | { type: string; numbers: Float64Array }
  | { type: string; levels: (string | null)[] };

/** The rows that are told of: those of groups of too few persons are left out, with or without one. */
function rowSetsOf(table: Rows & { site: SiteRules }, groups: Groups | undefined, group?: string) {
  const { length, site } = table;
  if (!groups) {
    return { sets: [{ rows: intsByPlace(length, (row) => row), name: undefined }], rare: 0 };
  }
  const byGroup = groups.levels.map(([name]) => ({ rows: [] as number[], name: name! }));
  const values: readonly unknown[] = table.column(group!).values;
  const without = { rows: [] as number[], name: undefined };
  let rare = 0;
  for (let row = 0; row < length; row++) {
    if (values[row] === null) without.rows.push(row);
    else if (groups.places[row]! >= 0) byGroup[groups.places[row]!]!.rows.push(row);
    else rare++;
  }
  const few = personsIn(site, without.rows);
  if (few === 0) return { sets: byGroup, rare };
  if (few >= site.rules.minSubset) return { sets: [...byGroup, without], rare };
  site.withhold("without_group", "min_subset", 1);
  return { sets: byGroup, rare: rare + without.rows.length };
}

/** All their rows, in the order of the table. */
function joined(sets: readonly RowSet[]): Uint32Array {
  const all = new Uint32Array(sets.reduce((sum, { rows }) => sum + rows.length, 0));
  let filled = 0;
  for (const { rows } of sets) {
    all.set(rows, filled);
    filled += rows.length;
  }
  return all.sort();
}

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
  const { sets, rare } = rowSetsOf(table, groups, group);
  const use = (rows: ArrayLike<number>) => site.use(rulesOfRows(site, rows).places);
  const used = joined(sets);
  const persons = requireSubset(rulesOfRows(site, used), used.length);
  for (const { rows } of sets.length > 1 ? sets : []) use(rows);
  const found = columns.map((name) => {
    const values = valuesOf(name);
    use(
      rowsThat(
        used,
        (row) =>
          "numbers" in values ? !Number.isNaN(values.numbers[row]!) : values.levels[row] !== null,
      ),
    );
    const tell = "numbers" in values ? tellNumbers : tellLevels;
    const cells = tell(site, values as never, sets, used);
    return { name, type: values.type, ...cells };
  });
  if (used.length > 0) use(used);
  const isFew = ({ missing, missingPersons }: Told) =>
    missing! > 0 && missingPersons < site.rules.minCell;
  // Rounded counts do not tell their difference.
  const hide = site.rules.roundTo === 1 &&
    found.some(({ all, bySet }) => isFew(all) || bySet.some(isFew));
  if (hide) site.withhold("rows", "min_cell", 1 + sets.length);
  const show = ({ missing, missingPersons: _, ...cell }: Told): Cell => ({
    ...cell,
    missing: hide ? null : missing,
  });
  const count = ({ rows }: RowSet) => hide ? null : rows.length;
  const named = sets.map((set, i) => ({ ...set, count: count(set), place: i }))
    .filter((set): set is typeof set & { name: string } => set.name !== undefined);
  const without = group ? sets.find(({ name }) => name === undefined) : undefined;
  return {
    rows: hide ? null : used.length,
    persons,
    groups: Object.fromEntries(named.map(({ name, count }) => [name, count])),
    groupPersons: Object.fromEntries(
      named.map(({ name, rows }) => [name, personsIn(site, rows)]),
    ),
    without_group: without ? count(without) : 0,
    ...group && rare > 0 && { left_out: rare },
    where: nothingLeftOut(table).where,
    columns: Object.fromEntries(found.map(({ name, type, all, bySet }): [string, ColumnPart] => [
      name,
      {
        type,
        all: show(all),
        groups: Object.fromEntries(named.map(({ name, place }) => [name, show(bySet[place]!)])),
      },
    ])),
  };
}

interface Told extends Omit<Cell, "missing"> {
  missing: number;
  missingPersons: number;
}

function personsIn(site: SiteRules, rows: ArrayLike<number>): number {
  return countPersons(rulesOfRows(site, rows), rows.length);
}

/** Those of the rows that pass. */
function rowsThat(rows: ArrayLike<number>, pass: (row: number) => boolean): Uint32Array {
  const found = new Uint32Array(rows.length);
  let filled = 0;
  for (let i = 0; i < rows.length; i++) if (pass(rows[i]!)) found[filled++] = rows[i]!;
  return found.subarray(0, filled);
}

function tellNumbers(
  site: SiteRules,
  { numbers }: { numbers: Float64Array },
  sets: RowSet[],
  used: ArrayLike<number>,
): { all: Told; bySet: Told[] } {
  const least = site.rules.minSubset;
  const cellOf = (rows: ArrayLike<number>) => {
    const present = rowsThat(rows, (row) => !Number.isNaN(numbers[row]!));
    const values = floatsOfRows(present, (row) => numbers[row]!);
    const contributions = contributionsOf(rulesOfRows(site, present), values);
    const persons = personsIn(site, present);
    return {
      missing: rows.length - present.length,
      missingPersons: personsIn(site, rowsThat(rows, (row) => Number.isNaN(numbers[row]!))),
      moments: {
        ...roundedMoments(momentsOf(values), site.rules.roundTo),
        persons,
        ...contributions && { contributions },
      },
      counts: {},
      persons,
    };
  };
  const cells = sets.map(({ rows }) => cellOf(rows));
  const all = cellOf(used);
  const hidden = tooFew(cells.map(({ persons }) => persons), least, [cells.map((_, i) => i)]);
  const tell = ({ persons: _, ...cell }: typeof all, isHidden: boolean): Told => {
    if (isHidden) site.withhold("columns", "min_subset", 3);
    return isHidden ? { ...cell, moments: null } : cell;
  };
  return {
    all: tell(all, all.persons > 0 && all.persons < least),
    bySet: cells.map((cell, i) => tell(cell, hidden[i]!)),
  };
}

/** Counts of levels by set, and what is left of each line: its sums may be known. */
function tellLevels(
  site: SiteRules,
  { levels }: { levels: (string | null)[] },
  sets: RowSet[],
  used: ArrayLike<number>,
): { all: Told; bySet: Told[] } {
  const { minCell, minLevel } = site.rules;
  const { names, placeOf } = placesOf(levels, used);
  const tally = (rows: ArrayLike<number>) => tallyOf(site, rows, { placeOf, size: names.length });
  const inAll = tally(used);
  const total = inAll.persons;
  const isNamed = total.map((count) => count >= minLevel);
  const tallies = sets.map(({ rows }) => tally(rows));
  const bySet = tallies.map(({ persons }) => persons);
  const [height, width] = [names.length, sets.length];
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
    { counts, persons, missing, missingPersons }: Tally,
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
      moments: { ...momentsOf([]), persons: 0 },
      counts: Object.fromEntries(shown.map(({ name, count }) => [name, count])),
      countPersons: Object.fromEntries(shown.map(({ name, persons }) => [name, persons])),
      unnamed: isNamed.includes(false),
    };
  };
  const rare = isNamed.filter((one) => !one).length;
  if (rare > 0) site.withhold("levels", "min_level", rare);
  return {
    all: tell(inAll, (level) => hiddenInAll[level]!),
    bySet: tallies.map((one, set) => tell(one, (level) => hidden[set * height + level]!)),
  };
}

/** The levels of the rows that are told of, and of each row the place of its level; -1 without one. */
function placesOf(levels: readonly (string | null)[], used: ArrayLike<number>) {
  const places = new Map<string, number>();
  const placeOf = new Int32Array(levels.length).fill(-1);
  for (let i = 0; i < used.length; i++) {
    const level = levels[used[i]!]!;
    if (level === null) continue;
    let place = places.get(level);
    if (place === undefined) places.set(level, place = places.size);
    placeOf[used[i]!] = place;
  }
  return { names: [...places.keys()], placeOf };
}

/** By level: rows, and persons. */
interface Tally {
  counts: number[];
  persons: number[];
  missing: number;
  missingPersons: number;
}

function tallyOf(
  site: SiteRules,
  rows: ArrayLike<number>,
  { placeOf, size }: { placeOf: Int32Array; size: number },
): Tally {
  const counts = new Array<number>(size).fill(0);
  let missing = 0;
  for (let i = 0; i < rows.length; i++) {
    const place = placeOf[rows[i]!]!;
    if (place < 0) missing++;
    else counts[place]!++;
  }
  if (!site.persons) return { counts, persons: counts, missing, missingPersons: missing };
  const places = intsByPlace(rows.length, (i) => placeOf[rows[i]!]!);
  return {
    counts,
    persons: personsByPlace(rulesOfRows(site, rows), places, size),
    missing,
    missingPersons: personsIn(site, rowsThat(rows, (row) => placeOf[row]! < 0)),
  };
}
