/**
 * A description of columns over all organizations ("table 1"), in all and by group.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { nothingLeftOut, requireRows, sumKnown, sumOutside } from "sextant/kernels/frame.ts";
import { countGroups, groupRows } from "sextant/kernels/groups.ts";
import { deviation, mergeMoments, momentsOf } from "sextant/kernels/moments.ts";
import { numbersOf } from "sextant/columns.ts";
import { byLevel, namedCounts, sumCounts } from "sextant/kernels/survey.ts";
import type { Part } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";
import type { Rows } from "sextant/where.ts";
import { type Cell, readPart, type SummaryPart } from "./part.ts";
import { tellColumns, type Values } from "./told.ts";
import { countPairs, countPlaces, moveTo, splitBy } from "sextant/grouping.ts";

export { description } from "./description.ts";

interface Question {
  columns: string[];
  categories: string[];
  group?: string | undefined;
  where?: string | undefined;
}

export async function central(
  context: Context,
  { organizations, ...question }: Question & { organizations?: number[] },
) {
  const { columns, categories, group } = question;
  const stray = categories.find((name) => !columns.includes(name));
  if (stray !== undefined) {
    throw new TypeError(`"categories" names "${stray}", which is none of the columns.`);
  }
  const sites = createSites(context, organizations);
  const parts = await sites.ask({
    method: "partial",
    kwargs: { ...question },
    read: readPart,
  });
  const sum = (value: (part: SummaryPart) => number | null) =>
    sumKnown(parts.map(({ part }) => value(part)));
  const n = sum(({ rows }) => rows);
  const where = sumOutside(parts.map(({ part }) => part.where));
  requireRows({ n, left_out: { rows: 0, where } });
  const counts = sumCounts(parts.map(({ part }) => part.groups));
  const groups = Object.keys(counts).sort(byLevel);
  // Of a group that an organization may have, but of too few persons to name it, nobody knows.
  for (const name of groups) {
    const isOut = ({ part }: Part<SummaryPart>) =>
      part.left_out !== undefined && !Object.hasOwn(part.groups, name);
    if (parts.some(isOut)) counts[name] = null;
  }
  if (group && groups.length === 0) {
    throw new Error(`No organization has a value in the column "${group}".`);
  }
  return {
    columns: Object.fromEntries(columns.map((name) => [name, summarize(name, groups, parts)])),
    groups: group ? counts : null,
    n,
    sites: parts.map(({ organization, part }) => ({ organization, n: part.rows })),
    left_out: {
      without_group: sum(({ without_group }) => without_group),
      ...parts.some(({ part }) => part.left_out !== undefined) &&
        { levels: sum(({ left_out }) => left_out ?? (left_out === null ? null : 0)) },
      where,
    },
    ...sites.withheld(),
  };
}

/** Returns this organization's part. */
export function partial(context: Context, question: Question): SummaryPart {
  return answer(context, question.where, (table) => describe(table, question));
}

function describe(table: Rows, { columns, categories, group }: Question): SummaryPart {
  const grouped = group ? groupRows(table, [group]) : undefined;
  const valuesOf = (name: string) => readValues(table, name, categories.includes(name));
  const { site } = table;
  if (site) {
    return tellColumns({ ...table, site }, { columns, group, groups: grouped, valuesOf });
  }
  const names = grouped?.levels.map(([level]) => level!) ?? [];
  const rows = grouped ? countGroups(grouped) : [];
  const byName = <Value>(values: readonly Value[]) =>
    Object.fromEntries(names.map((name, i) => [name, values[i]!]));
  return {
    rows: table.length,
    groups: byName(rows),
    without_group: grouped?.leftOut.rows ?? 0,
    where: nothingLeftOut(table).where,
    columns: Object.fromEntries(columns.map((name) => {
      const values = valuesOf(name);
      const [all] = cellsOf(values, { places: new Int32Array(table.length), rows: [table.length] });
      const groups = grouped ? cellsOf(values, { places: grouped.places, rows }) : [];
      return [name, { type: values.type, all: all!, groups: byName(groups) }];
    })),
  };
}

