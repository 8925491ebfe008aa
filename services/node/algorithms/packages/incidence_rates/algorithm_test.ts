import assert from "node:assert/strict";
import { assertEveryBadValueIsSaid } from "../../../../../tests/support/bad_arguments.ts";
import { createFederation, federate } from "../../../../../tests/support/federation.ts";
import * as rates from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof rates.central>>;

const QUESTION = { events: "e", person_time: "t" };
const central = (kwargs: Record<string, unknown>, files: string[]) =>
  federate(rates, "central", { ...QUESTION, ...kwargs }, files) as Promise<Result>;

const FILES = [
  "e,t,g,a,name\n1,10,x,old,p\n0,5,x,young,q\n2,8,y,old,r\n",
  "e,t,g,a,name\n1,6,y,young,s\n1,4,x,young,t\nNA,3,y,old,u\n",
  "e,t,g,a,name\n",
];

Deno.test("incidence_rates adds up events and person-time, and counts what it leaves out", async () => {
  const found = await central({ group: "g", per: 100 }, FILES);
  assert.equal(found.total.events, 5);
  assert.equal(found.total.person_time, 33);
  assert.equal(found.groups.x!.rate!.estimate, 2 / 19 * 100);
  assert.equal(found.groups.x!.ratio, null);
  assert.equal(found.groups.y!.ratio!.estimate, 3 / 14 / (2 / 19));
  assert.equal(found.left_out.missing.e, 1);
  assert.equal(found.strata, null);
  const some = await central({ where: "a = 'old'" }, FILES);
  assert.equal(some.n, 2);
});

Deno.test("incidence_rates takes columns whose names are numbers for what they are asked as", async () => {
  const { total } = await central({ events: "7", person_time: "2" }, ["7,2\n1,10\n0,5\n"]);
  assert.deepEqual([total.events, total.person_time], [1, 15]);
});

Deno.test("incidence_rates without events have an upper limit, and ratios that are null", async () => {
  const files = ["e,t,g\nfalse,10,a\nfalse,20,b\ntrue,5,c\n"];
  const { groups } = await central({ group: "g" }, files);
  assert.equal(groups.a!.rate!.low, 0);
  assert.ok(Math.abs(groups.a!.rate!.high - Math.log(40) / 10) < 1e-12);
  assert.equal(groups.b!.ratio, null);
  assert.equal(groups.c!.ratio!.estimate, null);
  assert.equal(groups.c!.ratio!.high, null);
  assert.ok(groups.c!.ratio!.low > 0);
});

Deno.test("incidence_rates are not standardised to strata in which a group has no time", async () => {
  const files = ["e,t,g,a\n1,10,x,old\n", "e,t,g,a\n1,5,y,old\n1,5,y,young\n"];
  const { groups, notes } = await central({ group: "g", strata: "a" }, files);
  assert.equal(groups.x!.direct, null);
  assert.equal(groups.y!.direct!.estimate, 0.2);
  assert.match(notes.join(), /In the group "x" is no person-time in some stratum/);
  const given = await central({ group: "g", strata: "a", standard: { old: 1, young: 0 } }, files);
  assert.equal(given.groups.x!.direct!.estimate, 0.1);
});

Deno.test("incidence_rates says what is wrong with its arguments and its columns", async () => {
  const federation = await createFederation(FILES);
  const refused = async (kwargs: Record<string, unknown>, why: RegExp, files?: string[]) => {
    const asked = { ...QUESTION, ...kwargs };
    await assert.rejects(
      files ? central(kwargs, files) : federation.run(rates, "central", asked),
      why,
    );
  };
  await refused({ events: 1 }, /"events" must be the name of a column/);
  await refused({ events: "f" }, /"f"/);
  await refused({ person_time: "name" }, /"name" .* is not numeric/);
  await refused({ person_time: "e" }, /"e" stands for two things/);
  await refused({ standard: { old: 1 } }, /"standard" needs "strata"/);
  await refused({ strata: "a", standard: { old: 1 } }, /"standard" must have .* "young"/);
  await refused({ strata: "a", standard: { old: 1, young: -1 } }, /"standard" must have/);
  await refused({ strata: "a", standard: { old: 0, young: 0 } }, /"standard" are all 0/);
  await refused({ strata: "a", standard: { baby: 1 } }, /names "baby", which is no stratum/);
  await refused({ strata: "a", standard_rates: { old: "1" } }, /"standard_rates" must have/);
  await refused({ group: "g", reference: "z" }, /"reference" must be one of the groups: "x", "y"/);
  await refused({ per: 0 }, /"per" must be a number/);
  await refused({}, /person-time in "t" must not be negative/, ["e,t\n1,-1\n"]);
  await refused({}, /events in "e" must be whole numbers/, ["e,t\n1.5,1\n"]);
  await refused({}, /events in "e" must be whole numbers/, ["e,t\n-1,1\n"]);
  await refused({}, /There is no person-time/, ["e,t\n1,0\n"]);
  await refused({}, /No row has a value in each/, ["e,t\nNA,1\n"]);
  await refused({}, /There are no rows/, ["e,t\n"]);
});

Deno.test("incidence_rates says of each argument what it must be", async () => {
  await assertEveryBadValueIsSaid({
    algorithm: rates,
    kwargs: { ...QUESTION, group: "g", strata: "a", reference: "x" },
    files: FILES,
    text: "name",
  });
});
