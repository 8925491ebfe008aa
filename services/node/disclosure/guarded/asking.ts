/**
 * What those must know of a guarded table who have it made: what was asked of it, and who is asked
 * before it answers.
 * @module
 */
import type { SelectedRows } from "../../algorithms/sextant/selection.ts";

/** What was asked, for the audit log. */
export interface GuardCounts {
  questions: number;
  /** Answers of which something was withheld. */
  withheld: number;
  /** Answers that told nothing. */
  refused: number;
  /** The rules by which, by their names in node.yaml. */
  rules: string[];
}

/** Resolves to why an answer that rests on these rows may not be handed over, if it may not. */
export type MayTell = (
  label: string,
  selections: readonly SelectedRows[],
) => Promise<string | undefined>;
