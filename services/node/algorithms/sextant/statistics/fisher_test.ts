import assert from "node:assert/strict";
import { fisherExact } from "./fisher.ts";

Deno.test("fisherExact() gives the p-values that scipy gives", () => {
  const known: [Parameters<typeof fisherExact>[0], number][] = [
    [[[8, 2], [1, 5]], 0.03496503496503495],
    [[[3, 1], [1, 3]], 0.4857142857142857],
    [[[0, 5], [0, 3]], 1],
    [[[800, 700], [600, 450]], 0.057546479349600596],
  ];
  for (const [table, expected] of known) {
    const found = fisherExact(table);
    assert.ok(Math.abs(found / expected - 1) < 1e-11, `${table}: ${found}, not ${expected}`);
  }
});
