/** Outputs that have a value for each person, under whatever kind they are declared. */
import assert from "node:assert/strict";
import type { Output, OutputKind } from "../algorithms/sextant/description.ts";
import { checkResult } from "./check_result.ts";
import { type DisclosureRules, type Profile, PROFILES } from "./rules.ts";

const profiles = Object.keys(PROFILES) as Profile[];
const rulesOf = (profile: Profile) => ({ profile, persons: null, ...PROFILES[profile] });

function out(name: string, kind: OutputKind, more: Partial<Output> = {}): Output {
  return { name, kind, help: "What it is", ...more };
}

function leave(
  result: Record<string, unknown>,
  outputs: Output[],
  { rules = rulesOf("datashield") }: { rules?: DisclosureRules } = {},
) {
  return { left: checkResult(structuredClone(result), { outputs, rules }).result };
}

Deno.test("checkResult() lets no residuals, predictions or leverages leave, whatever kind they are declared as", () => {
  const n = 40;
  const each = Array.from({ length: n }, (_, i) => i + 0.5);
  const forms: unknown[] = [
    each,
    { values: each },
    [each, each],
    each.map((value) => ({ value, leverage: 0.1 })),
    Object.fromEntries(each.map((value, i) => [`patient ${i}`, value])),
  ];
  for (const profile of profiles) {
    const rules = rulesOf(profile);
    for (const kind of ["model", "estimate", "curve", "quantiles", "other"] as const) {
      for (const residuals of forms) {
        const outputs = [out("n", "count"), out("residuals", kind, { restsOn: "n" })];
        const { left } = leave({ n, residuals }, outputs, { rules });
        const text = JSON.stringify(left.residuals ?? null);
        assert.doesNotMatch(text, /\d\.5|patient/, `${profile} ${kind} ${text}`);
      }
    }
    // As many terms as rows, said to be few; and a count that is no count.
    const said = [out("n", "count"), out("k", "setting"), out("r", "model", { restsOn: "n" })];
    assert.equal(leave({ n, k: 1, r: each }, said, { rules }).left.r, null);
    const forged = [out("n", "count", { restsOn: "of" }), out("of", "persons"), said[2]!];
    assert.equal(leave({ n: 1e6, of: 1, r: [1.5] }, forged, { rules }).left.r, null);
  }
  // Of groups there are fewer than persons.
  const outputs = [out("n", "count"), out("means", "estimate", { restsOn: "n" })];
  assert.deepEqual(leave({ n, means: [1, 2, 3] }, outputs).left.means, [1, 2, 3]);
});
