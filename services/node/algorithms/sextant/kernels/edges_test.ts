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
