/**
 * What one organization says of its columns.
 * @module
 */
import type { Contributions } from "sextant/shares.ts";
import { readOutside } from "sextant/kernels/frame.ts";
import type { Moments } from "sextant/kernels/moments.ts";
import { readCountOrNull, readFields, readMoments, readRecord, readText } from "sextant/parts.ts";
import type { Outside } from "sextant/where.ts";

/** A column of some rows. Null is what the site's rules withhold. */
export interface Cell {
  missing: number | null;
  moments: Moments & { persons?: number; contributions?: Contributions } | null;
  /** Of a category: rows by level. */
  counts: Record<string, number | null>;
  /** The persons that they are of, for the site's rules alone. */
  countPersons?: Record<string, number>;
  /** Whether there are levels, of too few persons, that are not named. */
  unnamed?: boolean;
}

export interface ColumnPart {
  /** `none`: no row has a value. */
  type: string;
  all: Cell;
  groups: Record<string, Cell>;
}

export interface SummaryPart {
  rows: number | null;
  persons?: number;
  /** Rows by group. */
  groups: Record<string, number | null>;
  groupPersons?: Record<string, number>;
  /** Rows whose group is missing. */
  without_group: number | null;
  /** Rows of groups of too few persons, of a site with rules that has such. */
  left_out?: number | null;
  where: Outside;
  columns: Record<string, ColumnPart>;
}

function readCell(value: unknown): Cell {
  return readFields<Required<Pick<Cell, "missing" | "moments" | "counts" | "unnamed">>>(value, {
    missing: readCountOrNull,
    // Exits withhold the numbers one by one.
    moments: (moments) => isWithheld(moments) ? null : readMoments(moments),
    counts: (counts) => readRecord(counts, readCountOrNull),
    unnamed: (unnamed) => unnamed === true,
  });
}

function isWithheld(moments: unknown): boolean {
  if (moments === null) return true;
  const { n, mean, squares } = readRecord(moments, (one) => one);
  return n === null || mean === null || squares === null;
}

export function readPart(value: unknown): SummaryPart {
  const part = readFields<Omit<SummaryPart, "left_out" | "persons" | "groupPersons">>(value, {
    rows: readCountOrNull,
    groups: (groups) => readRecord(groups, readCountOrNull),
    without_group: readCountOrNull,
    where: readOutside,
    columns: (columns) =>
      readRecord(columns, (column) =>
        readFields<ColumnPart>(column, {
          type: readText,
          all: readCell,
          groups: (groups) => readRecord(groups, readCell),
        })),
  });
  const { left_out } = readRecord(value, (one) => one);
  return left_out === undefined ? part : { ...part, left_out: readCountOrNull(left_out) };
}
