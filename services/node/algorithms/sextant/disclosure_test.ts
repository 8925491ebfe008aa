import assert from "node:assert/strict";
import fc from "fast-check";
import { PROFILES } from "../../disclosure/rules.ts";
import { PartWithheld, requireLevels, type SiteRules } from "./disclosure.ts";

function siteOf(minLevel: number, persons?: number[]): SiteRules {
  return {
    rules: { profile: "datashield", persons: null, ...PROFILES.datashield, minLevel },
    persons: persons && Uint32Array.from(persons),
    withhold() {},
  } as unknown as SiteRules;
}

function refuses(site: SiteRules, values: number[]): boolean {
  try {
    requireLevels(site, [Float64Array.from(values)]);
    return false;
  } catch (error) {
    assert.ok(error instanceof PartWithheld);
    return true;
  }
}

/** As the rule is worded, by looking at every value. */
function showsFew(values: number[], persons: number[], least: number): boolean {
  const personsOf = (rows: number[]) => new Set(rows.map((row) => persons[row]!)).size;
  const isFew = (count: number) => count > 0 && count < least;
  return [...new Set(values)].some((level) => {
    const rows = values.flatMap((value, row) => value === level ? [row] : []);
    const others = values.flatMap((value, row) => value === level ? [] : [row]);
    return 2 * rows.length > values.length && (isFew(personsOf(others)) || isFew(personsOf(rows)));
  });
}

Deno.test("requireLevels() refuses a column in which all but few have one value, at the number", () => {
  for (const least of [3, 8, 11]) {
    const rest = new Array<number>(1000).fill(5);
    for (const few of [1, least - 1]) {
      const others = Array.from({ length: few }, (_, i) => i + 10);
      assert.ok(refuses(siteOf(least), [...rest, ...others]), `${few} of ${least}, last`);
      assert.ok(refuses(siteOf(least), [...others, ...rest]), `${few} of ${least}, first`);
    }
    const enough = Array.from({ length: least }, (_, i) => i + 10);
    assert.ok(!refuses(siteOf(least), [...rest, ...enough]));
    assert.ok(!refuses(siteOf(least), [...enough, ...rest]));
    assert.ok(!refuses(siteOf(least), rest), "all the same tells of nobody");
  }
});

Deno.test("requireLevels() says what looking at every value says", () => {
  // Of fewer rows all may be refused.
  const column = fc.array(fc.nat(2), { minLength: 12, maxLength: 40 });
  fc.assert(
    fc.property(column, fc.integer({ min: 2, max: 6 }), (values, least) => {
      const each = values.map((_, row) => row);
      // Of two halves neither is what most have; the rule on few rows is another one's.
      assert.equal(refuses(siteOf(least), values), showsFew(values, each, least) || false);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("requireLevels() counts persons where rows name them", () => {
  const values = [...new Array<number>(50).fill(1), 0, 0, 0, 0];
  const persons = values.map((_, row) => row);
  assert.ok(!refuses(siteOf(3, persons), values));
  const one = persons.map((person, row) => values[row] === 0 ? 50 : person);
  assert.ok(refuses(siteOf(3, one), values));
});

Deno.test("requireLevels() refuses what shows few of persons with several rows, and little else", () => {
  const column = fc.array(fc.tuple(fc.nat(2), fc.nat(9)), { minLength: 12, maxLength: 60 });
  fc.assert(
    fc.property(column, fc.integer({ min: 2, max: 5 }), fc.boolean(), (rows, least, many) => {
      const values = rows.map(([value], row) => many ? value + 10 * (row % 3) : value);
      const persons = rows.map(([, person]) => person);
      const isRefused = refuses(siteOf(least, persons), values);
      if (showsFew(values, persons, least)) return assert.ok(isRefused);
      // Where no value is that of most rows, one is taken for it.
      const without = (value: number) =>
        new Set(persons.filter((_, row) => values[row] !== value)).size;
      assert.ok(!isRefused || values.some((value) => without(value) < least));
    }),
    { numRuns: 2000 },
  );
});
