/**
 * What `node check` says of the rules on what may leave.
 * @module
 */
import type { NodeConfig } from "../config/config.ts";
import { PROFILES, type SiteDisclosure } from "../disclosure/rules.ts";
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
  const parts = disclosureInForce(disclosure).map(([option, value]) => `${option} ${value}`);
  parts.push(`logs and words of errors ${shareLogs ? "leave" : "stay"}`);
  return finding(name, true, parts.join("; "));
}

/** Each rule that holds, by its name in node.yaml. */
export function disclosureInForce(
  { ledger, queries = "plain", rules, trusted, unlisted }: SiteDisclosure,
): [option: string, value: string][] {
  const { persons, dominance, pRatio } = rules;
  return [
    ["profile", rules.profile],
    ["persons", persons === null ? "by row" : `by column ${persons}`],
    ["min_cell", `${rules.minCell}`],
    ["min_subset", `${rules.minSubset}`],
    ["round_to", `${rules.roundTo}`],
    ["max_terms_share", `${rules.maxTermsShare}`],
    ["min_residual_freedom", `${rules.minResidualFreedom}`],
    ["min_level", `${rules.minLevel}`],
    ["extremes", `${rules.extremes}`],
    ["dominance", dominance ? `${dominance.largest} at most ${dominance.share}` : "none"],
    ["p_ratio", `${pRatio ?? "none"}`],
    ["ledger", `${ledger}`],
    ["queries", queries],
    ["trusted", trusted.join(", ") || "none"],
    ["unlisted", `${unlisted.sandbox}, containers ${unlisted.containers}`],
  ];
}
