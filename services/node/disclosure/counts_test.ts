import assert from "node:assert/strict";
import { leave, out, rulesOf } from "../../../tests/support/leaving.ts";
import { type Profile } from "./rules.ts";

Deno.test("checkResult() lets a count leave at the profile's number and at 0, and none between", () => {
  for (
    const [profile, least] of Object.entries({ datashield: 3, opensafely: 8, acro: 10, strict: 11 })
  ) {
    const rules = rulesOf(profile as Profile);
    const leaves = (n: number) => leave({ n }, [out("n", "count")], { rules });
    const rounded = (n: number) => Math.round(n / rules.roundTo) * rules.roundTo;
    assert.deepEqual(leaves(least), { left: { n: rounded(least) }, rules: [] }, profile);
    assert.deepEqual(leaves(0), { left: { n: 0 }, rules: [] }, profile);
    for (const n of [1, least - 1]) {
      assert.deepEqual(leaves(n), { left: { n: null }, rules: [["n", "min_cell", 1]] }, profile);
    }
  }
});

Deno.test("checkResult() rounds counts, and nothing else", () => {
  const rules = rulesOf("opensafely");
  const outputs = [
    out("n", "count"),
    out("bins", "count"),
    out("cells", "table"),
    out("mean", "moments", { restsOn: "n" }),
  ];
  const result = {
    n: 103,
    bins: [13, 12, 78],
    cells: [{ sex: "f", count: 51 }, { sex: "m", count: 52 }],
    mean: 43.21,
  };
  assert.deepEqual(leave(result, outputs, { rules }), {
    left: {
      n: 105,
      bins: [15, 10, 80],
      cells: [{ sex: "f", count: 50 }, { sex: "m", count: 50 }],
      mean: 43.21,
    },
    rules: [],
  });
});

Deno.test("checkResult() withholds a second cell where a margin would give one back", () => {
  const cell = (row: string, column: string, count: number) => ({ row, column, count });
  const cells = [
    cell("a", "x", 2),
    cell("a", "y", 20),
    cell("b", "x", 30),
    cell("b", "y", 40),
    cell("a", "z", 25),
    cell("b", "z", 0),
  ];
  const { left, rules } = leave({ cells }, [out("cells", "table")]);
  const shown = (left.cells as typeof cells).map(({ count }) => count);
  // By rows and by columns, two are missing or none.
  assert.deepEqual(shown, [null, null, null, null, 25, 0]);
  assert.deepEqual(rules, [["cells.count", "min_cell", 4]]);
  const matrix = leave({ m: [[2, 20, 25], [30, 40, 0]] }, [out("m", "table")]).left;
  assert.deepEqual(matrix.m, [[null, null, 25], [null, null, 0]]);
});

Deno.test("checkResult() does not let withheld counts follow from how many they are", () => {
  // 1 and 1 would be known from their sum, 1 and 2 are not known apart.
  const bins = (counts: number[]) => leave({ counts }, [out("counts", "count")]).left.counts;
  assert.deepEqual(bins([1, 1, 5, 9]), [null, null, null, 9]);
  assert.deepEqual(bins([1, 2, 5, 9]), [null, null, 5, 9]);
  assert.deepEqual(bins([1, 1, 1, 5, 9]), [null, null, null, null, 9]);
  assert.deepEqual(bins([2, 0, 5, 9]), [null, 0, null, 9]);
  assert.deepEqual(bins([2]), [null]);
});

Deno.test("checkResult() withholds a sum that would give back what is missing of it", () => {
  const outputs = [
    out("rows", "count"),
    out("n", "count", { partOf: "rows" }),
    out("left_out", "count", { partOf: "rows" }),
    out("mean", "moments", { restsOn: "n" }),
  ];
  assert.deepEqual(leave({ rows: 51, n: 50, left_out: 1, mean: 3 }, outputs), {
    left: { rows: null, n: 50, left_out: null, mean: 3 },
    rules: [["rows", "min_cell", 1], ["left_out", "min_cell", 1]],
  });
  assert.deepEqual(leave({ rows: 50, n: 50, left_out: 0, mean: 3 }, outputs).rules, []);
});
