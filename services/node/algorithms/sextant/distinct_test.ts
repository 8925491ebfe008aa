import assert from "node:assert/strict";
import fc from "fast-check";
import {
  countDistinct,
  distinctByPlace,
  distinctUpTo,
  isAllDistinct,
  numbersWithout,
} from "./distinct.ts";

const rows = fc.array(fc.tuple(fc.nat(20), fc.integer({ min: -1, max: 79 }), fc.boolean()));

Deno.test("distinctByPlace() counts at each place as sets do, of few places and of many", () => {
  fc.assert(fc.property(rows, fc.constantFrom(1, 5, 32, 33, 80), (given, size) => {
    const numbers = Uint32Array.from(given, ([number]) => number);
    const places = given.map(([, place]) => place < size ? place : -1);
    const within = Uint8Array.from(given, ([, , isIn]) => isIn ? 1 : 0);
    for (const mask of [undefined, within]) {
      const expected = Array.from(
        { length: size },
        (_, place) =>
          new Set(
            given.flatMap(([number], row) =>
              places[row] === place && (!mask || mask[row] === 1) ? [number] : []
            ),
          ).size,
      );
      const asked = { size, within: mask };
      assert.deepEqual(distinctByPlace(numbers, Int32Array.from(places), asked), expected);
      const floats = Float64Array.from(places, (place) => place < 0 ? NaN : place);
      assert.deepEqual(distinctByPlace(numbers, floats, asked), expected);
    }
  }));
});

Deno.test("distinctUpTo() counts as distinctByPlace() does, no further than is asked", () => {
  const most = fc.constantFrom(1, 2, 3, 10, 40);
  fc.assert(fc.property(rows, fc.constantFrom(1, 5, 33), most, (given, size, most) => {
    const numbers = Uint32Array.from(given, ([number]) => number);
    const places = Int32Array.from(given, ([, place]) => place < size ? place : -1);
    const within = Uint8Array.from(given, ([, , isIn]) => isIn ? 1 : 0);
    for (const mask of [undefined, within]) {
      const asked = { size, within: mask };
      for (const one of [numbers, undefined]) {
        const all = distinctByPlace(one ?? Uint32Array.from(places.keys()), places, asked);
        const expected = all.map((count) => Math.min(count, most));
        assert.deepEqual(distinctUpTo(most, one, places, asked), expected);
        // Turned round, without the last.
        const numberOf = all.map((_, place) => size - 2 - place);
        assert.deepEqual(
          distinctUpTo(most, one, places, { ...asked, size: size - 1, numberOf }),
          expected.slice(0, -1).reverse(),
        );
      }
    }
  }));
});

Deno.test("countDistinct() and isAllDistinct() say what a set says", () => {
  fc.assert(fc.property(fc.array(fc.nat(30)), (given) => {
    const numbers = Uint32Array.from(given);
    assert.equal(countDistinct(numbers), new Set(given).size);
    assert.equal(isAllDistinct(numbers), new Set(given).size === given.length);
  }));
});

Deno.test("numbersWithout() takes what is missing for one number together, which no other has", () => {
  assert.deepEqual([...numbersWithout(Int32Array.of(2, -1, 0, -1))], [2, 3, 0, 3]);
  assert.deepEqual([...numbersWithout(Int32Array.of(-1, -1))], [0, 0]);
});
