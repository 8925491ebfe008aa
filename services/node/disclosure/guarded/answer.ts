/**
 * A question about a table, and its answer as the owner's rules let it leave.
 * @module
 */
import { requireFinite } from "../../algorithms/sextant/finite.ts";
import { answerCrossProducts } from "./cross_products.ts";
import { answerGroups } from "./groups.ts";
import { answerQuantileCounts } from "./quantile_counts.ts";
import type { Question } from "./questions.ts";
import { answerRiskSets } from "./risk_sets.ts";
import type { Session } from "./session.ts";

type Computed = Exclude<Question, { ask: "describe" }>;

/** Throws for a question that cannot be computed, with a message that tells no value. */
export function answer(session: Session, question: Computed): object {
  return requireFinite(compute(session, question));
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
