import assert from "node:assert/strict";
import { leave, out, profiles, rulesOf } from "../../../tests/support/leaving.ts";
import type { OutputKind } from "../algorithms/sextant/description.ts";
import { type DisclosureRules } from "./rules.ts";

Deno.test("checkResult() lets values of every kind leave with the profile's number of persons behind them", () => {
  const values: [OutputKind, unknown, unknown][] = [
    ["moments", { mean: 3.5, sd: 0 }, null],
    ["model", 4.5, null],
    ["curve", [{ time: 1, survival: 0.5 }], null],
    ["estimate", { p: 0.04, test: "t" }, null],
    ["levels", ["f", "m"], null],
    ["quantiles", { "0.5": 4 }, null],
  ];
  for (const profile of profiles) {
    const rules = rulesOf(profile, { dominance: null, pRatio: null, roundTo: 1 });
    // A median has half of them on either side, and a model leaves persons free beside its terms.
    const least: Partial<Record<OutputKind, number>> = {
      quantiles: 2 * rules.minCell,
      model: Math.max(
        rules.minSubset,
        Math.ceil(1 / rules.maxTermsShare),
        1 + rules.minResidualFreedom,
      ),
    };
    for (const [kind, value] of values) {
      const n = least[kind] ?? rules.minSubset;
      const outputs = [out("n", "count"), out("x", kind, { restsOn: "n" })];
      const what = `${profile} ${kind}`;
      assert.deepEqual(leave({ n, x: value }, outputs, { rules }).left, { n, x: value }, what);
      const { left, rules: by } = leave({ n: n - 1, x: value }, outputs, { rules });
      const nothing = kind === "quantiles" ? { "0.5": null } : null;
      assert.deepEqual(left.x, nothing, what);
      assert.ok(by.some(([output]) => output === "x"), what);
    }
  }
});

Deno.test("checkResult() holds a model to its share of terms, and to what is left beside them", () => {
  const outputs = [out("n", "count"), out("b", "model", { restsOn: "n" })];
  const model = (n: number, terms: number, rules: DisclosureRules) =>
    leave({ n, b: Array(terms).fill(1.5) }, outputs, { rules }).rules;
  for (const profile of ["datashield", "opensafely", "strict"] as const) {
    assert.deepEqual(model(100, 33, rulesOf(profile)), [], profile);
    assert.deepEqual(model(100, 34, rulesOf(profile)), [["b", "max_terms_share", 34]], profile);
  }
  assert.deepEqual(model(30, 20, rulesOf("acro")), []);
  assert.deepEqual(model(30, 21, rulesOf("acro")), [["b", "min_residual_freedom", 21]]);
  // Saturated: as many terms as persons.
  for (const profile of profiles) {
    assert.equal(model(12, 12, rulesOf(profile)).length, 1, profile);
  }
});

Deno.test("checkResult() counts the terms of a model where its description says they are", () => {
  const outputs = [
    out("n", "count"),
    out("terms", "setting"),
    out("triangle", "model", { restsOn: "n", terms: "terms" }),
  ];
  const triangle = Array(55).fill(1);
  const left = (terms: unknown) => leave({ n: 100, terms, triangle }, outputs).rules;
  assert.deepEqual(left(10), []);
  assert.deepEqual(left(Array(10).fill("x")), []);
  assert.deepEqual(left(34), [["triangle", "max_terms_share", 55]]);
  assert.deepEqual(left(null), [["triangle", "rests_on", 55]]);
});

