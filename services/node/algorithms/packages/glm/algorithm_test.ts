import assert from "node:assert/strict";
import {
  assertEveryBadValueIsSaid,
  assertRefusals,
} from "../../../../../tests/support/bad_arguments.ts";
import { federate } from "../../../../../tests/support/federation.ts";
import * as algorithm from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof algorithm.central>>;

const HEAD = "y,x,z,g,h,w,o,b,c,k,e,d,t\n";
/**
 * Columns: numbers y x z, levels g h, weights w, offset o, truth b, counts c, and what is no use.
 */
function rowsOf(numbers: number[], level: (i: number) => string): string {
  return numbers.map((i) =>
    [
      (i * 7) % 11 + i / 3,
      (i * 5) % 13,
      (i * i) % 17,
      level(i),
      i % 2 ? "u" : "v",
      1 + i % 3,
      i / 10,
      (i * 5) % 7 < 3,
      (i * 3) % 5,
      4,
      "",
      `2020-01-${10 + i % 10}`,
      `name ${i}`,
    ].join(",") + "\n"
  ).join("");
}
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const FILES = [
  HEAD + rowsOf(range(0, 14), (i) => "ab"[i % 2]!),
  HEAD + rowsOf(range(14, 30), (i) => "abc"[i % 3]!) + "1,,1,a,u,1,0,true,1,4,,,x\n",
  HEAD,
];
const KWARGS = { outcome: "y", predictors: ["x", "g"] };
const run = (kwargs: Record<string, unknown>, files = FILES) =>
  federate(algorithm, "central", kwargs, files) as Promise<Result>;

Deno.test("glm says what is wrong with each of its arguments", async () => {
  const kwargs = { ...KWARGS, offset: "o", weights: "w" };
  // A column of text is a category among predictors, so it is the offset that it is no use for.
  await assertEveryBadValueIsSaid({ algorithm, kwargs, files: FILES, text: "h" });
});

Deno.test("glm counts rows by site and what was left out, with a site empty", async () => {
  const { n, sites, left_out, notes, coefficients } = await run(KWARGS);
  assert.equal(n, 30);
  assert.deepEqual(sites.map((site) => [site.n, site.left_out]), [[14, 0], [16, 1], [0, 0]]);
  assert.deepEqual(left_out.missing, { x: 1 });
  assert.deepEqual(Object.keys(coefficients), ["intercept", "x", "g[b]", "g[c]"]);
  assert.match(notes.join(), /level "c" of "g" is found at organization 2 only/);
  const some = await run({ ...KWARGS, where: "z > 3 and g != 'c'" });
  assert.equal(some.n + some.left_out.where.not_met! + some.left_out.rows!, 31);
  assert.deepEqual(Object.keys(some.coefficients), ["intercept", "x", "g[b]"]);
});

Deno.test("glm leaves out levels below the threshold with their rows, and says so", async () => {
  const { n, left_out, notes, coefficients } = await run({ ...KWARGS, min_level_count: 7 });
  assert.deepEqual([n, left_out.levels], [24, { g: 6 }]);
  assert.deepEqual(Object.keys(coefficients), ["intercept", "x", "g[b]"]);
  assert.match(notes.join(), /Of "g", 1 levels of fewer than 7 rows were left out/);
});

Deno.test("glm compares with the level that it is asked to", async () => {
  const [a, b] = [await run(KWARGS), await run({ ...KWARGS, reference: { g: "b" } })];
  const ratio = a.coefficients["g[b]"]!.estimate / b.coefficients["g[a]"]!.estimate;
  assert.ok(Math.abs(ratio + 1) < 1e-10);
});

