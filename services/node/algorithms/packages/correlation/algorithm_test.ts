import assert from "node:assert/strict";
import {
  assertEveryBadValueIsSaid,
  assertRefusals,
} from "../../../../../tests/support/bad_arguments.ts";
import { federate } from "../../../../../tests/support/federation.ts";
import * as algorithm from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof algorithm.central>>;

const FILES = ["x,y,k,t\n1,2,7,p\n2,1,7,q\n,4,7,r\n", "x,y,k,t\n4,6,7,p\n3,5,7,q\n", "x,y,k,t\n"];
const KWARGS = { columns: ["x", "y"] };
const run = (kwargs: Record<string, unknown>, files = FILES) =>
  federate(algorithm, "central", kwargs, files) as Promise<Result>;

Deno.test("correlation says what is wrong with each of its arguments", async () => {
  await assertEveryBadValueIsSaid({ algorithm, kwargs: KWARGS, files: FILES, text: "t" });
});

Deno.test("correlation counts rows by site and what was left out, with a site empty", async () => {
  const { n, sites, left_out, correlations } = await run(KWARGS);
  assert.equal(n, 4);
  assert.deepEqual(sites.map((site) => [site.n, site.left_out]), [[2, 1], [2, 0], [0, 0]]);
  assert.deepEqual(left_out.missing, { x: 1 });
  assert.equal(correlations[0]!.x, "x");
  assert.equal((await run({ ...KWARGS, where: "x < 4" })).left_out.where.unknown, 1);
});

Deno.test("correlation says what cannot be correlated", async () => {
  await assertRefusals(algorithm, [
    [{ columns: ["x"] }, FILES, /"columns" must name two or more/],
    [{ columns: ["x", "k"] }, FILES, /"k" has the same value in all these rows/],
    [KWARGS, ["x,y\n"], /^There are no rows\.$/],
    [KWARGS, ["x,y\n1,\n2,\n"], /^No row has a value in each of the columns\.$/],
    [KWARGS, ["x,y\n1,2\n"], /^1 complete rows are too few for a correlation\.$/],
  ]);
});

Deno.test("correlation has no test of two rows, and no interval of three", async () => {
  const two = await run(KWARGS, ["x,y\n1,2\n", "x,y\n3,5\n"]);
  assert.deepEqual(two.correlations[0], { x: "x", y: "y", r: 1, p: null, low: null, high: null });
  const three = await run(KWARGS, ["x,y\n1,2\n", "x,y\n3,5\n2,1\n"]);
  assert.deepEqual([three.correlations[0]!.low, three.correlations[0]!.high], [null, null]);
  assert.ok(three.correlations[0]!.p! > 0.3);
});
