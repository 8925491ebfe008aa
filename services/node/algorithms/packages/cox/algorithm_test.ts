import assert from "node:assert/strict";
import { assertEveryBadValueIsSaid } from "../../../../../tests/support/bad_arguments.ts";
import { createFederation, federate } from "../../../../../tests/support/federation.ts";
import * as cox from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof cox.central>>;

const central = (kwargs: Record<string, unknown>, files: string[]) =>
  federate(
    cox,
    "central",
    { time: "t", event: "e", predictors: ["x"], ...kwargs },
    files,
  ) as Promise<
    Result
  >;

/** Twelve rows at each of two sites. */
const FILES = [
  "t,e,x,g,h,name\n" + [5, 3, 8, 1, 9, 4, 7, 2, 6, 3, 5, 10]
    .map((t, i) => `${t},${i % 3 === 0 ? 0 : 1},${(i * 7) % 5},${i % 2 ? "a" : "b"},${i % 2},p${i}`)
    .join("\n"),
  "t,e,x,g,h,name\n" + [2, 6, 4, 4, 1, 12, 3, 9, 5, 5, 8, 7]
    .map((t, i) => `${t},${i % 4 === 0 ? 0 : 1},${(i * 3) % 7},${i % 3 ? "a" : "c"},${i % 2},q${i}`)
    .join("\n"),
].map((text) => text + "\n");

Deno.test("cox asks a site with a baseline of its own for nothing by time", async () => {
  const part = await federate(cox, "partial_step", {
    time: "t",
    event: "e",
    ties: "efron",
    variables: [{ name: "x" }],
    terms: [{ name: "x", variable: "x", centre: 0, scale: 1 }],
    coefficients: [0],
  }, FILES) as Record<string, unknown>;
  assert.deepEqual(Object.keys(part), ["n", "logLikelihood", "gradient", "information"]);
});

Deno.test("cox counts the rows it uses, and those that lack a value or meet no condition", async () => {
  const files = [FILES[0] + "1,1,NA,a,0,z\n", FILES[1] + "1,NA,2,a,0,z\n", "t,e,x,g,h,name\n"];
  const found = await central({ where: "t < 12" }, files);
  assert.equal(found.n, 23);
  assert.equal(found.events, 16);
  assert.deepEqual(found.left_out.missing, { x: 1, e: 1 });
  assert.deepEqual(found.left_out.where, { not_met: 1, unknown: 0 });
  assert.deepEqual(found.sites.map(({ n }) => n), [12, 11, 0]);
});

Deno.test("cox with a site's baseline is the same as with the site as strata", async () => {
  const pooled = [
    FILES[0]!.trimEnd().split("\n").map((row, i) => row + (i ? ",1" : ",site")),
    FILES[1]!.trimEnd().split("\n").slice(1).map((row) => row + ",2"),
  ].flat().join("\n") + "\n";
  const [bySite, strata] = [
    await central({ show_baseline: true }, FILES),
    await central({ strata: "site", show_baseline: true, baseline: "pooled" }, [pooled]),
  ];
  const close = (a: number, b: number) =>
    assert.ok(Math.abs(a - b) < 1e-9 * Math.abs(b), `${a} ${b}`);
  close(bySite.coefficients.x!.estimate, strata.coefficients.x!.estimate);
  close(bySite.coefficients.x!.standard_error, strata.coefficients.x!.standard_error);
  for (const [i, { curve }] of bySite.baselines!.entries()) {
    assert.equal(curve.length, strata.baselines![i]!.curve.length);
    close(curve.at(-1)!.cumulative_hazard, strata.baselines![i]!.curve.at(-1)!.cumulative_hazard);
  }
  assert.deepEqual(bySite.baselines!.map(({ organization }) => organization), [1, 2]);
  assert.deepEqual(strata.baselines!.map(({ stratum }) => stratum), ["1", "2"]);
});

Deno.test("cox leaves nothing by time where the owner refuses a pooled baseline", async () => {
  const federation = await createFederation(FILES, { pooled_baseline: false });
  const kwargs = { time: "t", event: "e", predictors: ["x"] };
  await federation.run(cox, "central", kwargs);
  await assert.rejects(
    federation.run(cox, "central", { ...kwargs, baseline: "pooled" }),
    /owner of this node lets no sums by event time leave.*take the baseline by site/,
  );
});

