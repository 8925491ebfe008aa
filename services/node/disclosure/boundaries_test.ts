/** The boundary of each kind of output under each profile, on both sides. */
import assert from "node:assert/strict";
import type { Output, OutputKind } from "../algorithms/sextant/description.ts";
import { type CheckOptions, checkResult } from "./check_result.ts";
import { type Profile, PROFILES } from "./rules.ts";

/** The fewest persons on which a value of the kind leaves, by profile; `other` never does. */
const BOUNDARIES: Readonly<Record<Profile, Record<BoundaryKind, number | null>>> = {
  datashield: { ...sameFor(3), model: 4, quantiles: 6, other: null },
  opensafely: { ...sameFor(8), model: 8, quantiles: 16, other: null },
  acro: { ...sameFor(10), model: 11, quantiles: 20, other: null },
  strict: { ...sameFor(11), model: 11, quantiles: 22, other: null },
};
type BoundaryKind = Exclude<OutputKind, "setting" | "persons" | "contributions">;

function sameFor(n: number) {
  return { count: n, table: n, moments: n, curve: n, estimate: n, levels: n };
}

/** A value of each kind that rests on so many persons, and what describes it. */
const SAMPLES: Readonly<
  Record<BoundaryKind, (n: number) => { x: unknown; output: Partial<Output>; nothing?: unknown }>
> = {
  count: (n) => ({ x: n, output: {} }),
  table: (n) => ({ x: [{ count: n }], output: {}, nothing: [{ count: null }] }),
  moments: () => ({ x: 4.5, output: { restsOn: "n", contributions: "shares" } }),
  model: () => ({ x: 4.5, output: { restsOn: "n" } }),
  curve: () => ({ x: [{ time: 1, survival: 0.5 }], output: { restsOn: "n" } }),
  quantiles: () => ({ x: { "0.5": 4 }, output: { restsOn: "n" }, nothing: { "0.5": null } }),
  estimate: () => ({ x: { p: 0.04 }, output: { restsOn: "n" } }),
  levels: () => ({ x: ["f", "m"], output: { restsOn: "n" } }),
  other: () => ({ x: 4.5, output: { restsOn: "n" }, nothing: undefined }),
};

Deno.test("checkResult() has for each profile and kind of output a number from which it leaves, and below which it does not", () => {
  assert.deepEqual(Object.keys(BOUNDARIES), Object.keys(PROFILES));
  for (const profile of Object.keys(PROFILES) as Profile[]) {
    const rules = { profile, persons: null, ...PROFILES[profile] };
    const rounded = (n: number) => Math.round(n / rules.roundTo) * rules.roundTo;
    for (const [name, least] of Object.entries(BOUNDARIES[profile])) {
      const kind = name as BoundaryKind;
      const sample = SAMPLES[kind];
      // All contribute the same.
      const at = (n: number, options: Partial<CheckOptions> = {}) => {
        const { x, output } = sample(n);
        const help = "What it is";
        const outputs: Output[] = [
          { name: "n", kind: "count", help },
          { name: "shares", kind: "contributions", help },
          { name: "x", kind, help, ...output },
        ];
        const shares = { total: n, largest: [1, 1] };
        const { result, withheld } = checkResult({ n, shares, x }, { outputs, rules, ...options });
        const { withheld: _, ...left } = result;
        return { left, withheld };
      };
      const shown = (n: number) => {
        const { x } = sample(n);
        if (kind === "count") return rounded(n);
        return kind === "table" ? [{ count: rounded(n) }] : x;
      };
      const what = `${profile} ${kind}`;
      const below = least === null ? 1000 : least - 1;
      const { nothing = kind === "other" ? undefined : null } = sample(below);
      assert.deepEqual(at(below).left.x, nothing, `${what} of ${below}`);
      assert.ok(at(below).withheld.some(({ output }) => output.startsWith("x")), what);
      if (least === null) {
        assert.deepEqual(at(below, { trusted: true }).left.x, 4.5, "where the owner trusts it");
      } else {
        assert.deepEqual(
          at(least),
          {
            left: { n: rounded(least), x: shown(least) },
            withheld: [],
          },
          what,
        );
      }
    }
  }
});
