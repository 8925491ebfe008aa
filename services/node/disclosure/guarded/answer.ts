/**
 * A question about a table, and its answer as the owner's rules let it leave.
 * @module
 */
import { isAboutNames } from "../../algorithms/sextant/columns.ts";
import { requireFinite } from "../../algorithms/sextant/finite.ts";
import { selectionOf } from "../../algorithms/sextant/selection.ts";
import { end, Withheld } from "./answer_head.ts";
import { answerCrossProducts } from "./cross_products.ts";
import { answerGroups } from "./groups.ts";
import { answerQuantileCounts } from "./quantile_counts.ts";
import type { Question } from "./questions.ts";
import { answerRiskSets } from "./risk_sets.ts";
import type { Session } from "./session.ts";

type Computed = Exclude<Question, { ask: "describe" }>;

/** An answer, and whether it tells of the rows even where it has nothing else: that it failed. */
export interface Answered {
  value: object;
  failed: boolean;
}

/**
 * Throws for a question that cannot be computed, with a message that tells no value. Of rows that
 * preprocessing chose also an error tells, perhaps of one of them: it is answered as of few rows,
 * and is for the ledger as any other answer.
 */
export function answer(session: Session, question: Computed): Answered {
  const { table, rules } = session;
  const isChosen = table.isFiltered === true && rules.minSubset > 1;
  if (isChosen && question.where !== undefined) {
    throw new TypeError(
      'The rules of this site let rows be chosen by "where" or by preprocessing, not by both: put ' +
        'all of it into "where".',
    );
  }
  try {
    return { value: requireFinite(compute(session, question)), failed: false };
  } catch (error) {
    if (!isChosen || isAboutNames(error)) throw error;
    session.used.length = 0;
    session.used.push(selectionOf(undefined, table.length));
    return { value: ofFew(session, question), failed: true };
  }
}

/** The answer of rows of too few persons. */
function ofFew(session: Session, question: Computed): object {
  const withheld = new Withheld();
  withheld.add("min_subset");
  const head = end(session, undefined, withheld);
  switch (question.ask) {
    case "groups":
    case "riskSets":
      return { ...head, groups: [] };
    case "crossProducts":
      return { ...head, means: null, products: null, weight: null };
    case "quantileCounts":
      return { ...head, counts: question.thresholds.map(() => null) };
  }
}

function compute(session: Session, question: Computed): object {
  switch (question.ask) {
    case "groups":
      return answerGroups(session, question);
    case "crossProducts":
      return answerCrossProducts(session, question);
    case "riskSets":
      return answerRiskSets(session, question);
    case "quantileCounts":
      return answerQuantileCounts(session, question);
  }
}
