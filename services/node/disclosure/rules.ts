/**
 * The site's rules on what may leave: what each profile says, and who falls under which part of it.
 *
 * Sources: DataSHIELD's `nfilter.*` options
 * (https://wiki.datashield.org/en/opmanag/disclosure-settings), OpenSAFELY's rules for outputs
 * (https://docs.opensafely.org/outputs/sdc/), ACRO's defaults
 * (https://github.com/AI-SDC/ACRO/blob/main/acro/default.yaml).
 * @module
 */
import type { DisclosureRules } from "../algorithms/api.ts";

export type { DisclosureRules };

export type Profile = DisclosureRules["profile"];

/** Without the column of persons, which no profile can know. */
export const PROFILES: Readonly<Record<Profile, Omit<DisclosureRules, "profile" | "persons">>> = {
  datashield: {
    minCell: 3,
    minSubset: 3,
    roundTo: 1,
    maxTermsShare: 0.33,
    minResidualFreedom: 0,
    minLevel: 3,
    extremes: false,
    dominance: null,
    pRatio: null,
  },
  opensafely: {
    // More than 7.
    minCell: 8,
    minSubset: 8,
    roundTo: 5,
    maxTermsShare: 0.33,
    minResidualFreedom: 0,
    minLevel: 8,
    extremes: false,
    dominance: null,
    pRatio: null,
  },
  acro: {
    minCell: 10,
    minSubset: 10,
    roundTo: 1,
    maxTermsShare: 1,
    minResidualFreedom: 10,
    minLevel: 10,
    extremes: false,
    dominance: { largest: 2, share: 0.9 },
    pRatio: 0.1,
  },
  strict: {
    minCell: 11,
    minSubset: 11,
    roundTo: 1,
    maxTermsShare: 0.33,
    minResidualFreedom: 10,
    minLevel: 11,
    extremes: false,
    dominance: { largest: 2, share: 0.9 },
    pRatio: 0.1,
  },
};

/**
 * The rules of a profile with what the owner has changed of it. A selection of persons is judged by
 * `minSubset`, by the ledger and by conditions as well, and what it tells may be a count: so that
 * is never less than `minCell`.
 */
export function rulesOf(
  profile: Profile,
  persons: string | null,
  changed: Partial<typeof PROFILES[Profile]> = {},
): DisclosureRules {
  const rules = { profile, persons, ...PROFILES[profile], ...changed };
  return { ...rules, minSubset: Math.max(rules.minSubset, rules.minCell) };
}

/** What happens to algorithms that are neither the node's own nor trusted by its owner. */
export interface Unlisted {
  /**
   * In the sandbox: `guard` gives them aggregates in place of rows; `hold` rows, and whatever they
   * return waits for a person; `refuse` lets them not run.
   */
  sandbox: "guard" | "hold" | "refuse";
  containers: "hold" | "refuse";
}

/** All that the owner says on what may leave. */
export interface SiteDisclosure {
  rules: DisclosureRules;
  /** Whether results are held against those that left before. */
  ledger: boolean;
  /** References, and patterns, of algorithms that the owner trusts with rows. */
  trusted: readonly string[];
  unlisted: Unlisted;
  /** Which queries tasks may bring along for SQL databases; `plain` unless said. */
  queries?: "plain" | "any";
}
