/**
 * What `node check` says of the rules on what may leave.
 * @module
 */
import type { NodeConfig } from "../config/config.ts";
import { PROFILES } from "../disclosure/rules.ts";
import { type Finding, finding } from "./finding.ts";

/** The rules as they hold, under their names in node.yaml. */
export function checkDisclosure(
  { disclosure, disclosureIsSaid, shareLogs }: Pick<
    NodeConfig,
    "disclosure" | "disclosureIsSaid" | "shareLogs"
  >,
): Finding {
  const name = "what may leave";
  if (!disclosure) {
    const note = "no rules: a result that rests on one row leaves";
    if (disclosureIsSaid) return finding(name, true, `${note} (disclosure.profile is none)`);
    const known = Object.keys(PROFILES).join(", ");
    // What worked before there were rules goes on.
    return finding(name, true, `WARNING: ${note}; set disclosure.profile to ${known}, or none`);
  }
  const { ledger, queries = "plain", rules, trusted, unlisted } = disclosure;
  const parts = [
    `profile ${rules.profile}`,
    `persons ${rules.persons === null ? "by row" : `by column ${rules.persons}`}`,
    `min_cell ${rules.minCell}`,
    `min_subset ${rules.minSubset}`,
    `round_to ${rules.roundTo}`,
    `max_terms_share ${rules.maxTermsShare}`,
    `min_residual_freedom ${rules.minResidualFreedom}`,
    `min_level ${rules.minLevel}`,
    `extremes ${rules.extremes}`,
    `dominance ${
      rules.dominance ? `${rules.dominance.largest} at most ${rules.dominance.share}` : "none"
    }`,
    `p_ratio ${rules.pRatio ?? "none"}`,
    `ledger ${ledger}`,
    `queries ${queries}`,
    `trusted ${trusted.join(", ") || "none"}`,
    `unlisted ${unlisted.sandbox}, containers ${unlisted.containers}`,
    `logs and words of errors ${shareLogs ? "leave" : "stay"}`,
  ];
  return finding(name, true, parts.join("; "));
}
