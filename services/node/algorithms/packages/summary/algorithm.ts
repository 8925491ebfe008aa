/**
 * A description of columns over all organizations ("table 1"), in all and by group.
 * @module
 */
import type { Context, Table } from "sextant/api.ts";
import { nothingLeftOut, readOutside, requireRows, sumOutside } from "sextant/kernels/frame.ts";
import { groupRows } from "sextant/kernels/groups.ts";
import { deviation, mergeMoments, type Moments, momentsOf } from "sextant/kernels/moments.ts";
import { byLevel, countLevels, numbersOf, sumCounts } from "sextant/kernels/survey.ts";
import { askParts, type Part, readCount, readFields, readMoments } from "sextant/parts.ts";
import { readRecord, readText } from "sextant/parts.ts";
import { type Outside, selectRows } from "sextant/where.ts";

export { description } from "./description.ts";

interface Question {
  columns: string[];
  categories: string[];
  group?: string | undefined;
  where?: string | undefined;
}

/** A column of some rows. */
interface Cell {
  missing: number;
  moments: Moments;
  /** Of a category: rows by level. */
  counts: Record<string, number>;
}

interface ColumnPart {
  /** `none`: no row has a value. */
  type: string;
  all: Cell;
  groups: Record<string, Cell>;
}

interface SummaryPart {
  rows: number;
  /** Rows by group. */
  groups: Record<string, number>;
  /** Rows whose group is missing. */
  without_group: number;
  where: Outside;
  columns: Record<string, ColumnPart>;
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
  const parts = await askParts(context, {
    organizations,
    method: "partial",
    kwargs: { ...question },
    read: readPart,
  });
  const sum = (value: (part: SummaryPart) => number) =>
    parts.reduce((all, { part }) => all + value(part), 0);
  const n = sum(({ rows }) => rows);
  const where = sumOutside(parts.map(({ part }) => part.where));
  requireRows({ n, left_out: { rows: 0, where } });
  const counts = sumCounts(parts.map(({ part }) => part.groups));
  const groups = Object.keys(counts).sort(byLevel);
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
      where,
    },
  };
}

/** Returns this organization's part. */
export function partial(
  context: Context,
  { columns, categories, group, where }: Question,
): SummaryPart {
  const table = selectRows(context.table(), where);
  const grouped = group ? groupRows(table, [group]) : undefined;
  const names = grouped?.levels.map(([level]) => level!) ?? [];
  const rowsBy = names.map(() => [] as number[]);
  grouped?.places.forEach((place, row) => place >= 0 && rowsBy[place]!.push(row));
  return {
    rows: table.length,
    groups: Object.fromEntries(names.map((name, i) => [name, rowsBy[i]!.length])),
    without_group: grouped?.leftOut.rows ?? 0,
    where: nothingLeftOut(table).where,
    columns: Object.fromEntries(columns.map((name) => {
      const { type, cell } = readCells(table, name, categories.includes(name));
      const groups = names.map((group, i) => [group, cell(rowsBy[i]!)]);
      return [name, { type, all: cell(), groups: Object.fromEntries(groups) }];
    })),
  };
}

/** The type of a column, and how to describe some of its rows, or all. */
function readCells(table: Table, name: string, isCategory: boolean) {
  const nothing = { moments: momentsOf([]), counts: {} };
  const numbers = isCategory ? undefined : numbersOf(table, name);
  if (numbers) {
    const cell = (rows?: number[]): Cell => {
      const values = rows ? Float64Array.from(rows, (row) => numbers[row]!) : numbers;
      const moments = momentsOf(values);
      return { ...nothing, missing: values.length - moments.n, moments };
    };
    return { type: numbers.every(Number.isNaN) ? "none" : "number", cell };
  }
  const column = table.column(name);
  if (column.type === "date") {
    throw new TypeError(`The column "${name}" holds dates, which a summary does not describe.`);
  }
  const all: unknown[] = column.values;
  const cell = (rows?: number[]): Cell => {
    const values = rows ? rows.map((row) => all[row]) : all;
    const counts = countLevels(name, values);
    const present = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return { ...nothing, missing: values.length - present, counts };
  };
  return { type: all.every((value) => value === null) ? "none" : "category", cell };
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
    const missing = cells.reduce((sum, cell) => sum + cell.missing, 0);
    const moments = mergeMoments(cells.map((cell) => cell.moments));
    const counts = sumCounts(cells.map((cell) => cell.counts));
    if (first.type === "number") {
      const mean = moments.n === 0 ? null : moments.mean;
      return { n: moments.n, missing, mean, sd: deviation(moments) };
    }
    const levels = Object.keys(counts).sort(byLevel);
    return {
      n: levels.reduce((sum, level) => sum + counts[level]!, 0),
      missing,
      counts: Object.fromEntries(levels.map((level) => [level, counts[level]])),
    };
  };
  const cellsOf = (group: string) => said.flatMap((part) => part.groups[group] ?? []);
  return {
    type: first.type,
    all: show(said.map(({ all }) => all)),
    groups: Object.fromEntries(groups.map((group) => [group, show(cellsOf(group))])),
  };
}

function readCell(value: unknown): Cell {
  return readFields<Cell>(value, {
    missing: readCount,
    moments: readMoments,
    counts: (counts) => readRecord(counts, readCount),
  });
}

function readPart(value: unknown): SummaryPart {
  return readFields<SummaryPart>(value, {
    rows: readCount,
    groups: (groups) => readRecord(groups, readCount),
    without_group: readCount,
    where: readOutside,
    columns: (columns) =>
      readRecord(columns, (column) =>
        readFields<ColumnPart>(column, {
          type: readText,
          all: readCell,
          groups: (groups) => readRecord(groups, readCell),
        })),
  });
}
