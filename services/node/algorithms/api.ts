/**
 * What an algorithm author writes against. Import it for its types only (`import type`): in the
 * sandbox an algorithm is one file, and imports nothing.
 *
 * An algorithm exports functions. A task names one of them as its method, and the node calls it
 * with a context, the task's positional arguments and, last, its keyword arguments as one object:
 *
 * ```ts
 * import type { Context } from "./api.ts";
 *
 * export function count(context: Context, { column }: { column: string }) {
 *   return context.table().numeric(column).length;
 * }
 * ```
 *
 * What it returns must be JSON. What it throws, and what it prints, travels to the researcher;
 * where the owner has set rules on what may leave, only the kind of error and its line do.
 * @module
 */

/**
 * Values of a column in the order of the rows; `null` where there is none. A whole number that a
 * JavaScript number cannot hold, or one with leading zeros, makes its column text. Dates are ISO
 * text as they stand in the data, days (`1984-02-29`) or moments.
 */
export type Column =
  | { name: string; type: "number"; values: (number | null)[] }
  | { name: string; type: "boolean"; values: (boolean | null)[] }
  | { name: string; type: "text" | "date"; values: (string | null)[] };

/** A column as a list of its different values, and of each row the place of its own. */
export interface Levels {
  readonly type: Column["type"];
  /** By place, in any order; one that no row has may be among them. */
  readonly values: readonly (number | string | boolean)[];
  /** Of each row; -1 where there is no value. */
  readonly places: Int32Array<ArrayBuffer>;
  /** Undefined where nobody has counted. */
  readonly counted?: LevelCounts | undefined;
  /** Where somebody has: of each row the number of its value, from 1; 0 where there is none. */
  readonly numbers?: Uint32Array<ArrayBuffer> | undefined;
}

/** How often the different values of a column are there. */
export interface LevelCounts {
  /** Values that at least one row has. */
  different: number;
  /** Rows without one. */
  missing: number;
  /** Rows with the value that most have. */
  most: number;
}

/** One database, read-only. Every error names what is wrong, but never a value. */
export interface Table {
  /** The names of the columns, in the order of the file. */
  readonly columns: readonly string[];
  /** The number of rows. */
  readonly length: number;
  /** Whether the task's preprocessing chose them among more. */
  readonly isFiltered?: boolean;
  /**
   * A column with the type that everything in it has, else of text. Throws if there is no such
   * column.
   */
  column(name: string): Column;
  /**
   * The values of a column that must be numeric. Throws if there is no such column or it holds
   * something else.
   */
  numeric(name: string): (number | null)[];
  /**
   * As `numeric`, as 64-bit floats with `NaN` where there is no value: for large tables, of which
   * it makes nothing new.
   */
  floats(name: string): Float64Array<ArrayBuffer>;
  /**
   * A column of any type by its different values: for large tables, of which it reads what is asked
   * for, and the text only once. Throws if there is no such column.
   */
  levels(name: string): Levels;
  /** The values of a column that must hold booleans; throws as `numeric` does. */
  booleans(name: string): (boolean | null)[];
  /** The values of a column that must hold dates, as ISO text; throws as `numeric` does. */
  dates(name: string): (string | null)[];
}

/** What every answer of {@linkcode Aggregates} says of itself. */
export interface Protected {
  /** Rows that the answer rests on; null where these are too few to say. */
  n: number | null;
  /**
   * The persons of those rows: as `n` where each row is a person of its own. Else how many there
   * are at least, in steps: exact ones would tell how many are in two groups.
   */
  persons: number | null;
  /**
   * What rests on fewer persons than this is not in the answer, and neither is what would give it
   * back. Nothing tells it from what is not there at all.
   */
  least: number;
  /** Counts are rounded to multiples of this; 1 for not at all. */
  rounded_to: number;
  /** The owner's rules by which something was withheld, by name. */
  withheld: string[];
}

/** The mean of a column and the sum of squared distances from it; null where it is withheld. */
export type ProtectedMoments = { mean: number; squares: number } | null;

export interface Group {
  /** One a column, in the order in which these were asked for. */
  levels: string[];
  n: number;
  persons: number;
  /** Of the columns `sums`. */
  moments: Record<string, ProtectedMoments>;
}

export interface GroupsAnswer extends Protected {
  groups: Group[];
}

/** A column of numbers or truth values, or the zeros and ones of a level of a category. */
export type Term = string | { column: string; level: string };

export interface CrossProductsAnswer extends Protected {
  /** By term; weighted where weights were given. */
  means: number[] | null;
  /** The sums of products of two terms' distances from their means. */
  products: number[][] | null;
  /** The sum of the weights; `n` without any. */
  weight: number | null;
}

export interface RiskSetsAnswer extends Protected {
  groups: {
    levels: string[];
    /**
     * Intervals that follow each other, the last one ending with the observations: until when each
     * lasts (null for that end), how many are at risk as it begins, how many have the event in it,
     * and how many leave without one.
     */
    intervals: { until: number | null; at_risk: number; events: number; left: number }[];
  }[];
}

export interface QuantileCountsAnswer extends Protected {
  /** Rows at or below each threshold; null for a threshold that the data are too thin for. */
  counts: (number | null)[];
}

