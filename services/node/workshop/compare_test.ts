import assert from "node:assert/strict";
import { compare } from "./compare.ts";

Deno.test("compare() finds nothing between equal values", () => {
  const value = { a: [1, null, "x"], b: { c: 0.1 } };
  assert.deepEqual(compare(value, structuredClone(value)), []);
  assert.deepEqual(compare(0, -0), []);
});

Deno.test("compare() says where numbers differ and by how much, the most different first", () => {
  assert.deepEqual(compare({ a: 1, b: [2, 4] }, { a: 1.25, b: [2, 5] }), [
    { at: "a", one: 1, other: 1.25, relative: 0.2 },
    { at: "b.1", one: 4, other: 5, relative: 0.2 },
  ]);
});

Deno.test("compare() puts what is another thing before what is another number", () => {
  assert.deepEqual(compare({ a: 1, b: null, c: 3 }, { a: 2, b: 0 }).map(({ at }) => at), [
    "b",
    "c",
    "a",
  ]);
  assert.deepEqual(compare([1], "x"), [{ at: "", one: [1], other: "x", relative: undefined }]);
});
