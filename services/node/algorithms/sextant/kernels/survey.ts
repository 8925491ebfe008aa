/**
 * What the columns of a model are, agreed by the sites before it is fitted: which are numbers,
 * which are categories, and of which levels.
 * @module
 */
import type { Levels, Table } from "../api.ts";
import { countPersons, personsByPlace, requireSubset, type SiteRules } from "../disclosure.ts";
import { readCount, readCountOrNull, readFields, readMoments } from "../parts.ts";
import { type Part, readRecord, readText } from "../parts.ts";
import { floatsOf, numbersOf } from "../columns.ts";
import type { Rows } from "../where.ts";
import { mergeMoments, type Moments, momentsOf } from "./moments.ts";

/** A column with more different values is no category; nor shall so many values leave a site. */
export const MOST_LEVELS = 100;

/** What one site says of a column. */
export interface ColumnSurvey {
  /** `none`: no row has a value. */
  type: "number" | "category" | "none";
  /** Null where the site's rules withhold it. */
  missing: number | null;
  moments: Moments & { persons?: number };
  /** Of a category: rows by level. */
  levels: Record<string, number>;
  /** The persons that they are of, for the site's rules alone. */
  persons?: Record<string, number>;
}

/** A column as all sites take it. */
export interface Variable {
  name: string;
  /** Of a category, sorted; undefined for numbers. */
  levels?: string[] | undefined;
}

export interface Agreed extends Variable {
  moments: Moments;
  /** Rows by level. */
  counts: Record<string, number>;
}

/**
 * Surveys columns; those of text or truth values are categories, and those of `categories`. Under
 * rules, a column in which too few persons have a value has none here, levels of too few persons
 * are not named, and of others it is told only that there are at least so many rows: the model will
 * use fewer rows than these, and two numbers of nearly the same would tell of the difference.
 */
export function surveyColumns(
  table: Rows,
  columns: string[],
  categories: string[],
): { columns: Record<string, ColumnSurvey> } {
  // Not said to be used: what is told of these rows is the same for others that are nearly as many.
  if (table.site) requireSubset(table.site, table.length);
  table.site?.use([]);
  const found = columns.map((name) =>
    [name, underRules(table, name, survey(table, name, categories))] as const
  );
  return { columns: Object.fromEntries(found) };
}

function underRules({ site, ...table }: Rows, name: string, found: Surveyed): ColumnSurvey {
  const { counted, ...said } = found;
  const none = { type: "none" as const, moments: { ...momentsOf([]), persons: 0 }, levels: {} };
  if (!site) return said;
  if (said.type === "none") return site.isChosen ? ofFew() : { ...said, ...none };
  const withholdMissing = () => {
    if (said.missing !== 0) site.withhold("columns.*.missing", "min_cell", 1);
  };
  if (said.type === "number") {
    if (personsWithNumber(site, table, name, said) >= site.rules.minSubset) {
      withholdMissing();
      return { ...said, missing: said.missing && null, moments: none.moments };
    }
    return ofFew();
  }
  const { values, places, rows } = counted!;
  const persons = site.persons ? personsByPlace(site, places, values.length) : rows;
  const present = placesWithRows(rows);
  const common = present.filter((place) => persons[place]! >= site.rules.minLevel);
  if (common.length === 0 && site.isChosen) return ofFew();
  withholdMissing();
  if (common.length < present.length) {
    site.withhold("levels", "min_level", present.length - common.length);
  }
  const told = <Value>(of: (place: number) => Value) =>
    Object.fromEntries(common.map((place) => [String(values[place]), of(place)]));
  return {
    missing: said.missing && null,
    moments: none.moments,
    type: common.length === 0 ? "none" : said.type,
    levels: told((place) => atLeast(rows[place]!, site.rules.minLevel)),
    persons: told((place) => persons[place]!),
  };

  /** Of a choice of rows in which nobody has a value as of one in which few have. */
  function ofFew(): ColumnSurvey {
    site!.withhold("columns.*.missing", "min_cell", 1);
    site!.withhold("moments", "min_subset", 1);
    return { ...none, missing: null };
  }
}

/** The persons of whom a column of numbers has one. */
function personsWithNumber(
  site: SiteRules,
  table: Table,
  name: string,
  { moments }: ColumnSurvey,
): number {
  if (!site.persons || moments.n === table.length) return countPersons(site, moments.n);
  const places = floatsOf(table, name);
  for (let row = 0; row < places.length; row++) if (!Number.isNaN(places[row]!)) places[row] = 0;
  return personsByPlace(site, places, 1)[0]!;
}

/** The largest of `least`, twice that, and so on that is no more than a count. */
function atLeast(count: number, least: number): number {
  return least * 2 ** Math.max(0, Math.floor(Math.log2(count / least)));
}

