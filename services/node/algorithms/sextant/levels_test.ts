import assert from "node:assert/strict";
import fc from "fast-check";
import { levelsOfNumbers } from "./levels.ts";

/** The values that places stand for. */
function spelled({ values, places }: ReturnType<typeof levelsOfNumbers>): number[] {
  return Array.from(places, (place) => place < 0 ? NaN : values[place] as number);
}

Deno.test("levelsOfNumbers() gives each different number one place, and none to what is missing", () => {
  const number = fc.oneof(
    fc.integer({ min: -5, max: 5 }),
    fc.integer(),
    fc.double({ noDefaultInfinity: true }),
    fc.constant(NaN),
  );
  fc.assert(fc.property(fc.array(number), (given) => {
    // As text there is one zero.
    const numbers = given.map((one) => one + 0 === 0 ? 0 : one);
    const levels = levelsOfNumbers(Float64Array.from(numbers));
    assert.deepEqual(spelled(levels), numbers);
    assert.equal(new Set(levels.values).size, levels.values.length);
  }));
});

Deno.test("levelsOfNumbers() takes whole numbers that are far apart, and infinite ones", () => {
  for (const numbers of [[1, 2 ** 40, 1], [Infinity, 3, -Infinity, Infinity], [-7, -7], []]) {
    assert.deepEqual(spelled(levelsOfNumbers(Float64Array.from(numbers))), numbers);
  }
});
