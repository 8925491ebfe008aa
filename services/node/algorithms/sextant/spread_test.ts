import assert from "node:assert/strict";
import fc from "fast-check";
import { PROFILES } from "../../disclosure/rules.ts";
import { PartWithheld, type SiteRules } from "./disclosure.ts";
import { isPlainlySpread, requireSpread } from "./spread.ts";

function siteOf(minSubset: number, persons?: number[]): SiteRules {
  return {
    rules: { profile: "datashield", persons: null, ...PROFILES.datashield, minSubset },
    persons: persons && Uint32Array.from(persons),
  } as unknown as SiteRules;
}

function refuses(site: SiteRules, weights: number[]): boolean {
  try {
    requireSpread(site, Float64Array.from(weights));
    return false;
  } catch (error) {
    assert.ok(error instanceof PartWithheld);
    return true;
  }
}

Deno.test("requireSpread() refuses weights of which few count, however small all are, and none that is no number", () => {
  const refusesSpread = (weights: number[], persons?: number[]) =>
    refuses(siteOf(3, persons), weights);
  for (const scale of [1, 0.1, 1e-200, 1e200]) {
    const of = (...weights: number[]) => weights.map((one) => one * scale);
    assert.ok(!refusesSpread(of(1, 1, 1)), `three alike, ${scale}`);
    assert.ok(refusesSpread(of(1, 1, 0, 0)), `two of four, ${scale}`);
    assert.ok(refusesSpread(of(1e-9, 1, 1, 1e-9, 1e-9)), `two of five, ${scale}`);
    assert.ok(refusesSpread(of(1, 1, 1, 1), [0, 0, 1, 1]), `two persons, ${scale}`);
    assert.ok(!refusesSpread(of(1, 1, 2, 2), [0, 0, 1, 2]), `three persons, ${scale}`);
  }
  assert.ok(!refusesSpread([0, 0, 0]), "nothing counts");
  for (const wrong of [NaN, Infinity]) {
    assert.ok(refusesSpread([wrong, 1, 1, 1, 1]));
    assert.ok(refusesSpread([1, 1, 1, 1, wrong]));
    assert.ok(refusesSpread([0, wrong, 0]));
  }
});

Deno.test("isPlainlySpread() lets nothing pass that requireSpread() refuses, and most of what it does not", () => {
  const even = fc.integer({ min: 1, max: 100 });
  const uneven = fc.oneof(even, fc.constantFrom(0, 1e9, 1e-9, 1e-200, 1e200));
  const rowsOf = (weight: fc.Arbitrary<number>) =>
    fc.array(fc.tuple(weight, fc.nat(30)), { minLength: 1, maxLength: 60 });
  const rows = fc.oneof(rowsOf(even), rowsOf(uneven));
  let plain = 0;
  fc.assert(
    fc.property(rows, fc.boolean(), (given, byPerson) => {
      const weights = given.map(([weight]) => weight);
      const site = siteOf(3, byPerson ? given.map(([, person]) => person) : undefined);
      const sum = weights.reduce((all, one) => all + one, 0);
      const squares = weights.reduce((all, one) => all + one * one, 0);
      if (!isPlainlySpread(site, { sum, squares })) return;
      plain++;
      assert.ok(!refuses(site, weights));
    }),
    { numRuns: 5000 },
  );
  assert.ok(plain > 500, `${plain}`);
});
