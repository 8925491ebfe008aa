import assert from "node:assert/strict";
import { type Method, readResult } from "./read_result.ts";

const method = (outputs: Method["outputs"]): Method => ({ help: "h", arguments: {}, outputs });

Deno.test("readResult() guesses nothing where no method is known", () => {
  const coefficients = { x: { estimate: 1, low: 0, high: 2 } };
  const { pieces } = readResult({ coefficients });
  assert.deepEqual(pieces, [
    { is: "tree", name: undefined, title: { own: "result" }, path: [] },
  ]);
});

Deno.test("readResult() shows what is not of its kind as it is", () => {
  const kinds = ["count", "table", "moments", "model", "curve", "quantiles", "estimate", "other"];
  const strange = [[1, [2, { a: [] }]], { a: { b: { c: { d: [1] } } } }, [[[]]], { "": [[{}]] }];
  for (const kind of kinds) {
    for (const part of strange) {
      const output = { name: "part", kind, help: "h" } as Method["outputs"][number];
      const { pieces } = readResult({ part }, { method: method([output]) });
      assert.equal(pieces.length, 1, `${kind} ${JSON.stringify(part)}`);
      assert.equal(pieces[0]!.is, "tree", `${kind} ${JSON.stringify(part)}`);
    }
  }
});

Deno.test("readResult() of a logistic model draws ratios, without the intercept", () => {
  const one = (estimate: number) => ({
    estimate,
    low: estimate - 1,
    high: estimate + 1,
    ratio: {
      estimate: Math.exp(estimate),
      low: Math.exp(estimate - 1),
      high: Math.exp(estimate + 1),
    },
  });
  const { pieces: [piece] } = readResult({ coefficients: { intercept: one(-50), age: one(0.1) } }, {
    method: method([{ name: "coefficients", kind: "model", help: "h" }]),
  });
  assert.ok(piece?.is === "table" && piece.picture?.is === "forest");
  assert.equal(piece.picture.scale, "ratio");
  assert.deepEqual(piece.picture.leftOut, ["intercept"]);
  assert.deepEqual(piece.picture.estimates.map(({ name, value }) => [name, value]), [
    ["age", Math.exp(0.1)],
  ]);
  assert.equal(piece.table.rows.length, 2);
});

Deno.test("readResult() keeps null where a cell of a table is withheld, and sums nothing with it", () => {
  const outputs: Method["outputs"] = [
    { name: "rows", kind: "levels", help: "h" },
    { name: "columns", kind: "levels", help: "h" },
    { name: "counts", kind: "table", help: "h" },
  ];
  const value = { rows: ["a", "b"], columns: ["p", "q"], counts: [[1, null], [3, 4]] };
  const { pieces: [piece] } = readResult(value, { method: method(outputs) });
  assert.ok(piece?.is === "table");
  assert.deepEqual(piece.table.rows, [
    ["a", 1, null, null],
    ["b", 3, 4, 7],
    ["total", 4, null, null],
  ]);
});

Deno.test("readResult() tells what was withheld, also as algorithms pass it on", () => {
  const said = { output: "n", rule: "min_cell", values: 1 };
  assert.deepEqual(readResult({ withheld: [said] }).withheld, [{ organization: null, ...said }]);
  assert.deepEqual(
    readResult({ withheld: [{ organization: 3, withheld: [said] }] }).withheld,
    [{ organization: 3, ...said }],
  );
  const strange = readResult({ withheld: [{ output: 1 }] });
  assert.deepEqual(strange.withheld, []);
  assert.equal(strange.pieces[0]!.is, "tree");
});

Deno.test("readResult() draws components by their share of the variance, and the loadings of the first three", () => {
  const component = (share: number) => ({
    variance: 2 * share,
    share,
    loadings: { age: share, bmi: -share },
  });
  const components = [0.6, 0.2, 0.15, 0.05].map(component);
  const output = { name: "components", kind: "model", help: "h" } as Method["outputs"][number];
  const { pieces } = readResult({ components }, { method: method([output]) });
  const [variance, loadings] = pieces.flatMap((piece) => piece.is === "table" ? [piece] : []);
  assert.deepEqual(variance!.table.rows[0], ["PC1", 1.2, 0.6]);
  assert.ok(variance!.picture?.is === "bars" && variance!.picture.areShares);
  assert.deepEqual(loadings!.table.columns, ["column", "PC1", "PC2", "PC3", "PC4"]);
  assert.ok(loadings!.picture?.is === "profile" && loadings!.picture.series.length === 3);
});

Deno.test("readResult() draws the centres of clusters as profiles, and a centre that is withheld as a gap", () => {
  const output = { name: "centres", kind: "moments", help: "h" } as Method["outputs"][number];
  const centres = [{ age: 30, bmi: 20 }, { age: 60, bmi: null }];
  const { pieces: [piece] } = readResult({ centres }, { method: method([output]) });
  assert.ok(piece?.is === "table" && piece.picture?.is === "profile");
  assert.deepEqual(piece.picture.series.map(({ values }) => values), [[30, 20], [60, null]]);
  assert.deepEqual(piece.table.rows, [["cluster 1", 30, 20], ["cluster 2", 60, null]]);
  // Of means that are not said to be centres nothing is guessed.
  const means = readResult({ means: centres }, { method: method([{ ...output, name: "means" }]) });
  const [plain] = means.pieces;
  assert.ok(plain?.is === "table" && plain.picture === undefined);
});
