import assert from "node:assert/strict";
import fc from "fast-check";
import { runsOfPlaces } from "./coarse.ts";
import { tellableEdges } from "./edges.ts";

const asked = fc.record({
  values: fc.array(fc.integer({ min: -90, max: 90 }).map((x) => x / 10), { maxLength: 60 }),
  edges: fc.uniqueArray(fc.integer({ min: -9, max: 9 }), { minLength: 2, maxLength: 12 })
    .map((edges) => edges.toSorted((a, b) => a - b)),
  least: fc.integer({ min: 1, max: 6 }),
  perPerson: fc.constantFrom(undefined, 1, 2, 5),
});

Deno.test("bins are counted by rows and first persons, and edges judged, in bytes as in numbers", () => {
  fc.assert(fc.property(asked, ({ values: given, edges, least, perPerson }) => {
    const values = Float64Array.from(given);
    const persons = perPerson === undefined ? undefined : Uint32Array.from(
      values,
      (_, row) => row * 7 % Math.ceil(values.length / perPerson),
    );
    const places = Int32Array.from(values, (value) => edges.filter((edge) => edge <= value).length);
    const bins = [...new Set(places)].sort((a, b) => a - b);
    const rowsUpTo = (bin: number) => [...places.keys()].filter((row) => places[row]! <= bin);
    const personsOf = (rows: number[]) => new Set(rows.map((row) => persons?.[row] ?? row)).size;
    const expected = {
      values: bins,
      rows: [0, ...bins.map((bin) => rowsUpTo(bin).length)],
      persons: [0, ...bins.map((bin) => personsOf(rowsUpTo(bin)))],
    };
    const judged = tellableEdges(edges, { least, persons }, { values, places });
    for (const own of [places, Uint8Array.from(places)]) {
      const runs = runsOfPlaces(own, edges.length + 1, persons);
      assert.deepEqual({
        values: [...runs.values as Float64Array],
        rows: [...runs.rows],
        persons: [...runs.persons],
      }, expected);
      const binned = { values, places: own };
      assert.deepEqual(tellableEdges(edges, { least, persons }, binned), judged);
    }
  }));
});

Deno.test("tellableEdges() finds the few close to an edge, and the outermost, behind many other rows", () => {
  const many = Array.from({ length: 5000 }, (_, row) => row % 1000 / 10);
  // 300 is as exact as a hundred; 50 and 250 are as exact as fifty, 270 and 290 as ten.
  const edges = [-5, 50, 250, 270, 290, 300];
  const judge = (others: number[]) => {
    const values = Float64Array.from([...many, ...others]);
    const places = Int32Array.from(values, (one) => edges.filter((edge) => edge <= one).length);
    return tellableEdges(edges, { least: 3, persons: undefined }, { values, places });
  };
  const few = [240, 241, 242, 251, 252, 261, 275, 276, 277, 278, 279];
  // Below 270 there is one as close as that; the last two lie beyond all.
  assert.deepEqual(judge(few), [true, true, true, false, true, true]);
  // Two above the edge at 250.
  const two = few.filter((one) => one !== 261 && one < 270);
  assert.deepEqual(judge(two), [true, true, false, true, true, true]);
  // The three outermost lie 26 apart, so that what is beyond begins as far away from them.
  assert.deepEqual(judge([...two, 275, 278]), [true, true, false, false, false, false]);
});