/** What a column holds. */
function readValues(table: Rows, name: string, isCategory: boolean): Values {
  const numbers = isCategory ? undefined : numbersOf(table, name);
  if (numbers) return { type: numbers.every(Number.isNaN) ? "none" : "number", numbers };
  const { type, values, places } = table.levels(name);
  if (type === "date") {
    throw new TypeError(`The column "${name}" holds dates, which a summary does not describe.`);
  }
  const rows = countPlaces(places, values.length);
  // Said at once of the whole column, as it would be of its parts.
  // In an order that is the same each time: of levels of as many rows the first is withheld.
  const names = Object.keys(namedCounts(name, values, rows)).sort(byLevel);
  const own = new Map(names.map((name, i) => [name, i]));
  const moved = values.map((value) => own.get(String(value)) ?? -1);
  return { type: names.length === 0 ? "none" : "category", names, places: moveTo(moved, places) };
}

/** A column of each of some groups of rows, of which so many are in each. */
function cellsOf(
  values: Values,
  { places, rows }: { places: Int32Array; rows: readonly number[] },
): Cell[] {
  const nothing = { moments: momentsOf([]), counts: {} };
  if ("numbers" in values) {
    return splitBy(places, values.numbers, rows).map((part) => {
      const moments = momentsOf(part);
      return { ...nothing, missing: part.length - moments.n, moments };
    });
  }
  const { names } = values;
  return countPairs(places, values.places, [rows.length, names.length]).map((counts, group) => {
    const there = names.flatMap((name, i) => counts[i]! > 0 ? [[name, counts[i]!] as const] : []);
    const present = counts.reduce((sum, count) => sum + count, 0);
    return { ...nothing, missing: rows[group]! - present, counts: Object.fromEntries(there) };
  });
}

function summarize(name: string, groups: string[], parts: Part<SummaryPart>[]) {
  const said = parts.map(({ organization, part }) => ({ organization, ...part.columns[name]! }));
  const [first, ...others] = said.filter(({ type }) => type !== "none");
  if (!first) throw new Error(`No organization has a value in the column "${name}".`);
  const other = others.find(({ type }) => type !== first.type);
  if (other) {
    throw new TypeError(
      `The column "${name}" is of the type ${first.type} at organization ${first.organization} ` +
        `and ${other.type} at organization ${other.organization}.`,
    );
  }
  const show = (cells: Cell[]) => {
    const missing = sumKnown(cells.map((cell) => cell.missing));
    if (first.type === "number") {
      // The mean of the rows whose organizations tell theirs, and how many they are.
      const told = cells.flatMap((cell) => cell.moments ?? []);
      if (told.length === 0 && cells.length > 0) return { n: null, missing, mean: null, sd: null };
      const moments = mergeMoments(told);
      const mean = moments.n === 0 ? null : moments.mean;
      return { n: moments.n, missing, mean, sd: deviation(moments) };
    }
    const counts = sumCounts(cells.map((cell) => cell.counts));
    const levels = Object.keys(counts).sort(byLevel);
    for (const level of levels) {
      if (cells.some((cell) => cell.unnamed && !Object.hasOwn(cell.counts, level))) {
        counts[level] = null;
      }
    }
    const isWhole = !cells.some(({ unnamed }) => unnamed);
    return {
      n: isWhole ? sumKnown(levels.map((level) => counts[level]!)) : null,
      missing,
      counts: Object.fromEntries(levels.map((level) => [level, counts[level]])),
    };
  };
  const cellsIn = (group: string) => said.flatMap((part) => part.groups[group] ?? []);
  return {
    type: first.type,
    all: show(said.map(({ all }) => all)),
    groups: Object.fromEntries(groups.map((group) => [group, show(cellsIn(group))])),
  };
}
