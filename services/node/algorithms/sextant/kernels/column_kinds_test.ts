import assert from "node:assert/strict";
import { kindOf, lineOf, rowsOfTable } from "./column_kinds.ts";

const column = (n: number, of: (row: number) => number) =>
  Float64Array.from({ length: n }, (_, i) => of(i));
const noise = (row: number) => Math.sin(row * 7919) * 1000;

Deno.test("kindOf() gives the place of each value of few, and of more where a site has more rows", () => {
  const kind = kindOf(column(60, (row) => 5 * (row % 4)), 3);
  assert.deepEqual([kind?.size, kind?.isFew], [4, true]);
  assert.deepEqual([...kind!.places.subarray(0, 5)], [0, 1, 2, 3, 0]);
  assert.equal(kindOf(column(60, (row) => row % 10), 3)?.size, 10);
  assert.equal(kindOf(column(60, (row) => row % 11), 3), undefined);
  // Of 60 rows a value of four may be of 15, where 11 are asked for: nearly all columns' are.
  assert.equal(kindOf(column(60, (row) => row % 4), 11), undefined);
  assert.equal(kindOf(column(60, (row) => row % 3), 11)?.size, 3);
  assert.equal(kindOf(column(60, noise), 3), undefined);
});

Deno.test("kindOf() parts what more than half have from all others", () => {
  const kind = kindOf(column(1000, (row) => row % 5 < 3 ? 0 : noise(row)), 3);
  assert.deepEqual([kind?.size, kind?.isFew], [2, false]);
  assert.equal(kind!.places.reduce((sum, one) => sum + one, 0), 400);
  assert.equal(kind!.off?.count, 400);
  assert.equal(kindOf(column(1000, (row) => row % 5 < 2 ? 0 : noise(row)), 3), undefined);
});

Deno.test("rowsOfTable() counts the four groups of two columns", () => {
  const [one, other] = [(row: number) => row % 3 === 0 ? 1 : 0, (row: number) => row % 2];
  for (const n of [31, 32, 33, 1000]) {
    const [a, b] = [one, other].map((of) => kindOf(column(n, of), 3)!.off);
    // The first row's values are those that rows are not off from.
    const expected = [0, 0, 0, 0];
    for (let row = 0; row < n; row++) expected[2 * (1 - one(row)) + other(row)]!++;
    assert.deepEqual(rowsOfTable(n, a!, b!), expected);
  }
});

Deno.test("lineOf() finds in which rows two columns differ, in any units, and none of others", () => {
  const one = column(500, noise);
  const differ = (rows: number) =>
    column(500, (row) => 8 - 3.7 * noise(row) + (row % 50 < rows ? 1 : 0));
  assert.equal(lineOf([one, differ(0)], [], 3)?.off, 0);
  assert.equal(lineOf([one, differ(1)], [], 3)?.off, 10);
  assert.equal(lineOf([one, column(500, (row) => noise(row + 0.5))], [], 3), undefined);
});
