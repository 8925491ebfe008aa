import assert from "node:assert/strict";
import fc from "fast-check";
import { PROFILES } from "../../disclosure/rules.ts";
import type { SiteRules } from "./disclosure.ts";
import { fewValuesIn } from "./few_values.ts";

const rules = { profile: "datashield" as const, persons: null, ...PROFILES.datashield };
const site = { rules, persons: undefined, use() {}, withhold() {} } as unknown as SiteRules;

/** As the sums are said to give values away, by looking at every value. */
function tells(values: readonly number[], sums: number): boolean {
  const different = [...new Set(values)];
  const rowsOf = (value: number) => values.filter((one) => one === value).length;
  const isFew = (rows: number) => rows > 0 && rows < rules.minLevel;
  if (different.length <= 1) return false;
  if (different.length <= sums && different.length <= Math.max(2, values.length - 1)) {
    return different.some((value) => isFew(rowsOf(value)));
  }
  const most = different.find((value) => 2 * rowsOf(value) > values.length);
  return most !== undefined && (isFew(rowsOf(most)) || isFew(values.length - rowsOf(most)));
}

Deno.test("fewValuesIn() says what looking at every value of each set says", () => {
  // Mostly of one value, or of few.
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    fc.nat(3),
    fc.integer({ min: -20, max: 20 }).map((x) => x / 4),
  );
  const rows = fc.array(fc.tuple(value, fc.integer({ min: -1, max: 2 })), { maxLength: 60 });
  const [size, sums] = [3, 3] as const;
  fc.assert(
    fc.property(rows, (rows) => {
      const numbers = Float64Array.from(rows, ([one]) => one);
      const sets = Int32Array.from(rows, ([, set]) => set);
      const parts = Array.from(
        { length: size },
        (_, set) => numbers.filter((_, row) => sets[row] === set),
      );
      const expected = parts.map((part) => tells([...part], sums));
      assert.deepEqual(fewValuesIn(site, { numbers, sets, size, sums }).tell, expected);
      assert.deepEqual(fewValuesIn(site, { numbers, sets, size, sums, parts }).tell, expected);
    }),
    { numRuns: 1000 },
  );
});