Deno.test("checkResult() wants every level of a variable of two to have its persons", () => {
  const rules = rulesOf("datashield", { minLevel: 10 });
  const outputs = [out("levels", "count")];
  assert.deepEqual(leave({ levels: { f: 10, m: 90 } }, outputs, { rules }).rules, []);
  assert.deepEqual(leave({ levels: { f: 9, m: 90 } }, outputs, { rules }), {
    left: { levels: { m: null } },
    rules: [["levels", "min_level", 2]],
  });
  // Of three levels it is no rule.
  assert.deepEqual(leave({ levels: { f: 9, m: 90, x: 50 } }, outputs, { rules }).rules, []);
  const model = [
    out("n", "count"),
    out("smallest", "persons"),
    out("b", "model", { restsOn: ["n", "smallest"] }),
  ];
  assert.deepEqual(leave({ n: 100, smallest: 10, b: [1] }, model, { rules }), {
    left: { n: 100, b: [1] },
    rules: [],
  });
  assert.deepEqual(leave({ n: 100, smallest: 9, b: [1] }, model, { rules }), {
    left: { n: 100, b: null },
    rules: [["b", "min_level", 1]],
  });
});

Deno.test("checkResult() withholds quantiles near the ends, and those near to each other", () => {
  const outputs = [out("n", "count"), out("q", "quantiles", { restsOn: "n" })];
  for (const profile of profiles) {
    const rules = rulesOf(profile, { roundTo: 1 });
    const n = 4 * rules.minCell;
    const q = {
      "0": 1,
      "0.24": 2,
      "0.25": 2.5,
      "0.5": 3,
      "0.6": 3.1,
      "0.75": 4,
      "0.76": 4,
      "1": 9,
    };
    const { left, rules: by } = leave({ n, q }, outputs, { rules });
    assert.deepEqual(left.q, {
      "0": null,
      "0.24": null,
      "0.25": 2.5,
      "0.5": 3,
      "0.6": null,
      "0.75": 4,
      "0.76": null,
      "1": null,
    }, profile);
    assert.deepEqual(by, [["q", "extremes", 4], ["q", "min_cell", 1]], profile);
    const open = { ...rules, extremes: true };
    assert.equal(
      (leave({ n, q: { "0": 1 } }, outputs, { rules: open }).left.q as typeof q)["0"],
      1,
    );
  }
  const listed = [
    out("n", "count"),
    out("q", "quantiles", { restsOn: "n", at: "probabilities" }),
  ];
  const args = { probabilities: [0.1, 0.5] };
  assert.deepEqual(leave({ n: 12, q: [1, 2] }, listed, { args }).left.q, [null, 2]);
  assert.deepEqual(leave({ n: 12, q: [1, 2] }, listed).left.q, [null, null]);
});

Deno.test("checkResult() withholds sums that few persons make up", () => {
  const outputs = [
    out("n", "count"),
    out("shares", "contributions"),
    out("sum", "moments", { restsOn: "n", contributions: "shares" }),
  ];
  for (const profile of ["acro", "strict"] as const) {
    const rules = rulesOf(profile);
    const by = (total: number, largest: number[]) =>
      leave({ n: 50, shares: { total, largest }, sum: 7 }, outputs, { rules });
    assert.deepEqual(by(100, [50, 40]), { left: { n: 50, sum: 7 }, rules: [] }, profile);
    assert.deepEqual(by(100, [51, 40]).rules, [["sum", "dominance", 1]], profile);
    // 9 % is 10 % of 90: the second largest could not estimate the largest.
    const alone = { ...rules, dominance: null };
    const ratio = (total: number, largest: number[]) =>
      leave({ n: 50, shares: { total, largest }, sum: 7 }, outputs, { rules: alone }).rules;
    assert.deepEqual(ratio(106, [60, 40]), [], profile);
    assert.deepEqual(ratio(105, [60, 40]), [["sum", "p_ratio", 1]], profile);
    // What shows nothing does not leave.
    const silent = [out("n", "count"), out("sum", "moments", { restsOn: "n" })];
    assert.deepEqual(
      leave({ n: 50, sum: 7 }, silent, { rules }).rules,
      [["sum", "dominance", 1]],
      profile,
    );
  }
  for (const profile of ["datashield", "opensafely"] as const) {
    const left = leave({ n: 50, shares: { total: 1, largest: [1] }, sum: 7 }, outputs, {
      rules: rulesOf(profile),
    });
    assert.deepEqual(left, { left: { n: 50, sum: 7 }, rules: [] }, profile);
  }
});
