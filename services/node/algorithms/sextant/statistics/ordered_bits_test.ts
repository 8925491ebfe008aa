import assert from "node:assert/strict";
import { fromOrdered, toOrdered } from "./ordered_bits.ts";

Deno.test("toOrdered() keeps the order of numbers, and fromOrdered() undoes it", () => {
  const { MAX_VALUE, MIN_VALUE, EPSILON } = Number;
  const values = [-MAX_VALUE, -2, -1 - EPSILON, -1, -MIN_VALUE, 0, MIN_VALUE, 0.1, 1, MAX_VALUE];
  for (const [i, value] of values.entries()) {
    assert.equal(fromOrdered(toOrdered(value)), value);
    if (i > 0) assert.ok(toOrdered(value) > toOrdered(values[i - 1]!), `${value}`);
  }
  assert.equal(toOrdered(1 + EPSILON) - toOrdered(1), 1n);
  assert.equal(toOrdered(-0), toOrdered(0));
});
