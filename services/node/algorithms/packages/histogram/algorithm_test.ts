import assert from "node:assert/strict";
import {
  assertEveryBadValueIsSaid,
  assertRefusals,
} from "../../../../../tests/support/bad_arguments.ts";
import { federate } from "../../../../../tests/support/federation.ts";
import * as algorithm from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof algorithm.central>>;

const FILES = ["x,t\n1,p\n2,q\n,r\n12,s\n", "x,t\n-3,p\n10,q\n9.99,r\n", "x,t\n"];
const KWARGS = { column: "x", from: 0, to: 10, bins: 5 };
const run = (kwargs: Record<string, unknown>, files = FILES) =>
  federate(algorithm, "central", kwargs, files) as Promise<Result>;

Deno.test("histogram says what is wrong with each of its arguments", async () => {
  await assertEveryBadValueIsSaid({ algorithm, kwargs: KWARGS, files: FILES, text: "t" });
});

Deno.test("histogram counts every value once, and what is beside the bins, with a site empty", async () => {
  const { bins, below, above, n, sites, left_out } = await run(KWARGS);
  assert.deepEqual(bins.map(({ count }) => count), [1, 1, 0, 0, 2]);
  assert.deepEqual([below, above, n], [1, 1, 6]);
  assert.deepEqual(sites.map((site) => [site.n, site.left_out]), [[3, 1], [3, 0], [0, 0]]);
  assert.deepEqual(left_out.missing, { x: 1 });
  const some = await run({ ...KWARGS, where: "t in ('p', 'q')" });
  assert.deepEqual([some.n, some.left_out.where], [4, { not_met: 3, unknown: 0 }]);
});

Deno.test("histogram says what cannot be counted", async () => {
  await assertRefusals(algorithm, [
    [{ ...KWARGS, from: 10 }, FILES, /"from" must be less than "to"/],
    [{ ...KWARGS, from: 1e16, to: 1e16 + 2 }, FILES, /too narrow for 5 bins/],
    [{ ...KWARGS, from: -1.7e308, to: 1.7e308 }, FILES, /too wide/],
    [KWARGS, ["x\n"], /^There are no rows\.$/],
    [KWARGS, ["x,t\n,p\n"], /^No organization has a value in the column "x"\.$/],
  ]);
});

Deno.test("histogram takes a column of one value", async () => {
  const { bins, n } = await run(KWARGS, ["x\n4\n"]);
  assert.deepEqual([n, bins[2]!.count], [1, 1]);
});
