/**
 * What a result is shown as: pieces, one below the other, each a table of its numbers and for some
 * a picture of them. They are made in the worker and sent to the page, which draws them.
 * @module
 */

/** What stands in a cell; lists and objects as the JSON of them. */
export type Cell = string | number | bigint | boolean | null | { json: string };

export interface Table {
  columns: string[];
  rows: Cell[][];
}

/** An estimate with its interval, where it has one. */
export interface Estimate {
  name: string;
  /** Whose it is, by its id. */
  organization?: number;
  value: number;
  low: number | null;
  high: number | null;
  /** Drawn as a diamond below the others: what they come to together. */
  isTotal?: true;
  /** The part of the total, from 0 to 1: how large its square is. */
  weight?: number;
}

export interface Forest {
  is: "forest";
  /** `ratio`: on a logarithmic scale, against 1; else against 0, where `hasZero` says so. */
  scale: "ratio" | "linear";
  hasZero: boolean;
  /** What the line through each point is. */
  whisker: "interval" | "error" | "none";
  estimates: Estimate[];
  /** Of those that are in the table and not in the picture. */
  leftOut: string[];
}

export interface Step {
  time: number;
  survival: number;
  low: number | null;
  high: number | null;
  /** Just before. */
  atRisk: number | null;
}

export interface Survival {
  is: "survival";
  groups: { name: string; organization?: number; n: number | null; steps: Step[] }[];
}

export interface Histogram {
  is: "histogram";
  /** `from` or `to` is null where what is below or above is in it. */
  bins: { from: number | null; to: number | null; count: number | null }[];
  column: string | null;
}

/** Counts by two levels, as shares of each row. */
export interface Shares {
  is: "shares";
  rows: string[];
  columns: string[];
  /** Null where withheld. */
  counts: (number | null)[][];
}

export interface Quantiles {
  is: "quantiles";
  values: { probability: number; value: number | null }[];
}

export interface Bars {
  is: "bars";
  /** Parts of a whole, from 0 to 1. */
  areShares?: true;
  bars: { name: string; value: number | null }[];
}

/** A value of each column for each of a few. */
export interface Profile {
  is: "profile";
  /** `one`: all columns from -1 to 1; `each`: every column from its lowest value to its highest. */
  scale: "one" | "each";
  columns: string[];
  /** Null where withheld. */
  series: { name: string; values: (number | null)[] }[];
}

export type Picture = Forest | Survival | Histogram | Shares | Quantiles | Bars | Profile;

export type Piece =
  & {
    /** The output's name; `undefined` for what is not of one output. */
    name: string | undefined;
    title: Title;
    /** What the algorithm says that it is. */
    help?: string | undefined;
  }
  & (
    | { is: "table"; table: Table; picture?: Picture | undefined }
    /** Anything else, at this place of the result. */
    | { is: "tree"; path: Path }
  );

/** The name of an output; or one of the page's own. */
export type Title = { of: string } | { own: "facts" | "estimates" | "rest" | "result" };

export type Path = (string | number)[];

/** What a site's rules withheld. */
export interface Withheld {
  organization: number | null;
  output: string;
  rule: string;
  values: number;
}

/** A result as it is shown. */
export interface Reading {
  pieces: Piece[];
  withheld: Withheld[];
  /** What the algorithm wants its readers to know. */
  notes: string[];
  /** Outputs that are null: withheld, or nothing that this result has. */
  empty: string[];
}