Deno.test("cox says of a level that is at one site only, and leaves rare levels out", async () => {
  const found = await central({ predictors: ["x", "g"] }, FILES);
  assert.deepEqual(Object.keys(found.coefficients), ["x", "g[b]", "g[c]"]);
  assert.match(found.notes.join("\n"), /The level "b" of "g" is found at organization 1 only/);
  const without = await central({ predictors: ["x", "g"], min_level_count: 5 }, FILES);
  assert.deepEqual(Object.keys(without.coefficients), ["x", "g[b]"]);
  assert.equal(without.left_out.levels.g, 4);
});

Deno.test("cox says that a coefficient has no finite value", async () => {
  const rows = (first: number) =>
    Array.from({ length: 10 }, (_, i) => `${first + i * 2},1,${i < 5 ? 1 : 0}`).join("\n");
  const files = [`t,e,x\n${rows(1)}\n`, `t,e,x\n${rows(2)}\n`];
  for (const baseline of ["site", "pooled"]) {
    await assert.rejects(central({ baseline }, files), /coefficient of "x" has no finite value/);
  }
  await assert.rejects(central({ iterations: 1 }, FILES), /not converged after 1 iterations/);
});

Deno.test("cox says what is wrong with its arguments and its columns", async () => {
  const federation = await createFederation(FILES);
  const refused = async (kwargs: Record<string, unknown>, why: RegExp, files?: string[]) => {
    const asked = { time: "t", event: "e", predictors: ["x"], ...kwargs };
    await assert.rejects(
      files ? central(kwargs, files) : federation.run(cox, "central", asked),
      why,
    );
  };
  await refused({ time: 3 }, /"time" must be the name of a column/);
  await refused({ predictors: [] }, /"predictors" must be a list of names of columns/);
  await refused({ predictors: ["y"] }, /"y"/);
  await refused({ time: "name" }, /"name" .* is not numeric/);
  await refused({ event: "name" }, /"name" .* is not numeric/);
  await refused({ event: "x" }, /"x" stands for two things/);
  await refused({ predictors: ["t"] }, /"t" stands for two things/);
  await refused({ strata: "x" }, /"x" stands for two things/);
  await refused({ ties: "exact" }, /"ties" must be one of efron, breslow/);
  await refused({ baseline: "none" }, /"baseline" must be one of site, pooled/);
  await refused({ categories: ["g"] }, /"categories" names "g", which is no predictor/);
  const small = (rows: string) => [`t,e,x,y\n${rows}\n`];
  await refused({}, /times in "t" must not be negative/, small("-1,1,2,1\n2,1,3,4\n3,0,1,2"));
  await refused({}, /"e" must hold 0 and 1/, small("1,2,2,1\n2,1,3,4\n3,0,1,2"));
  await refused({}, /No row .* has the event "e"/, small("1,0,2,1\n2,0,3,4\n3,0,1,2"));
  await refused({}, /"x" has the same value in all rows/, small("1,1,2,1\n2,1,2,4\n3,0,2,2"));
  await refused({}, /No organization has a value in the column "x"/, small("1,1,NA,1\n2,1,NA,4"));
  await refused({}, /No row is complete/, small("NA,1,1,1\nNA,1,2,4"));
  await refused({}, /1 complete rows are too few for 1 coefficients/, small("1,1,1,1"));
  await refused(
    { predictors: ["x", "y"] },
    /2 complete rows are too few for 2 coefficients/,
    small("1,1,1,1\n2,1,2,5"),
  );
  await refused(
    { predictors: ["x", "y"] },
    /"y" is the same in all rows at risk, or follows from "x"/,
    small("1,1,1,2\n2,1,3,6\n3,0,2,4\n3,1,1,2\n5,1,4,8"),
  );
  // Of a column that is constant at each site, a baseline by site says nothing.
  await refused({}, /"x" is the same in all rows at risk/, [
    ...small("1,1,1,1\n2,1,1,2\n3,0,1,2"),
    ...small("1,1,5,1\n2,1,5,2\n3,0,5,2"),
  ]);
});

Deno.test("cox says of each argument what it must be", async () => {
  await assertEveryBadValueIsSaid({
    algorithm: cox,
    kwargs: { time: "t", event: "e", predictors: ["x"], strata: "g" },
    files: FILES,
    text: "name",
  });
});