/** Rows by level, as a count of each in the list of different values. */
interface Counted extends Levels {
  rows: number[];
}

type Surveyed = ColumnSurvey & { counted?: Counted };

function survey(table: Table, name: string, categories: string[]): Surveyed {
  const nothing = { missing: table.length, moments: momentsOf([]), levels: {} };
  const numbers = numbersOf(table, name);
  if (numbers && !categories.includes(name)) {
    const moments = momentsOf(numbers);
    const type = moments.n === 0 ? "none" : "number";
    return { ...nothing, type, missing: table.length - moments.n, moments };
  }
  const levels = table.levels(name);
  const rows = personsByPlace({ persons: undefined }, levels.places, levels.values.length);
  const present = rows.reduce((sum, count) => sum + count, 0);
  if (present === 0) return { ...nothing, type: "none" };
  if (levels.type === "date") {
    throw new TypeError(`The column "${name}" holds dates, which are neither numbers nor levels.`);
  }
  return {
    ...nothing,
    type: "category",
    missing: table.length - present,
    levels: namedCounts(name, levels.values, rows),
    counted: { ...levels, rows },
  };
}

function placesWithRows(rows: readonly number[]): number[] {
  return [...rows.keys()].filter((place) => rows[place]! > 0);
}

/** Rows by level where there are any, of a column that is a category. */
export function namedCounts(
  name: string,
  values: Levels["values"],
  rows: readonly number[],
): Record<string, number> {
  const present = placesWithRows(rows);
  if (present.length > MOST_LEVELS) {
    throw new RangeError(
      `The column "${name}" has more than ${MOST_LEVELS} different values, too many for levels.`,
    );
  }
  return Object.fromEntries(present.map((place) => [String(values[place]), rows[place]!]));
}

/** Reads what `surveyColumns` made at another site. */
export function readSurvey(value: unknown): Record<string, ColumnSurvey> {
  const read = (one: unknown) =>
    readFields<ColumnSurvey>(one, {
      type: (type) => readText(type) as ColumnSurvey["type"],
      missing: readCountOrNull,
      moments: readMoments,
      levels: (levels) => readRecord(levels, readCount),
    });
  return readFields<{ columns: Record<string, ColumnSurvey> }>(value, {
    columns: (columns) => readRecord(columns, read),
  }).columns;
}

/** What the sites' surveys say together; throws where they contradict each other or say nothing. */
export function agreeOn(name: string, parts: Part<Record<string, ColumnSurvey>>[]): Agreed {
  const said = parts.flatMap(({ organization, part }) => {
    const column = part[name];
    return column && column.type !== "none" ? [{ organization, ...column }] : [];
  });
  const [first] = said;
  if (!first) {
    const rows = parts.some(({ part }) => part[name] && part[name].missing !== 0);
    throw new Error(
      rows
        ? `No organization has a value in the column "${name}".`
        : 'There are no rows: none at all, or none that meets the condition "where".',
    );
  }
  const other = said.find(({ type }) => type !== first.type);
  if (other) {
    const numbers = [first, other].find(({ type }) => type === "number")!.organization;
    const text = first.organization === numbers ? other.organization : first.organization;
    throw new TypeError(
      `The column "${name}" holds numbers at organization ${numbers} and levels at ` +
        `organization ${text}.`,
    );
  }
  const counts = sumCounts(said.map(({ levels }) => levels));
  return {
    name,
    levels: first.type === "category" ? Object.keys(counts).sort(byLevel) : undefined,
    moments: mergeMoments(said.map(({ moments }) => moments)),
    counts,
  };
}

/** Counts by name, summed; null where one of them was withheld. */
export function sumCounts<T extends number | null>(
  parts: Record<string, T>[],
): Record<string, T> {
  const sums = new Map<string, T>();
  for (const part of parts) {
    for (const [name, count] of Object.entries(part)) {
      const before = sums.get(name) ?? (sums.has(name) ? null : 0);
      const sum = before === null || count === null ? null : before + count;
      sums.set(name, sum as T);
    }
  }
  return Object.fromEntries(sums);
}

/** The order of levels: numbers by size, then text by its letters' codes, the same everywhere. */
export function byLevel(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y) && x !== y) return x - y;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sentences about levels that a reader should know of. */
export function levelNotes(
  { name, levels }: Variable,
  parts: Part<Record<string, ColumnSurvey>>[],
): string[] {
  return (levels ?? []).flatMap((level) => {
    const at = parts.filter(({ part }) => (part[name]?.levels[level] ?? 0) > 0);
    if (parts.length === 1 || at.length !== 1) return [];
    return [
      `The level "${level}" of "${name}" is found at organization ${at[0]!.organization} only.`,
    ];
  });
}
