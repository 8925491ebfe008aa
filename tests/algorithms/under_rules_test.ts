/**
 * The library at sites whose owners have set rules on what may leave: what differs from the numbers
 * of the pooled rows is what the result says was withheld.
 * @module
 */
import assert from "node:assert/strict";
import { libraryPackages } from "../../services/node/algorithms/library.ts";
import type { Output } from "../../services/node/algorithms/sextant/description.ts";
import { problemsOfOutputs } from "../../services/node/algorithms/sextant/outputs.ts";
import {
  fileOf,
  large,
  noise,
  numbersOf,
  type Result,
  run,
  saidBy,
} from "../support/under_rules.ts";
import { TWO, withFewOf } from "../support/under_rules.ts";
import { compareNumbers, failures, readCases } from "./prove.ts";
import { SPLITS } from "./splits.ts";

Deno.test("every output of the library's methods that read rows says what it rests on, and none is other", async () => {
  for (const { name, description } of await libraryPackages()) {
    assert.deepEqual(problemsOfOutputs(description), [], name);
    const others = (outputs: readonly Output[]): string[] =>
      outputs.flatMap((one) => [
        ...one.kind === "other" ? [one.name] : [],
        ...others(one.each ?? []),
      ]);
    for (const [method, { rows, outputs, internal }] of Object.entries(description.methods)) {
      if (rows !== "none") assert.deepEqual(others(outputs), [], `${name} ${method}`);
      assert.equal(rows === "none", !internal, `${name} ${method} reads rows`);
    }
  }
});
for (const profile of ["datashield", "opensafely", "acro", "strict"] as const) {
  Deno.test(`under ${profile} every value in every part of the library is declared`, async () => {
    for (const { description: { name } } of await libraryPackages()) {
      const cases = await readCases([name]);
      const one = cases.toSorted((a, b) => b.csv.length - a.csv.length)[0];
      const split = "3 sites in turn, one more empty";
      const chosen = one!.splits?.includes(split) === false ? one!.splits[0]! : split;
      const files = SPLITS[chosen]!(one!.csv, one!.sort);
      const asked = { name, kwargs: one!.arguments, files, profile };
      // Asserts in `run`; what an analysis then lacks is told.
      const found = await run(asked).catch((error: Error) => {
        assert.match(`${error.stack}`, /rules on what may leave|withholds its part|too few/, name);
      });
      for (const { part } of found?.parts ?? []) assert.ok(Array.isArray(part.withheld), name);
      if (!found) continue;
      // Whoever is told nothing was withheld has the numbers of the pooled rows.
      if (found.result.withheld.length > 0) continue;
      assert.deepEqual(failures(compareNumbers(one!, chosen, found.result)), [], name);
    }
  });
}

for (
  const [name, kwargs] of [
    ["glm", { outcome: "y", predictors: ["x", "g"] }],
    ["mixed_model", { outcome: "y", predictors: ["x"] }],
    ["cox", { time: "t", event: "e", predictors: ["x"] }],
    ["meta_analysis", { outcome: "y", predictors: ["x"] }],
    ["correlation", { columns: ["x", "y"] }],
    ["pca", { columns: ["x", "y", "t"] }],
    ["k_means", { columns: ["x", "y"], start: [[10, 10], [60, 100]] }],
    ["compare_means", { column: "x", group: "g" }],
    ["kaplan_meier", { time: "t", event: "e", group: "g" }],
    ["histogram", { column: "x", from: 0, to: 110, bins: 4 }],
    ["quantiles", { column: "t" }],
    ["incidence_rates", { events: "e", person_time: "t", group: "g" }],
    ["crosstab", { row: "g", column: "h" }],
    ["summary", { columns: ["x", "h"], group: "g" }],
  ] as const
) {
  Deno.test(`${name} goes on without a site of too few persons, and says so`, async () => {
    const sites = [large(), large(60, 5)];
    const { result } = await run({ name, kwargs, files: [...sites, TWO] });
    assert.ok(saidBy(result).some((said) => said.startsWith("3 min_")), name);
    const without = await run({ name, kwargs, files: sites });
    assert.deepEqual(numbersOf(result), numbersOf(without.result));
    assert.deepEqual(result.sites.map((one: Result) => one.organization), [1, 2]);
    await assert.rejects(
      run({ name, kwargs, files: [TWO] }),
      /^Error: No organization can take part under its rules on what may leave: organization 1/,
    );
  });
}

for (
  const [name, kwargs] of [
    ["glm", { outcome: "y", predictors: ["x", "g"] }],
    ["glm", { outcome: "e", family: "binomial", predictors: ["x", "h"] }],
    ["mixed_model", { outcome: "y", predictors: ["x"] }],
    ["cox", { time: "t", event: "e", predictors: ["x", "g"], strata: "h" }],
    ["meta_analysis", { outcome: "y", predictors: ["x"] }],
    ["correlation", { columns: ["x", "y"] }],
    ["pca", { columns: ["x", "y", "t"] }],
    ["compare_means", { column: "x", group: "g" }],
    ["summary", { columns: ["x", "h"], group: "g" }],
    ["crosstab", { row: "g", column: "h" }],
  ] as const
) {
  Deno.test(`${name} is that of the pooled rows where nothing is withheld: ${Object.values(kwargs)}`, async () => {
    const files = [large(), large(80, 5)];
    const { result } = await run({ name, kwargs, files });
    assert.deepEqual(result.withheld, []);
    const free = await run({ name, kwargs, files, profile: "none" });
    assert.equal(Object.hasOwn(free.result, "withheld"), false);
    assert.deepEqual({ ...result, withheld: 0 }, { ...free.result, withheld: 0 });
  });
}

