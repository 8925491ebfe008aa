import assert from "node:assert/strict";
import {
  assertEveryBadValueIsSaid,
  assertRefusals,
} from "../../../../../tests/support/bad_arguments.ts";
import { federate } from "../../../../../tests/support/federation.ts";
import * as algorithm from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof algorithm.central>>;

const FILES = [
  "a,b,s,d\n1,yes,u,2020-01-01\n1,no,u,2020-01-02\n0,yes,v,\n0,no,v,\n,yes,v,\n",
  "a,b,s,d\n1,yes,v,\n0,no,,\n0,no,u,\n1,yes,u,\n",
  "a,b,s,d\n",
];
const KWARGS = { row: "a", column: "b" };
const run = (kwargs: Record<string, unknown>, files = FILES) =>
  federate(algorithm, "central", kwargs, files) as Promise<Result>;

Deno.test("crosstab says what is wrong with each of its arguments", async () => {
  const kwargs = { ...KWARGS, stratum: "s" };
  await assertEveryBadValueIsSaid({ algorithm, kwargs, files: FILES, text: "b" });
});

Deno.test("crosstab counts rows by site and what was left out, with a site empty", async () => {
  const { rows, columns, counts, n, sites, left_out } = await run({ ...KWARGS, stratum: "s" });
  assert.deepEqual([rows, columns], [["0", "1"], ["no", "yes"]]);
  assert.deepEqual(counts, [[2, 1], [1, 3]]);
  assert.equal(n, 7);
  assert.deepEqual(sites.map((site) => [site.n, site.left_out]), [[4, 1], [3, 1], [0, 0]]);
  assert.deepEqual(left_out.missing, { a: 1, s: 1 });
  const some = await run({ ...KWARGS, where: "s = 'u'" });
  assert.deepEqual([some.n, some.left_out.where], [4, { not_met: 4, unknown: 1 }]);
});

Deno.test("crosstab puts a level that one site has alone in the table of all", async () => {
  const { rows, counts } = await run(KWARGS, ["a,b\n1,x\n2,y\n", "a,b\n1,y\n10,x\n"]);
  assert.deepEqual(rows, ["1", "2", "10"]);
  assert.deepEqual(counts, [[1, 1], [0, 1], [1, 0]]);
});

Deno.test("crosstab says what is no table", async () => {
  const many = "a,b\n" + Array.from({ length: 101 }, (_, i) => `v${i},x\n`).join("");
  await assertRefusals(algorithm, [
    [{ row: "a", column: "a" }, FILES, /"a" stands for two things in this table/],
    [{ row: "a", column: "d" }, FILES, /"d" holds dates, which are no levels/],
    [KWARGS, ["a,b\n"], /^There are no rows\.$/],
    [KWARGS, ["a,b\n1,\n,x\n"], /^No row has a value in each of the columns\.$/],
    [KWARGS, [many], /"a" has more than 100 different values, too many for levels/],
  ]);
});

Deno.test("crosstab has no test of one row or column, and no ratio that divides by 0", async () => {
  const one = await run(KWARGS, ["a,b\n1,x\n"]);
  assert.deepEqual([one.counts, one.chi_squared, one.fisher], [[[1]], null, null]);
  const zero = await run({ ...KWARGS, stratum: "s" }, ["a,b,s\n1,x,u\n1,x,u\n2,y,u\n2,x,v\n"]);
  assert.deepEqual([zero.odds_ratio, zero.mantel_haenszel!.odds_ratio], [null, null]);
  assert.match(zero.notes.join(), /A cell is 0: ratios that divide by it are null/);
});
