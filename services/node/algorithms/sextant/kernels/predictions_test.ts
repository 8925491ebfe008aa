import assert from "node:assert/strict";
import fc from "fast-check";
import { PROFILES } from "../../../disclosure/rules.ts";
import { PartWithheld, type SiteRules } from "../disclosure.ts";
import { glmStep } from "./irls.ts";
import { isPlainlyScaled, requireRange, requireScale } from "./predictions.ts";

const site = {
  rules: { profile: "datashield", persons: null, ...PROFILES.datashield },
  persons: undefined,
} as unknown as SiteRules;

function isRefused(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    assert.ok(error instanceof PartWithheld);
    return true;
  }
}

const size = fc.constantFrom(1e-9, 1e-6, 1e-3, 1, 1e3, 1e6, 1e9);

Deno.test("isPlainlyScaled() lets nothing pass that requireScale() refuses, and most of what it does not", () => {
  const values = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), {
    minLength: 2,
    maxLength: 30,
  });
  let plain = 0;
  fc.assert(
    fc.property(values, size, size, size, (given, factor, centre, scale) => {
      const column = Float64Array.from(given, (value) => value * factor);
      const scaled = column.map((value) => (value - centre) / scale);
      const sum = scaled.reduce((all, one) => all + one, 0);
      const squares = scaled.reduce((all, one) => all + one * one, 0);
      if (!isPlainlyScaled({ n: column.length, sum, squares })) return;
      plain++;
      assert.ok(!isRefused(() => requireScale(site, column, { centre, scale })));
    }),
    { numRuns: 5000 },
  );
  assert.ok(plain > 100, `${plain}`);
});

Deno.test("glmStep() refuses coefficients as far apart as requireRange() does, with an offset from far off, too", () => {
  const n = 400;
  const column = Float64Array.from({ length: n }, (_, row) => row % 2 === 0 ? 1 : -1);
  const outcome = Float64Array.from({ length: n }, (_, row) => row % 3 === 0 ? 1 : 0);
  // The standard deviation is the coefficient, but for one row's offset.
  for (const [coefficient, far] of [[9.9, 0], [10.1, 0], [1, 250], [0.1, 1e9]] as const) {
    const offset = Float64Array.from({ length: n }, (_, row) => 20 + (row === 7 ? far : 0));
    const rows = { columns: [column], outcome, offset, weights: undefined };
    const asked = () => requireRange(site, { ...rows, n }, [coefficient]);
    const step = () =>
      glmStep({ ...rows, family: "binomial", link: "logit" }, [-20, coefficient], site);
    assert.equal(isRefused(step), isRefused(asked), `${coefficient} ${far}`);
  }
});