Deno.test("glm says what cannot be fitted", async () => {
  const few = [HEAD + rowsOf(range(0, 2), () => "a"), HEAD + rowsOf(range(2, 4), () => "b")];
  await assertRefusals(algorithm, [
    // Roles.
    [{ ...KWARGS, offset: "x" }, FILES, /"x" stands for two things in this model/],
    [{ ...KWARGS, outcome: "x" }, FILES, /"x" stands for two things in this model/],
    [{ ...KWARGS, categories: ["z"] }, FILES, /"categories" names "z", which is no predictor/],
    [
      { ...KWARGS, reference: { g: "q" } },
      FILES,
      /"reference" of "g" must be one of its levels: "a"/,
    ],
    [{ ...KWARGS, reference: { x: 1 } }, FILES, /"reference" names "x", which is no category/],
    [{ ...KWARGS, reference: { toString: 1 } }, FILES, /names "toString", which is no category/],
    [{ ...KWARGS, link: "logit" }, FILES, /"link" of a gaussian model must be one of identity/],
    // What the columns hold.
    [{ ...KWARGS, outcome: "g", predictors: ["x"] }, FILES, /"g" must hold numbers in this model/],
    [{ ...KWARGS, outcome: "h", predictors: ["d"] }, FILES, /"d" holds dates, which are neither/],
    [{ ...KWARGS, predictors: ["t"] }, [HEAD + rowsOf(range(0, 150), () => "a")], /more than 100/],
    [{ ...KWARGS, predictors: ["k"] }, FILES, /predictor "k" has the same value in all rows/],
    [{ ...KWARGS, outcome: "k" }, FILES, /outcome "k" has the same value in all rows/],
    [{ ...KWARGS, predictors: ["e"] }, FILES, /^No organization has a value in the column "e"\.$/],
    [{ ...KWARGS, outcome: "e" }, FILES, /^No organization has a value in the column "e"\.$/],
    [{ ...KWARGS, weights: "z" }, FILES, /weights in "z" must be above 0/],
    [
      { ...KWARGS, family: "poisson", outcome: "o" },
      ["o,x,g\n-1,1,a\n1,2,b\n2,2,a\n4,1,b\n"],
      /outcome "o" must be counts, none of them negative in a poisson model, and in 1 rows is not/,
    ],
    [
      { ...KWARGS, family: "binomial", predictors: ["x"] },
      FILES,
      /outcome "y" must be 0 and 1, or two/,
    ],
    [
      { ...KWARGS, family: "binomial", outcome: "g", predictors: ["x"] },
      FILES,
      /two levels, and has 3/,
    ],
    [
      { ...KWARGS, family: "gamma", outcome: "x", predictors: ["z"] },
      FILES,
      /numbers above 0 in a gamma/,
    ],
    [
      KWARGS,
      ["y,x,g\n1,2,a\n", "y,x,g\nlow,3,b\n"],
      /"y" holds numbers at organization 1 and levels/,
    ],
    // Too little of them.
    [KWARGS, [HEAD], /^There are no rows: none at all/],
    [KWARGS, ["y,x,g\n1,,a\n,2,b\n"], /^No row is complete: of 2 rows, each lacks a value/],
    [KWARGS, ["y,x,g\n1,2,a\n"], /"g" has the same value everywhere: "a"/],
    [
      { outcome: "y", predictors: ["x"] },
      ["y,x\n1,2\n"],
      /^1 complete rows are too few for 2 coef/,
    ],
    [
      { outcome: "y", predictors: ["x", "z", "g", "o"] },
      few,
      /^4 complete rows are too few for 5 coef/,
    ],
    [{ ...KWARGS, min_level_count: 30 }, FILES, /No level of the predictor "g" has rows enough/],
    // No single solution, or no finite one.
    [{ outcome: "y", predictors: ["x", "z", "o"] }, [
      "y,x,z,o\n" +
      range(0, 9).map((i) => `${(i * 7) % 11},${i},${i * i},${2 * i * i - i}\n`).join(""),
    ], /no single solution: the predictor "o" follows from x, z/],
    [{ outcome: "b", predictors: ["x"], family: "binomial" }, [
      "b,x\n0,1\n0,2\n0,3\n",
      "b,x\n1,4\n1,5\n1,6\n",
    ], /the predictors separate the outcomes/],
    [{ outcome: "b", predictors: ["h"], family: "binomial" }, [
      "b,h\n0,u\n0,u\n0,v\n1,v\n1,v\n0,u\n",
    ], /the predictors separate the outcomes/],
    [{ outcome: "c", predictors: ["h"], family: "poisson" }, [
      "c,h\n0,u\n0,u\n3,v\n1,v\n2,v\n0,u\n",
    ], /the predictors separate the outcomes/],
    [{ ...KWARGS, family: "poisson", outcome: "c", iterations: 1 }, FILES, /not converged after 1/],
  ]);
});
