import assert from "node:assert/strict";
import { deviation, mergeMoments, momentsOf, variance } from "./moments.ts";

const values = Float64Array.from({ length: 999 }, (_, i) => 1e9 + Math.sin(i));

Deno.test("mergeMoments() gives the moments of the whole, far from zero too", () => {
  const whole = momentsOf(values);
  const parts = [values.slice(0, 1), values.slice(0, 0), values.slice(1, 700), values.slice(700)];
  const merged = mergeMoments(parts.map(momentsOf));
  assert.equal(merged.n, 999);
  assert.ok(Math.abs(merged.mean / whole.mean - 1) < 1e-15);
  assert.ok(Math.abs(merged.squares / whole.squares - 1) < 1e-9);
  const near = momentsOf(values.map((value) => value - 1e9));
  assert.ok(Math.abs(whole.squares / near.squares - 1) < 1e-9);
});

Deno.test("momentsOf() leaves NaN out", () => {
  assert.deepEqual(momentsOf([NaN, 1, 3, NaN]), { n: 2, mean: 2, squares: 2 });
});

Deno.test("variance() and deviation() are null for fewer than two values", () => {
  assert.deepEqual(momentsOf([]), { n: 0, mean: 0, squares: 0 });
  assert.equal(variance(momentsOf([4])), null);
  assert.equal(deviation(mergeMoments([])), null);
  assert.equal(deviation(momentsOf([1, 5])), Math.sqrt(8));
});
