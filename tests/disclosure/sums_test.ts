/**
 * What somebody puts together from the sums that the library's parts tell: at coefficients, centres
 * and terms of their own, of columns of their choice, in one task or in several.
 * @module
 */
import assert from "node:assert/strict";
import { createSiteWithLedger } from "../support/site_with_ledger.ts";
import { csvOf, PEOPLE } from "./victims.ts";

const PROFILES = ["datashield", "opensafely", "acro", "strict"] as const;

/** Nobody stands out. */
const EVEN = PEOPLE.map((one, i) => ({ ...one, cost: 100 + (i * 7919) % 997 + i / 64 }));

/** A step of a model of one predictor. */
const stepOf = (
  [outcome, predictor]: [string, string],
  model: { family: string; link: string },
  coefficients: [number, number],
  term: { centre: number; scale: number } = { centre: 0, scale: 1 },
) => ({
  ...model,
  outcome,
  predictors: [predictor],
  variables: [{ name: outcome }, { name: predictor }],
  terms: [{ name: predictor, variable: predictor, ...term }],
  coefficients,
});

Deno.test("a glm's step that comes to a row without a mean tells nothing of those before it", async () => {
  for (const profile of PROFILES) {
    await using site = await createSiteWithLedger(csvOf(EVEN), profile);
    // Days are 10, 17, 24 in the order of the file: of the first k rows alone the mean is above 0.
    for (const rows of [1, 2, 3]) {
      const coefficients: [number, number] = [10 + 7 * rows - 3.5, -1];
      const asked = stepOf(["cost", "days"], { family: "gamma", link: "identity" }, coefficients);
      const told = await site.ask("glm", "partial_step", asked);
      assert.deepEqual(told, { withheld: [{ output: "*", rule: "min_subset", values: 1 }] });
    }
  }
});

Deno.test("k-means of rows that differ by one person are told of once, whatever the centres are", async () => {
  await using site = await createSiteWithLedger(csvOf(EVEN));
  const ask = (where: string, centres: number[][]) =>
    site.ask("k_means", "partial_clusters", { columns: ["cost"], where, centres, scales: [1] });
  assert.ok((await ask("age >= 27", [[0]])).means);
  const told = await ask("age >= 28", [[0]]);
  assert.deepEqual(told, { withheld: [{ output: "*", rule: "differs", values: 1 }] });
});

Deno.test("a cluster of k-means is not told of again with one person more", async () => {
  await using site = await createSiteWithLedger(csvOf(EVEN));
  const sorted = EVEN.map(({ cost }) => cost).sort((a, b) => a - b);
  const centres = [[sorted[0]!], [sorted[8]!]];
  const { sizes } = await site.ask("k_means", "partial_clusters", {
    columns: ["cost"],
    centres,
    scales: [1],
  });
  const limit = (sorted[sizes[0]]! + sorted[sizes[0] + 1]!) / 2;
  const asked = { columns: ["cost"], categories: [], where: `cost <= ${limit}` };
  const told = await site.ask("summary", "partial", asked);
  assert.deepEqual(told.columns, undefined);
});

Deno.test("k-means tells nothing where the rules ask how much one person makes up", async () => {
  for (const profile of ["acro", "strict"] as const) {
    await using site = await createSiteWithLedger(csvOf(EVEN), profile);
    const asked = { columns: ["cost"], centres: [[0]], scales: [1] };
    const told = await site.ask("k_means", "partial_clusters", asked);
    assert.deepEqual(told, { withheld: [{ output: "*", rule: "dominance", values: 1 }] });
  }
});
