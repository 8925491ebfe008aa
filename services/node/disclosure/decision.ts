/**
 * What becomes of a result at the exit.
 * @module
 */
import type { ContentFile } from "../payload/pieces.ts";

/**
 * What an algorithm gets of the databases: rows, aggregates that keep the rules in place of them
 * (the guarded table), or no database.
 */
export type DataAccess = "rows" | "guarded" | "none";

/** What did not leave, and nothing else about it. */
export interface Withheld {
  /** As it is described: `groups.*.mean`. */
  output: string;
  /** In words, for the researcher: `fewer than min_cell persons`. */
  rule: string;
  /** How many values of the output. */
  values: number;
}

export type Decision =
  /** `result` is the file that leaves: the run's own, or one in which values are withheld. */
  | { is: "released"; result: ContentFile; withheld: Withheld[] }
  /** Nothing leaves; `reason` is a sentence that names the rule. */
  | { is: "refused"; reason: string };
