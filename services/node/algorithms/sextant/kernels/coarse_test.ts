import assert from "node:assert/strict";
import fc from "fast-check";
import { countUpTo, evenest, intervalsOf, roundest, runsOf } from "./coarse.ts";

const persons = (from: number[], rows: number[]) => new Set(rows.map((row) => from[row]!)).size;

const asked = fc.record({
  values: fc.array(
    fc.oneof(
      fc.integer({ min: -9, max: 9 }),
      fc.integer({ min: -900, max: 900 }).map((x) => x / 10),
    ),
    { maxLength: 60 },
  ),
  least: fc.integer({ min: 1, max: 11 }),
  perPerson: fc.constantFrom(undefined, 1, 2, 5),
});

/** Of each row its person; rows of one person lie apart. */
function personsOf(rows: number, perPerson: number | undefined): Uint32Array | undefined {
  if (perPerson === undefined) return undefined;
  const size = Math.ceil(rows / perPerson);
  return Uint32Array.from({ length: rows }, (_, row) => row % size);
}

Deno.test("intervalsOf() parts all values, each interval of enough persons, and at none of them", () => {
  fc.assert(fc.property(asked, ({ values, least, perPerson }) => {
    const site = { persons: personsOf(values.length, perPerson) };
    const whose = site.persons ? [...site.persons] : values.map((_, row) => row);
    const cutting = { least, part: roundest, last: 1000 };
    const found = intervalsOf(Float64Array.from(values), site, cutting);
    const all = values.map((_, row) => row);
    if (!found) return assert.ok(persons(whose, all) < least);
    let [below, rows] = [-Infinity, 0];
    const seen = new Set<number>();
    for (const { upTo, end, rows: count, persons: told, exact } of found) {
      const within = all.filter((row) => values[row]! > below && values[row]! <= end);
      assert.equal(within.length, count);
      // Whoever has values in several counts in the first.
      const fresh = new Set(within.map((row) => whose[row]!).filter((one) => !seen.has(one)));
      assert.equal(told, fresh.size);
      assert.ok(told >= least);
      for (const one of fresh) seen.add(one);
      if (exact) assert.ok(within.every((row) => values[row] === upTo));
      [below, rows] = [end, rows + count];
    }
    assert.equal(rows, values.length);
  }));
});

Deno.test("countUpTo() counts the intervals that end at or below a limit, as all of them say", () => {
  const limits = [-1000, -50, -3, -0.1, 0, 0.05, 2, 7.5, 9, 90, 1000, 2000];
  fc.assert(fc.property(asked, ({ values, least, perPerson }) => {
    const site = { persons: personsOf(values.length, perPerson) };
    const cutting = { least, part: roundest, last: 1000 };
    const found = intervalsOf(Float64Array.from(values), site, cutting);
    const runs = runsOf(Float64Array.from(values), site.persons);
    for (const limit of found ? limits : []) {
      const below = found!.filter(({ upTo }) => upTo <= limit);
      assert.deepEqual(countUpTo(runs, cutting, limit), {
        rows: below.reduce((sum, { rows }) => sum + rows, 0),
        persons: below.reduce((sum, { persons }) => sum + persons, 0),
      });
    }
  }));
});

Deno.test("runsOf() counts rows and first persons by value, whole numbers and others alike", () => {
  const whose = Uint32Array.of(0, 1, 0, 2, 1);
  for (const scale of [1, 0.5]) {
    const runs = runsOf(Float64Array.of(3, 1, 1, 7, 7).map((one) => one * scale), whose);
    assert.deepEqual([...runs.values as Float64Array], [1, 3, 7].map((one) => one * scale));
    assert.deepEqual([...runs.rows], [0, 2, 3, 5]);
    assert.deepEqual([...runs.persons], [0, 2, 2, 3]);
  }
});

Deno.test("intervalsOf() parts places of bins at the numbers that most powers of two divide", () => {
  const places = Int32Array.from({ length: 64 }, (_, row) => row >> 1);
  const found = intervalsOf(places, { persons: undefined }, { least: 10, part: evenest, last: 31 });
  assert.deepEqual(found!.map(({ end }) => end), [8, 16, 24, 31]);
});