/**
 * What can be asked of a table without seeing its rows. It is counted beside the algorithm, by the
 * node, under the rules of the data's owner; rows in which one of the columns is missing are left
 * out. All throw if there is no such column or it holds something else, and where a question tells
 * too much beside earlier ones of this run.
 */
export interface Aggregates {
  /** Names and types of the columns; throws where the owner does not let them leave. */
  describe(): Promise<{ columns: { name: string; type: Column["type"] }[] }>;
  /**
   * The rows by the levels of columns of text, numbers or truth values, and the moments of numbers
   * by group. Without columns, all rows are one group.
   */
  groups(
    columns: readonly string[],
    options?: { where?: string | undefined; sums?: readonly string[] | undefined },
  ): Promise<GroupsAnswer>;
  /** The moments of columns of numbers, by the groups of the columns `by`. */
  moments(
    columns: readonly string[],
    options?: { where?: string | undefined; by?: readonly string[] | undefined },
  ): Promise<GroupsAnswer>;
  /** Means and products of terms: what a linear regression, a correlation and a PCA are made of. */
  crossProducts(
    terms: readonly Term[],
    options?: { where?: string | undefined; weights?: string | undefined },
  ): Promise<CrossProductsAnswer>;
  /**
   * Who is at risk, and what happens to them, by intervals of time. `times` are the ends of
   * intervals that are wanted; those that hold too few events become one with the next.
   */
  riskSets(
    time: string,
    event: string,
    options?: {
      times?: readonly number[] | undefined;
      where?: string | undefined;
      by?: readonly string[] | undefined;
    },
  ): Promise<RiskSetsAnswer>;
  /** How many values are at or below each of the thresholds, for quantiles and histograms. */
  quantileCounts(
    column: string,
    thresholds: readonly number[],
    options?: { where?: string | undefined },
  ): Promise<QuantileCountsAnswer>;
}

export interface Organization {
  id: number;
  name: string;
}

/** A part of the work, done with the same algorithm beside each organization's data. */
export interface Subtask {
  /** Ids of the organizations that shall do it. */
  organizations: number[];
  input: { method: string; args?: unknown[]; kwargs?: Record<string, unknown> };
  /** For people who look at the task. */
  name?: string;
  description?: string;
}

export interface SubtaskResult {
  organization_id: number;
  /** `completed`; with `failed: "keep"` also another word for how it ended. */
  status: string;
  /** What the method returned there. It comes from another site: check it. Null if it failed. */
  result: unknown;
  /** Why it failed, if it did. */
  reason?: string;
}

/**
 * What may leave this site, so that an algorithm can coarsen what would be withheld. The node
 * enforces it whatever the algorithm does.
 */
export interface DisclosureRules {
  readonly profile: "datashield" | "opensafely" | "acro" | "strict";
  /** The column that identifies a person; null where every row is a person of its own. */
  readonly persons: string | null;
  /** The fewest persons that a count may tell of; 0 may leave. */
  readonly minCell: number;
  /**
   * The fewest persons that any other value may rest on, and in which two selections of rows may
   * differ; never fewer than `minCell`.
   */
  readonly minSubset: number;
  /** Counts leave as multiples of this; 1: as they are. */
  readonly roundTo: number;
  /** The most terms that a model may have, as a share of the persons that it rests on. */
  readonly maxTermsShare: number;
  /** The fewest persons that a model must rest on beyond one for each term. */
  readonly minResidualFreedom: number;
  /** The fewest persons of a level whose name leaves, and of each level of a variable of two. */
  readonly minLevel: number;
  /**
   * Whether minima, maxima and quantiles with fewer than `minCell` persons beyond them may leave.
   */
  readonly extremes: boolean;
  /** The `largest` contributions to a sum may make up at most `share` of it; null: whatever. */
  readonly dominance: { readonly largest: number; readonly share: number } | null;
  /**
   * What all but the two largest contribute to a sum must be at least this share of the largest,
   * since the second could estimate it else; null: whatever.
   */
  readonly pRatio: number | null;
}

/** All that an algorithm can reach. */
export interface Context {
  /** Whose data this is. */
  readonly organization: Organization;
  readonly node: { readonly id: number; readonly name: string };
  /** The task that this run is a part of; the run id is that of the first task of all, too. */
  readonly task: { readonly id: number; readonly runId: number };
  /**
   * What the owner of this node has set for the algorithm. Another site may have other settings.
   */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The owner's rules on what may leave; null where there are none. */
  readonly disclosure: DisclosureRules | null;
  /**
   * A database of the task; without a label the only one, or the one labelled `default`. Where the
   * owner's rules do not let this algorithm see rows, all of {@linkcode Table} throws, and
   * {@linkcode Aggregates} is what there is.
   */
  table(label?: string): Table & Aggregates;
  /** The organizations that take part in the collaboration. */
  organizations(): Promise<Organization[]>;
  createTask(task: Subtask): Promise<{ id: number }>;
  /**
   * Waits until a subtask made by this run has finished, and throws as soon as a part of it failed;
   * with `failed: "keep"` waits for every part, and tells of those that failed.
   */
  results(taskId: number, options?: { failed?: "throw" | "keep" }): Promise<SubtaskResult[]>;
  /** Adds a line to the run's log, as `console.log` does. */
  log(...values: unknown[]): void;
}
