import assert from "node:assert/strict";
import fc from "fast-check";
import { orderRows, sortRows } from "./risk_sets.ts";

const someTimes = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ noNaN: true, min: 0 })),
);

Deno.test("orderRows() orders the rows of each stratum by time, those of one time as they stand", () => {
  fc.assert(fc.property(someTimes, (list) => {
    const times = Float64Array.from(list);
    const places = times.map((_, i) => i % 3);
    const compared = list.map((_, i) => i).sort((a, b) => times[a]! - times[b]!);
    assert.deepEqual(orderRows(times, undefined, 1).map((one) => [...one]), [compared]);
    assert.deepEqual(
      orderRows(times, places, 3).map((one) => [...one]),
      [0, 1, 2].map((stratum) => compared.filter((row) => places[row] === stratum)),
    );
  }));
});

Deno.test("sortRows() gives the same rows, in the order of their strata and times", () => {
  const times = Float64Array.of(3, 1, 2, 1);
  const places = Float64Array.of(0, 1, 1, 0);
  const rows = sortRows({
    times,
    events: Float64Array.of(1, 0, 1, 1),
    columns: [Float64Array.of(10, 11, 12, 13)],
    strata: orderRows(times, places, 2),
  });
  assert.deepEqual([...rows.times], [1, 3, 1, 2]);
  assert.deepEqual([...rows.events], [1, 1, 0, 1]);
  assert.deepEqual([...rows.columns[0]!], [13, 10, 11, 12]);
  assert.deepEqual(rows.strata.map((one) => [...one]), [[0, 1], [2, 3]]);
});
