/**
 * Persons and not rows, for each algorithm of the library: at a site where every person has thirty
 * rows, it is as many persons as the rules want from which the site takes part, and with one fewer,
 * of however many rows, it does not.
 * @module
 */
import assert from "node:assert/strict";
import { libraryPackages } from "../../services/node/algorithms/library.ts";
import { fileOf, noise, type Result, run, saidBy } from "../support/under_rules.ts";

/** So many persons with thirty rows each, and each of them in every group. */
const site = (persons: number, rows = 30) =>
  fileOf(persons * rows, {
    id: (row) => `p${row % persons}`,
    x: noise,
    y: (row) => noise(row * 3) + noise(row),
    z: (row) => noise(row * 5),
    g: (row) => "ab"[Math.floor(row / persons) % 2]!,
    h: (row) => "pq"[Math.floor(row / persons / 2) % 2]!,
    t: (row) => 1 + Math.floor(row / persons) % 5,
    e: (row) => Math.floor(row / persons / 2) % 2,
  });

/** By algorithm: the fewest persons under datashield. Models have at most 0.33 terms a person. */
const LEAST: readonly (readonly [string, Record<string, unknown>, number])[] = [
  ["summary", { columns: ["x", "h"], group: "g" }, 3],
  ["crosstab", { row: "g", column: "h" }, 3],
  ["quantiles", { column: "x" }, 3],
  ["histogram", { column: "x", from: 0, to: 110, bins: 4 }, 3],
  ["compare_means", { column: "x", group: "g" }, 3],
  ["incidence_rates", { events: "e", person_time: "t", group: "g" }, 3],
  ["kaplan_meier", { time: "t", event: "e", group: "g" }, 3],
  ["cox", { time: "t", event: "e", predictors: ["x"] }, 4],
  ["glm", { outcome: "y", predictors: ["x"] }, 7],
  ["mixed_model", { outcome: "y", predictors: ["x"] }, 7],
  ["meta_analysis", { outcome: "y", predictors: ["x"] }, 7],
  ["correlation", { columns: ["x", "y"] }, 7],
  ["k_means", { columns: ["x", "y"], start: [[10, 10], [60, 100]] }, 7],
  ["pca", { columns: ["x", "y", "z"] }, 10],
];

for (const [name, kwargs, least] of LEAST) {
  Deno.test(`${name} takes a site in from ${least} persons, and not by the rows of fewer`, async () => {
    const ask = async (persons: number) =>
      (await run({ name, kwargs, files: [site(60, 4), site(61, 4), site(persons)], persons: "id" }))
        .result;
    const [fewer, enough] = [await ask(least - 1), await ask(least)];
    const organizations = ({ sites }: Result) => sites.map((one: Result) => one.organization);
    assert.deepEqual(organizations(fewer), [1, 2], JSON.stringify(fewer.withheld));
    assert.ok(saidBy(fewer).some((said) => /^3 (min_subset|max_terms_share)$/.test(said)), name);
    assert.deepEqual(organizations(enough), [1, 2, 3], JSON.stringify(enough.withheld));
    const [, , { n }] = enough.sites;
    assert.equal(n, 30 * least, "of all of their rows");
    assert.equal(fewer.n, 484);
    assert.doesNotMatch(JSON.stringify(fewer), /"p\d/);
  });
}

Deno.test("persons are counted for each algorithm of the library", async () => {
  const asked = LEAST.map(([name]) => name).sort();
  assert.deepEqual(
    asked,
    (await libraryPackages()).map(({ description }) => description.name).sort(),
  );
});
