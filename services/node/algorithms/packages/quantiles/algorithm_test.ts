import assert from "node:assert/strict";
import {
  assertEveryBadValueIsSaid,
  assertRefusals,
  type Refusal,
} from "../../../../../tests/support/bad_arguments.ts";
import { federate } from "../../../../../tests/support/federation.ts";
import * as algorithm from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof algorithm.central>>;

const FILES = ["x,t\n1,p\n2,q\n,r\n-0,s\n", "x,t\n-3,p\n1e300,q\n5e-324,r\n", "x,t\n"];
const KWARGS = { column: "x", probabilities: [0.5] };
const run = (kwargs: Record<string, unknown>, files = FILES) =>
  federate(algorithm, "central", kwargs, files) as Promise<Result>;

Deno.test("quantiles says what is wrong with each of its arguments", async () => {
  await assertEveryBadValueIsSaid({ algorithm, kwargs: KWARGS, files: FILES, text: "t" });
});

Deno.test("quantiles finds values to the last digit, whatever their size, with a site empty", async () => {
  const { quantiles, n, sites, left_out } = await run({
    ...KWARGS,
    probabilities: [0.2, 0.4, 0.5, 0.6, 0.8, 0.999999999999],
  });
  assert.deepEqual(quantiles.slice(0, 2).map(({ value }) => value), [0, 5e-324]);
  assert.deepEqual(quantiles.slice(2, 5).map(({ value }) => value), [0.5, 1, 2]);
  assert.ok(quantiles[5]!.value! < 1e300 && quantiles[5]!.value! > 9e299);
  assert.equal(n, 6);
  assert.deepEqual(sites.map((site) => [site.n, site.left_out]), [[3, 1], [3, 0], [0, 0]]);
  assert.deepEqual(left_out.missing, { x: 1 });
  const some = await run({ ...KWARGS, where: "x > 1" });
  assert.deepEqual([some.n, some.left_out.where], [2, { not_met: 4, unknown: 1 }]);
});

Deno.test("quantiles says what has none", async () => {
  await assertRefusals(algorithm, [
    ...[[], [0], [1], [-0.1], ["0.5"], [null], [0.5, 2]].map((probabilities) =>
      [
        { ...KWARGS, probabilities },
        FILES,
        /"probabilities" must be a list of numbers between 0 and 1/,
      ] as Refusal
    ),
    [KWARGS, ["x\n"], /^There are no rows\.$/],
    [KWARGS, ["x,t\n,p\n"], /^No organization has a value in the column "x"\.$/],
  ]);
});

Deno.test("quantiles of one row, and of a constant, are its value", async () => {
  assert.equal((await run(KWARGS, ["x\n4\n"])).quantiles[0]!.value, 4);
  assert.equal((await run(KWARGS, ["x\n7\n7\n", "x\n7\n"])).quantiles[0]!.value, 7);
});
