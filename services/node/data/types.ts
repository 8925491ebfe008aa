/**
 * What the parts of this room hand one another.
 * @module
 */
import type { Column } from "../algorithms/api.ts";
import type { ReadOptions } from "./options.ts";

export const DATABASE_TYPES = [
  "csv",
  "parquet",
  "excel",
  "sql",
  "sparql",
  "omop",
  "folder",
  "other",
] as const;
export type DatabaseType = typeof DATABASE_TYPES[number];

/**
 * v6's `filter_range`: rows whose value lies between the bounds, which do not belong to it unless
 * that is said.
 */
export interface FilterRange {
  column: string;
  min: number | string | undefined;
  max: number | string | undefined;
  includeMin: boolean;
  includeMax: boolean;
}

export interface DataRequest {
  query?: string | undefined;
  sheet?: string | undefined;
  steps: FilterRange[];
}

/** What to read, and where to put it. */
export interface ReadJob {
  type: "csv" | "parquet" | "excel" | "sqlite" | "postgres";
  /** Of a file; of a server it is its address, with name and password. */
  path: string;
  options: ReadOptions;
  request: DataRequest;
  /** The file of columns to make; without one the database is only looked at. */
  target: string | undefined;
  /** A folder for what it sets aside, held by whoever asks. */
  scratch: string;
  namesMayLeave: boolean;
  memoryMiB: number;
  /** How long it may take. */
  timeoutSeconds: number;
}

export interface ColumnDescription {
  name: string;
  type: Column["type"];
  missing: number;
  /** Cells that are numbers, of a column that is text all the same. */
  numbers?: number;
  /** Different values, of a column of text or of whole numbers; where somebody asked. */
  different?: number;
}

/** What `node check` shows of a database. */
export interface Description {
  /** Before the task's filters. */
  rows: number;
  columns: ColumnDescription[];
  /** Of a CSV file. */
  csv?: {
    encoding: string;
    separator: string;
    blankLines: number;
    /** Whether the first line may be data, and names people or what they have. */
    doubtfulHeader: boolean;
  };
}

/** A column of the source as it is to be written. */
export interface TypedColumn extends ColumnDescription {
  /** Its expression in SQL. */
  value: string;
  otherThanNumber?: number | undefined;
}

/** Asks DuckDB for the rows of a statement. */
export type Query = (sql: string) => Promise<Record<string, unknown>[]>;
