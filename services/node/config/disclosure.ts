/**
 * The section `disclosure` of node.yaml: what may leave.
 * @module
 */
import { z } from "zod";
import { rulesOf, type SiteDisclosure } from "../disclosure/rules.ts";
import { count, flag, listOf, option } from "./option_types.ts";
import { reference } from "./policies.ts";

const NAMES = ["none", "datashield", "opensafely", "acro", "strict"] as const;

const share = z.number("must be a number").gt(0, "must be more than 0").max(1, "must be at most 1");

export const disclosureSection = z.strictObject({
  profile: z.enum(NAMES, `must be one of ${NAMES.join(", ")}`).default("none"),
  persons: option.optional(),
  min_cell: count.optional(),
  min_subset: count.optional(),
  round_to: count.optional(),
  max_terms_share: share.optional(),
  min_residual_freedom: z.number("must be a number").int("must be a whole number")
    .min(0, "must be at least 0").optional(),
  min_level: count.optional(),
  extremes: flag.optional(),
  dominance: z.strictObject({ largest: count, share }).nullable().optional(),
  p_ratio: share.nullable().optional(),
  ledger: flag.optional(),
  trusted: listOf(reference).optional(),
  queries: z.enum(["plain", "any"], "must be plain or any").optional(),
  unlisted: z.enum(["guard", "hold", "refuse"], "must be guard, hold or refuse").optional(),
});

/**
 * The rules, from a section that has been checked; null where nothing is ruled. What is wrong with
 * it goes to `problems`.
 */
export function disclosureOf(
  section: z.infer<typeof disclosureSection> = { profile: "none" },
  problems: string[],
): SiteDisclosure | null {
  const { profile, persons, ledger = true, trusted = [], unlisted, queries = "plain", ...numbers } =
    section;
  if (profile === "none") {
    const useless = Object.keys(section).find((name) => name !== "profile");
    if (useless) {
      problems.push(
        `disclosure.${useless} needs a profile that it changes: set disclosure.profile to ` +
          `${NAMES.slice(1).join(", ")}`,
      );
    }
    return null;
  }
  if (profile === "strict" && (trusted.length > 0 || unlisted === "hold")) {
    problems.push(
      `disclosure.${unlisted === "hold" ? "unlisted: hold" : "trusted"} does not go with the ` +
        "profile strict, under which only the node's own algorithms get rows: take it out, or " +
        "choose another profile",
    );
  }
  const given = {
    minCell: numbers.min_cell,
    minSubset: numbers.min_subset,
    roundTo: numbers.round_to,
    maxTermsShare: numbers.max_terms_share,
    minResidualFreedom: numbers.min_residual_freedom,
    minLevel: numbers.min_level,
    extremes: numbers.extremes,
    dominance: numbers.dominance,
    pRatio: numbers.p_ratio,
  };
  const overridden = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  );
  return {
    rules: rulesOf(profile, persons ?? null, overridden),
    ledger,
    trusted,
    queries,
    unlisted: {
      sandbox: unlisted ?? "guard",
      containers: unlisted === "refuse" || (profile === "strict" && unlisted !== "hold")
        ? "refuse"
        : "hold",
    },
  };
}
