import assert from "node:assert/strict";
import { createFederation, federate } from "../../../../../tests/support/federation.ts";
import * as meta from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof meta.central>>;

const central = (kwargs: Record<string, unknown>, files: string[]) =>
  federate(meta, "central", { predictors: ["x"], ...kwargs }, files) as Promise<Result>;

/** Rows with a line, off which they are by turns. */
function site(slope: number, letters: string): string {
  const rows = Array.from({ length: 12 }, (_, i) => {
    const y = slope * i + (i * 5) % 3;
    return `${i},${y},${(i * 7) % 5 > 2 ? "yes" : "no"},${letters[i % letters.length]},${
      i % 4 ? 1 : 0
    }`;
  });
  return ["x,y,bad,g,e", ...rows, ""].join("\n");
}
const FILES = [site(2, "ab"), site(2.5, "ab"), site(4, "bc")];

Deno.test("meta_analysis combines what each organization estimates by itself", async () => {
  const found = await central({ outcome: "y" }, FILES);
  const x = found.terms.x!;
  assert.equal(found.n, 36);
  assert.deepEqual(x.studies.map(({ organization }) => organization), [1, 2, 3]);
  assert.ok(x.heterogeneity!.i_squared > 0.9);
  assert.ok(x.random.standard_error > x.fixed.standard_error);
  const again = await federate(meta, "combine", {
    studies: x.studies.map(({ estimate, standard_error }) => ({ estimate, standard_error })),
  }, FILES) as ReturnType<typeof meta.combine>;
  assert.deepEqual(again.fixed, x.fixed);
  assert.deepEqual(again.random, x.random);
});

Deno.test("meta_analysis lets only estimates and counts leave a site", async () => {
  const part = await federate(meta, "partial_fit", {
    model: "gaussian",
    link: "identity",
    outcome: "y",
    variables: [{ name: "y" }, { name: "x" }],
    terms: [{ name: "x", variable: "x", centre: 0, scale: 1 }],
  }, FILES) as Record<string, unknown>;
  assert.deepEqual(Object.keys(part).sort(), ["estimates", "leftOut", "n", "problem"]);
});

Deno.test("meta_analysis goes on without organizations that cannot fit the model, and says why", async () => {
  const files = [...FILES, "x,y,bad,g,e\n1,2,yes,a,1\n", "x,y,bad,g,e\n", site(0, "ab")];
  const found = await central({ outcome: "bad", model: "binomial" }, files);
  assert.deepEqual(found.excluded.map(({ organization, n }) => [organization, n]), [[4, 1], [
    5,
    0,
  ]]);
  assert.match(found.excluded[0]!.problem, /1 complete rows are too few/);
  assert.equal(found.sites.length, 4);
  assert.match(found.notes.join(), /the outcome "yes" against "no"/);
  await assert.rejects(
    central({ outcome: "y" }, ["x,y\n1,1\n", "x,y\n2,3\n"]),
    /No organization could fit the model; organization 1 says: 1 complete rows are too few/,
  );
});

Deno.test("meta_analysis estimates a level from the organizations that have it", async () => {
  const found = await central({ outcome: "y", predictors: ["g"], reference: { g: "b" } }, FILES);
  const studies = (name: string) => found.terms[name]!.studies.map((study) => study.organization);
  assert.deepEqual(studies("g[a]"), [1, 2]);
  assert.deepEqual(studies("g[c]"), [3]);
  assert.equal(found.terms["g[c]"]!.heterogeneity, null);
});

Deno.test("meta_analysis takes no intercept from where a predictor never changes", async () => {
  const constant = "x,y,z\n1,2,5\n2,3,5\n3,5,5\n4,4,5\n";
  const files = [
    constant,
    "x,y,z\n1,2,1\n2,3,0\n3,5,1\n4,4,1\n5,5,0\n",
    constant.replaceAll(",5\n", ",0\n"),
  ];
  const { terms } = await central({ outcome: "y", predictors: ["x", "z"] }, files);
  const studies = (name: string) => terms[name]!.studies.map((study) => study.organization);
  assert.deepEqual([studies("intercept"), studies("x"), studies("z")], [[2, 3], [1, 2, 3], [2]]);
});

Deno.test("meta_analysis says what is wrong with its arguments and its columns", async () => {
  const federation = await createFederation(FILES);
  const refused = async (kwargs: Record<string, unknown>, why: RegExp, files?: string[]) => {
    const asked = { predictors: ["x"], ...kwargs };
    await assert.rejects(
      files ? central(kwargs, files) : federation.run(meta, "central", asked),
      why,
    );
  };
  await refused({}, /gaussian model needs the argument "outcome"/);
  await refused({ outcome: "y", time: "x" }, /gaussian model has no argument "time"/);
  await refused({ model: "cox", time: "y" }, /cox model needs the argument "event"/);
  await refused({ model: "cox", time: "y", event: "e", outcome: "y" }, /has no argument "outcome"/);
  await refused({ outcome: "x" }, /"x" stands for two things/);
  await refused({ outcome: "y", link: "logit" }, /"link" of a gaussian model must be one of/);
  await refused({ outcome: "z" }, /"z"/);
  await refused({ outcome: "bad" }, /"bad" must hold numbers in this model/);
  await refused({ outcome: "g", model: "binomial" }, /"g" must have two levels, and has 3/);
  await refused({ outcome: "y", model: "binomial" }, /"y" must be .* in a binomial model/);
  await refused({ model: "cox", time: "bad", event: "e" }, /"bad" must hold numbers/);
  await refused({ outcome: "y", model: "trees" }, /"model" must be one of/);
  const cox = { model: "cox", time: "y", event: "e" };
  await refused(cox, /times in "y" must not be negative/, ["x,y,e\n1,-1,1\n2,1,0\n3,4,1\n"]);
  await refused(cox, /No row has the event "e"/, ["x,y,e\n1,1,0\n2,1,0\n3,4,0\n"]);
  await refused({ outcome: "y" }, /"y" has the same value/, ["x,y\n1,1\n2,1\n3,1\n"]);
  await refused({ outcome: "y" }, /No organization has a value in the column "x"/, ["x,y\nNA,1\n"]);
  const combine = (studies: unknown) => federate(meta, "combine", { studies }, FILES);
  await assert.rejects(combine([]), /"studies" must not be empty/);
  await assert.rejects(combine([{ estimate: 1 }]), /Study 1 of "studies" must have/);
  await assert.rejects(combine([null]), /Study 1 of "studies" must have/);
  await assert.rejects(combine([{ estimate: 1, standard_error: 0 }]), /Study 1/);
});
