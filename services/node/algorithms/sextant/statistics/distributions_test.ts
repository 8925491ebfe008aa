import assert from "node:assert/strict";
import * as distributions from "./distributions.ts";

// Printed by scipy 1.17.1 (stats.norm, t, chi2, f and gamma).
const KNOWN: [name: keyof typeof distributions, args: number[], expected: number][] = [
  ["normalAbove", [1.96], 0.024997895148220435],
  ["normalAbove", [-3], 0.9986501019683699],
  ["normalTwoSided", [8], 1.244192114854348e-15],
  ["normalQuantile", [0.975], 1.959963984540054],
  ["normalQuantile", [1e-8], -5.612001244174789],
  ["tTwoSided", [2.5, 7.3], 0.03965023466560043],
  ["tTwoSided", [-40, 12], 3.851229580772032e-14],
  ["tQuantile", [0.975, 3], 3.1824463052837078],
  ["tQuantile", [0.05, 25.5], -1.70685369586672],
  ["chiSquaredAbove", [3.84, 1], 0.05004352124870519],
  ["chiSquaredAbove", [300, 4], 1.083439491947837e-63],
  ["fAbove", [4.2, 2, 30], 0.024651903288156606],
  ["fAbove", [250, 3, 12.5], 2.059395540312525e-11],
  ["gammaQuantile", [0.025, 7], 2.8143630515198654],
];

Deno.test("distributions give the probabilities that scipy gives", () => {
  for (const [name, args, expected] of KNOWN) {
    const found = (distributions[name] as (...args: number[]) => number)(...args);
    const error = Math.abs(found / expected - 1);
    assert.ok(error < 1e-12, `${name}(${args}) is ${found}, not ${expected}`);
  }
});

Deno.test("distributions are certain at the ends", () => {
  assert.equal(distributions.chiSquaredAbove(0, 3), 1);
  assert.equal(distributions.fAbove(Infinity, 2, 3), 0);
  assert.equal(distributions.tTwoSided(-Infinity, 3), 0);
  assert.equal(distributions.tTwoSided(0, 3), 1);
  assert.equal(distributions.gammaQuantile(0.025, 0), 0);
});
