import assert from "node:assert/strict";
import {
  assertEveryBadValueIsSaid,
  assertRefusals,
} from "../../../../../tests/support/bad_arguments.ts";
import { federate } from "../../../../../tests/support/federation.ts";
import * as algorithm from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof algorithm.central>>;

const FILES = [
  "x,g,t\n1,a,p\n2,a,q\n4,b,r\n,b,s\n3,,u\n",
  "x,g,t\n5,b,p\n3,a,q\n9,c,r\n8,c,s\n",
  "x,g,t\n",
];
const KWARGS = { column: "x", group: "g" };
const run = (kwargs: Record<string, unknown>, files = FILES) =>
  federate(algorithm, "central", kwargs, files) as Promise<Result>;

Deno.test("compare_means says what is wrong with each of its arguments", async () => {
  await assertEveryBadValueIsSaid({ algorithm, kwargs: KWARGS, files: FILES, text: "t" });
});

Deno.test("compare_means counts rows by site and what was left out, with a site empty and a level at one site only", async () => {
  const { n, sites, left_out, groups, anova } = await run(KWARGS);
  assert.equal(n, 7);
  assert.deepEqual(sites, [
    { organization: 1, n: 3, left_out: 2 },
    { organization: 2, n: 4, left_out: 0 },
    { organization: 3, n: 0, left_out: 0 },
  ]);
  assert.deepEqual([left_out.rows, left_out.missing], [2, { x: 1, g: 1 }]);
  assert.deepEqual(groups.c, { n: 2, mean: 8.5, sd: Math.SQRT1_2, standard_error: 0.5 });
  assert.deepEqual(anova!.degrees_of_freedom, [2, 4]);
});

Deno.test("compare_means tests the rows that where leaves", async () => {
  const { groups, left_out } = await run({ ...KWARGS, where: "g in ('a', 'b') and x < 5" });
  assert.deepEqual(Object.keys(groups), ["a", "b"]);
  assert.deepEqual(left_out.where, { not_met: 3, unknown: 2 });
});

Deno.test("compare_means says what cannot be compared", async () => {
  await assertRefusals(algorithm, [
    [{ column: "x" }, FILES, /^Give a column as "group", or a mean to compare with as "against"\./],
    [{ column: "x", group: "x" }, FILES, /"x" stands for two things/],
    [KWARGS, ["x,g,t\n"], /^There are no rows\.$/],
    [KWARGS, ["x,g,t\n,a,p\n,b,q\n"], /^No row has a value in each of the columns\.$/],
    [KWARGS, ["x,g,t\n1,a,p\n"], /"g" has the same value everywhere: "a"/],
    [KWARGS, ["x,g,t\n1,a,p\n", "x,g,t\n2,a,p\n"], /"g" has the same value everywhere: "a"/],
    [KWARGS, ["x,g,t\n1,2020-01-01,p\n2,2020-01-02,q\n"], /"g" holds dates, which are no levels/],
    [
      { column: "x", group: "t" },
      ["x,t\n" + Array.from({ length: 101 }, (_, i) => `${i},v${i}\n`).join("")],
      /"t" has more than 100 different values, too many for levels/,
    ],
  ]);
});

Deno.test("compare_means leaves out what one row or a constant cannot tell, and says so", async () => {
  const single = await run(KWARGS, ["x,g\n1,a\n2,a\n", "x,g\n5,b\n"]);
  assert.equal(single.groups.b!.sd, null);
  assert.equal(single.welch_t_test, null);
  assert.ok(single.t_test);
  assert.match(single.notes.join(), /Groups of a single row have no deviation: b/);
  const constant = await run(KWARGS, ["x,g\n2,a\n2,a\n", "x,g\n3,b\n3,b\n"]);
  assert.deepEqual([constant.anova, constant.t_test, constant.welch_t_test], [null, null, null]);
  assert.match(constant.notes.join(), /A group does not vary: Welch's tests are null/);
  const one = await run({ column: "x", against: 0 }, ["x\n1\n"]);
  assert.equal(one.one_sample, null);
});
