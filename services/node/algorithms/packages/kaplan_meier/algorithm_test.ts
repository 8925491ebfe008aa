import assert from "node:assert/strict";
import { assertEveryBadValueIsSaid } from "../../../../../tests/support/bad_arguments.ts";
import { federate } from "../../../../../tests/support/federation.ts";
import * as kaplanMeier from "./algorithm.ts";

const central = (kwargs: Record<string, unknown>, files: string[]) =>
  federate(kaplanMeier, "central", { time: "t", event: "e", ...kwargs }, files) as Promise<
    Awaited<ReturnType<typeof kaplanMeier.central>>
  >;

Deno.test("kaplan_meier has one curve without a group, and counts what it leaves out", async () => {
  const found = await central({}, ["t,e\n1,1\n2,0\nNA,1\n", "t,e\n3,1\n3,NA\n", "t,e\n"]);
  assert.deepEqual(
    found.groups.all!.curve.map(({ time, at_risk, survival }) => [time, at_risk, survival]),
    [[1, 3, 1 - 1 / 3], [3, 1, 0]],
  );
  assert.equal(found.groups.all!.restricted_mean, null);
  assert.equal(found.log_rank, null);
  assert.equal(found.n, 3);
  assert.deepEqual(found.left_out.missing, { t: 1, e: 1 });
  assert.deepEqual(found.sites, [
    { organization: 1, n: 2, left_out: 1 },
    { organization: 2, n: 1, left_out: 1 },
    { organization: 3, n: 0, left_out: 0 },
  ]);
});

Deno.test("kaplan_meier medians are the first time at which half survive", async () => {
  // The product 9/10 · 7/9 · 5/7 is a little above 0.5 in floats.
  const times = [1, 2, 2, 3, 3, 4, 4, 4, 4, 4];
  const rows = times.map((time) => `${time},1`);
  const found = await central({}, [["t,e", ...rows, ""].join("\n")]);
  assert.equal(found.groups.all!.median.estimate, 3);
});

Deno.test("kaplan_meier takes truth values as events, and a group at one site only", async () => {
  const found = await central({ group: "g" }, [
    "t,e,g\n1,true,a\n4,false,a\n",
    "t,e,g\n2,true,b\n",
  ]);
  assert.deepEqual(Object.keys(found.groups), ["a", "b"]);
  assert.equal(found.log_rank!.degrees_of_freedom, 1);
});

Deno.test("kaplan_meier takes columns whose names are numbers for what they are asked as", async () => {
  const found = await central({ time: "2", event: "1" }, ["1,2\n1,4\n0,9\n"]);
  assert.deepEqual(found.groups.all!.curve.map(({ time, at_risk }) => [time, at_risk]), [[4, 2]]);
});

Deno.test("kaplan_meier without events says so, and has no median and no test", async () => {
  const found = await central({ group: "g" }, ["t,e,g\n1,0,a\n4,0,b\n"]);
  assert.deepEqual(found.groups.a!.curve, []);
  assert.equal(found.groups.a!.median.estimate, null);
  assert.equal(found.log_rank, null);
  assert.deepEqual(found.notes, ["No row has the event."]);
});

Deno.test("kaplan_meier uses the rows that meet a condition", async () => {
  const found = await central({ where: "t < 3" }, ["t,e\n1,1\n2,0\n3,1\n", "t,e\n4,1\nNA,1\n"]);
  assert.equal(found.n, 2);
  assert.deepEqual(found.left_out.where, { not_met: 2, unknown: 1 });
  await assert.rejects(central({ where: "t > 9" }, ["t,e\n1,1\n"]), /No row meets the condition/);
});

Deno.test("kaplan_meier restricts the mean where a curve is known only", async () => {
  const files = ["t,e\n1,1\n2,1\n4,0\n"];
  const found = await central({ horizon: 4 }, files);
  assert.ok(Math.abs(found.groups.all!.restricted_mean!.estimate - (1 + 2 / 3 + 2 / 3)) < 1e-12);
  await assert.rejects(central({ horizon: 5 }, files), /"horizon" must be at most 4/);
  const ended = await central({ horizon: 5 }, ["t,e\n1,1\n2,1\n"]);
  assert.equal(ended.groups.all!.restricted_mean!.estimate, 1.5);
});

Deno.test("kaplan_meier says what is wrong with its arguments and its columns", async () => {
  const files = ["t,e,name,day\n1,1,a,2020-01-01\n2,0,b,2020-01-02\n"];
  const refused = async (kwargs: Record<string, unknown>, why: RegExp, of = files) =>
    await assert.rejects(central(kwargs, of), why);
  await refused({ time: 3 }, /"time" must be the name of a column/);
  await refused({ time: "tt" }, /tt/);
  await refused({ time: "name" }, /"name" .* is not numeric/);
  await refused({ event: "name" }, /"name"/);
  await refused({ event: "t" }, /"t" stands for two things/);
  await refused({ group: "t" }, /"t" stands for two things/);
  await refused({ group: "day" }, /"day" holds dates/);
  await refused({ horizon: -1 }, /"horizon" must be a number of at least 0/);
  await refused({}, /times in "t" must not be negative/, ["t,e\n-1,1\n2,0\n"]);
  await refused({}, /"e" must hold 0 and 1/, ["t,e\n1,2\n2,1\n"]);
  await refused({}, /No row has a value in each/, ["t,e\nNA,1\n", "t,e\n2,NA\n"]);
});

Deno.test("kaplan_meier says of each argument what it must be", async () => {
  await assertEveryBadValueIsSaid({
    algorithm: kaplanMeier,
    kwargs: { time: "t", event: "e" },
    files: ["t,e,g\n1,1,a\n4,0,b\n", "t,e,g\n2,1,b\n"],
    text: "g",
  });
});
