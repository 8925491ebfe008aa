/**
 * What leaves of results under rules, for tests.
 * @module
 */
import assert from "node:assert/strict";
import type { Output, OutputKind } from "../../services/node/algorithms/sextant/description.ts";
import { type CheckOptions, checkResult } from "../../services/node/disclosure/check_result.ts";
import {
  type DisclosureRules,
  type Profile,
  PROFILES,
} from "../../services/node/disclosure/rules.ts";

export const rulesOf = (
  profile: Profile,
  changed: Partial<DisclosureRules> = {},
): DisclosureRules => ({
  profile,
  persons: null,
  ...PROFILES[profile],
  ...changed,
});

export const out = (name: string, kind: OutputKind, more: Partial<Output> = {}): Output => ({
  name,
  kind,
  help: "What it is",
  ...more,
});

/** What leaves, and by which rules something does not. */
export function leave(
  result: Record<string, unknown>,
  outputs: Output[],
  { rules = rulesOf("datashield"), ...options }: Partial<CheckOptions> = {},
) {
  const { result: left, withheld } = checkResult(structuredClone(result), {
    outputs,
    rules,
    ...options,
  });
  const { withheld: shown, ...rest } = left;
  assert.deepEqual(shown ?? [], withheld, "the result says what was withheld");
  return { left: rest, rules: withheld.map(({ output, rule, values }) => [output, rule, values]) };
}

export const profiles = Object.keys(PROFILES) as Profile[];
