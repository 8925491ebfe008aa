/**
 * What a site with rules tells of its columns: nothing of too few persons, nothing from which that
 * would follow, and no exact number of rows where few of them lack a value, which would follow too.
 * @module
 */
import type { SiteRules } from "sextant/disclosure.ts";
import { contributionsOf, personsByPlace, rulesOfRows, tooFew } from "sextant/disclosure.ts";
import type { Groups } from "sextant/kernels/groups.ts";
import { nothingLeftOut } from "sextant/kernels/frame.ts";
import { momentsOf, roundedMoments } from "sextant/kernels/moments.ts";
import type { Rows } from "sextant/where.ts";
import { requireSubset } from "sextant/disclosure.ts";
import type { Cell, ColumnPart, SummaryPart } from "./part.ts";
import { floatsOfRows } from "sextant/fill.ts";

/** Rows that are described together. */
interface RowSet {
  rows: number[];
  /** The group; undefined for the rows that have none. */
  name: string | undefined;
}

/** A column's values: numbers, `NaN` where there is none; or levels, null where there is none. */
export type Values =
  | { type: string; numbers: Float64Array }
  | { type: string; levels: (string | null)[] };

/** The rows that are told of: those of groups of too few persons are left out, with or without one. */
function rowSetsOf(table: Rows & { site: SiteRules }, groups: Groups | undefined, group?: string) {
  const everybody = Array.from({ length: table.length }, (_, row) => row);
  if (!groups) return { sets: [{ rows: everybody, name: undefined }], rare: 0 };
  const byGroup: RowSet[] = groups.levels.map(([name]) => ({ rows: [], name: name! }));
  const values: readonly unknown[] = table.column(group!).values;
  const without: RowSet = { rows: [], name: undefined };
  let rare = 0;
  for (const row of everybody) {
    if (values[row] === null) without.rows.push(row);
    else if (groups.places[row]! >= 0) byGroup[groups.places[row]!]!.rows.push(row);
    else rare++;
  }
  const { persons } = rulesOfRows(table.site, without.rows);
  const few = persons ? new Set(persons).size : without.rows.length;
  if (few === 0) return { sets: byGroup, rare };
  if (few >= table.site.rules.minSubset) return { sets: [...byGroup, without], rare };
  table.site.withhold("without_group", "min_subset", 1);
  return { sets: byGroup, rare: rare + without.rows.length };
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
  const use = (rows: number[]) => site.use(rulesOfRows(site, rows).places);
  const used = sets.flatMap(({ rows }) => rows).sort((a, b) => a - b);
  const persons = requireSubset(rulesOfRows(site, used), used.length);
  for (const { rows } of sets.length > 1 ? sets : []) use(rows);
  const found = columns.map((name) => {
    const values = valuesOf(name);
    use(
      used.filter((row) =>
        "numbers" in values ? !Number.isNaN(values.numbers[row]!) : values.levels[row] !== null
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

function personsIn(site: SiteRules, rows: number[]): number {
  const { persons } = rulesOfRows(site, rows);
  return persons ? new Set(persons).size : rows.length;
}

function tellNumbers(
  site: SiteRules,
  { numbers }: { numbers: Float64Array },
  sets: RowSet[],
  used: number[],
): { all: Told; bySet: Told[] } {
  const least = site.rules.minSubset;
  const cellOf = (rows: number[]) => {
    const present = rows.filter((row) => !Number.isNaN(numbers[row]!));
    const values = floatsOfRows(present, (row) => numbers[row]!);
    const contributions = contributionsOf(rulesOfRows(site, present), values);
    const persons = personsIn(site, present);
    return {
      missing: rows.length - present.length,
      missingPersons: personsIn(site, rows.filter((row) => Number.isNaN(numbers[row]!))),
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
  used: number[],
): { all: Told; bySet: Told[] } {
  const { minCell, minLevel } = site.rules;
  const names = [...new Set(used.map((row) => levels[row]!))].filter((level) => level !== null);
  const places = new Map(names.map((name, i) => [name, i]));
  const at = (rows: number[]) =>
    rows.map((row) => levels[row] === null ? -1 : places.get(levels[row]!)!);
  const personsOf = (rows: number[]) =>
    personsByPlace(rulesOfRows(site, rows), at(rows), names.length);
  const total = personsOf(used);
  const isNamed = total.map((count) => count >= minLevel);
  const bySet = sets.map(({ rows }) => personsOf(rows));
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
  const tell = (rows: number[], persons: number[], isHidden: (level: number) => boolean): Told => {
    const counts = names.map(() => 0);
    for (const place of at(rows)) if (place >= 0) counts[place]!++;
    const shown = names.flatMap((name, level) =>
      isNamed[level] && counts[level]! > 0
        ? [{ name, count: isHidden(level) ? null : counts[level]!, persons: persons[level]! }]
        : []
    );
    const gone = shown.filter(({ count }) => count === null).length;
    if (gone > 0) site.withhold("columns", "min_cell", gone);
    return {
      missing: rows.filter((row) => levels[row] === null).length,
      missingPersons: personsIn(site, rows.filter((row) => levels[row] === null)),
      moments: { ...momentsOf([]), persons: 0 },
      counts: Object.fromEntries(shown.map(({ name, count }) => [name, count])),
      countPersons: Object.fromEntries(shown.map(({ name, persons }) => [name, persons])),
      unnamed: isNamed.includes(false),
    };
  };
  const rare = isNamed.filter((one) => !one).length;
  if (rare > 0) site.withhold("levels", "min_level", rare);
  return {
    all: tell(used, total, (level) => hiddenInAll[level]!),
    bySet: sets.map(({ rows }, set) =>
      tell(rows, bySet[set]!, (level) => hidden[set * height + level]!)
    ),
  };
}