Deno.test("models leave out the rows of a level of too few persons where it is rare, and say so", async () => {
  // Level c is one of many at site 1, and of two persons at site 2.
  const first = large().replaceAll(",a,p,", ",c,p,");
  for (
    const [name, kwargs] of [
      ["glm", { outcome: "y", predictors: ["x", "g"] }],
      ["cox", { time: "t", event: "e", predictors: ["x", "g"] }],
      ["mixed_model", { outcome: "y", predictors: ["x", "g"] }],
      ["meta_analysis", { outcome: "y", predictors: ["x", "g"] }],
    ] as const
  ) {
    const { result, parts } = await run({ name, kwargs, files: [first, withFewOf("c")] });
    assert.ok(saidBy(result).includes("2 min_level"), name);
    assert.equal(result.left_out.levels.g, null, name);
    const without = await run({ name, kwargs, files: [first, large(60, 7)], profile: "none" });
    assert.deepEqual(numbersOf(result), numbersOf(without.result), name);
    // A level that nobody else has is not named at all.
    const named = await run({ name, kwargs, files: [large(), withFewOf("Zoe")] });
    assert.doesNotMatch(JSON.stringify([named, parts]), /Zoe/);
  }
});

Deno.test("models leave a site out in which a column or an outcome shows a few", async () => {
  const rare = (row: number) => row < 2 ? 1 : 0;
  const few = fileOf(60, {
    x: noise,
    y: (row) => noise(row * 5),
    d: rare,
    e: rare,
    t: (r) => 1 + r,
  });
  const many = fileOf(60, {
    x: noise,
    y: (row) => noise(row * 7),
    d: (row) => row % 2,
    e: (row) => row % 3 === 0 ? 1 : 0,
    t: (row) => 1 + row,
  });
  for (
    const [name, kwargs] of [
      ["glm", { outcome: "y", predictors: ["x", "d"] }],
      ["glm", { outcome: "e", family: "binomial", predictors: ["x"] }],
      ["cox", { time: "t", event: "e", predictors: ["x"] }],
      ["meta_analysis", { outcome: "e", model: "binomial", predictors: ["x"] }],
      ["correlation", { columns: ["x", "d"] }],
      ["pca", { columns: ["x", "d"] }],
    ] as const
  ) {
    const { result } = await run({ name, kwargs, files: [many, few] });
    assert.deepEqual(saidBy(result), ["2 min_level"], name);
    const without = await run({ name, kwargs, files: [many], profile: "none" });
    assert.deepEqual(numbersOf(result), numbersOf(without.result), name);
  }
});

Deno.test("a model with too many terms for a site leaves it out", async () => {
  const kwargs = { outcome: "y", predictors: ["x", "t"] };
  const { result } = await run({ name: "glm", kwargs, files: [large(), large(8, 3)] });
  assert.deepEqual(saidBy(result), ["2 max_terms_share"]);
  assert.match(result.notes.join(), /Organization 2 has no part in this result/);
  // 3 coefficients of 10 rows are few enough.
  assert.deepEqual(
    (await run({ name: "glm", kwargs, files: [large(), large(10, 3)] })).result.withheld,
    [],
  );
});

Deno.test("a model's parts refuse coefficients that single rows out", async () => {
  const kwargs = {
    outcome: "y",
    predictors: ["x"],
    family: "poisson",
    link: "log",
    variables: [{ name: "e" }, { name: "x" }],
    terms: [{ name: "x", variable: "x", centre: 0, scale: 1 }],
  };
  const files = [large()];
  const at = async (coefficients: number[]) =>
    (await run({
      name: "glm",
      method: "partial_step",
      kwargs: { ...kwargs, outcome: "e", coefficients },
      files,
    })).result;
  assert.deepEqual((await at([0.1, 0.01])).withheld, []);
  // Nobody but whoever has the largest value counts.
  const far = await at([-200, 3]);
  assert.deepEqual(Object.keys(far), ["withheld"]);
  const cox = { ...kwargs, time: "t", event: "e", ties: "efron" };
  const { family: _f, link: _l, outcome: _o, predictors: _p, ...asked } = cox;
  const step = (value: number) =>
    run({
      name: "cox",
      method: "partial_step",
      kwargs: { ...asked, variables: [{ name: "x" }], coefficients: [value] },
      files,
    });
  assert.deepEqual((await step(0.01)).result.withheld, []);
  assert.deepEqual(Object.keys((await step(50)).result), ["withheld"]);
});
