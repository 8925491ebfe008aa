import assert from "node:assert/strict";
import {
  createTriangle,
  dependentColumn,
  inverse,
  solveTransposed,
  solveTriangle,
  stackTriangles,
  triangleOf,
} from "./triangle.ts";

const rows = Array.from(
  { length: 500 },
  (_, i) => [1, Math.sin(i), i % 7, Math.cos(3 * i) + i / 9],
);
const products = [0, 1, 2, 3].map((i) =>
  [0, 1, 2, 3].map((j) => rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0))
);
function of(part: number[][]) {
  const triangle = createTriangle(4);
  part.forEach((row) => triangle.add(row));
  return triangle.finish();
}
function assertClose(found: number[][], expected: number[][], bound = 1e-10) {
  for (const [i, row] of expected.entries()) {
    for (const [j, value] of row.entries()) {
      const error = Math.abs(found[i]![j]! - value);
      assert.ok(error <= bound * (1 + Math.abs(value)), `${found[i]![j]} instead of ${value}`);
    }
  }
}

Deno.test("createTriangle() gives the triangle of the sums of products", () => {
  assertClose(of(rows), triangleOf(products));
});

Deno.test("stackTriangles() gives the triangle of all rows, empty parts and single rows among them", () => {
  const parts = [rows.slice(0, 1), [], rows.slice(1, 130), rows.slice(130)].map(of);
  assertClose(stackTriangles(parts, 4), of(rows));
});

Deno.test("inverse() and the solutions of a triangle undo it", () => {
  const r = of(rows);
  const b = [1, -2, 3, 0.5];
  const back = solveTriangle(r, b);
  assertClose([r.map((row) => row.reduce((sum, value, j) => sum + value * back[j]!, 0))], [b]);
  const front = solveTransposed(r, b);
  assertClose([b.map((_, i) => r.reduce((sum, row, j) => sum + row[i]! * front[j]!, 0))], [b]);
  const unit = inverse(r).map((row) =>
    [0, 1, 2, 3].map((j) => row.reduce((sum, value, k) => sum + value * products[k]![j]!, 0))
  );
  assertClose(unit, [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => i === j ? 1 : 0)), 1e-9);
});

Deno.test("dependentColumn() finds the first column that follows from others", () => {
  assert.equal(dependentColumn(of(rows), 4, 1e-7), undefined);
  const twice = rows.map(([a, b, c]) => [a!, b!, c!, 2 * b! - c!]);
  assert.equal(dependentColumn(of(twice), 4, 1e-7), 3);
  assert.equal(dependentColumn(of(rows.map(([a, , c]) => [a!, 0, c!, 5])), 4, 1e-7), 1);
});
