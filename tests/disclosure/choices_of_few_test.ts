/** A choice of rows of which few have something, or none: both are answered alike. */
import assert from "node:assert/strict";
import { createSiteWithLedger } from "../support/site_with_ledger.ts";
import { csvOf, PEOPLE } from "./victims.ts";

const PROFILES = ["datashield", "strict"] as const;

/** All of the library, asked of a column that one person alone has a value in. */
const QUESTIONS: readonly (readonly [string, string, Record<string, unknown>])[] = [
  ["summary", "partial", { columns: ["age"], categories: [], group: "kind" }],
  ["summary", "partial", { columns: ["transplant"], categories: [] }],
  ["summary", "partial", { columns: ["age", "transplant"], categories: [], group: "sex" }],
  ["summary", "partial", { columns: ["kind"], categories: [] }],
  ["quantiles", "partial", { column: "transplant", limits: [] }],
  ["histogram", "partial", { column: "transplant", from: 0, to: 1000, bins: 2 }],
  ["correlation", "partial", { columns: ["transplant", "age"] }],
  ["pca", "partial", { columns: ["transplant", "age"] }],
  ["k_means", "partial_start", { columns: ["transplant"] }],
  ["k_means", "partial_clusters", { columns: ["transplant"], centres: [[0]], scales: [1] }],
  ["crosstab", "partial", { row: "kind", column: "hiv" }],
  ["compare_means", "partial", { column: "transplant", group: "hiv" }],
  ["incidence_rates", "partial", { events: "hiv", person_time: "transplant" }],
  ["kaplan_meier", "partial", { time: "transplant", event: "hiv" }],
  ["glm", "partial_survey", { columns: ["transplant", "kind"], categories: [] }],
  ["glm", "partial_start", {
    outcome: "transplant",
    predictors: ["age"],
    family: "gaussian",
    variables: [{ name: "transplant" }],
    terms: [],
  }],
  ["cox", "partial_start", {
    time: "transplant",
    event: "hiv",
    ties: "efron",
    variables: [],
    terms: [],
    pooled: false,
  }],
  ["mixed_model", "partial_start", {
    outcome: "transplant",
    variables: [{ name: "transplant" }],
    terms: [],
  }],
  ["meta_analysis", "partial_fit", {
    model: "gaussian",
    outcome: "transplant",
    link: "identity",
    ties: "efron",
    iterations: 25,
    variables: [{ name: "transplant" }],
    terms: [],
  }],
];

/** One person alone has had a transplant. */
function csvWith(who: string): string {
  const rows = PEOPLE.map(({ name, age, sex, hiv }) =>
    [name, age, sex, hiv, ...name === who ? [812.5, "liver"] : ["", ""]].join()
  );
  return ["name,age,sex,hiv,transplant,kind", ...rows, ""].join("\n");
}

Deno.test("attack: whether the one who has a value is among those that a condition chooses", async () => {
  for (const profile of PROFILES) {
    // The one of these is ill, the other is not.
    await using ill = await createSiteWithLedger(csvWith("p7"), profile);
    await using well = await createSiteWithLedger(csvWith("p8"), profile);
    for (const [name, method, kwargs] of QUESTIONS) {
      const asked = { ...kwargs, where: "hiv = 1" };
      const told = await ill.ask(name, method, asked);
      assert.deepEqual(await well.ask(name, method, asked), told, `${profile} ${name} ${method}`);
    }
  }
});

Deno.test("attack: a level that is named chooses its rows, and of nobody's is told what is told of one's", async () => {
  for (const profile of PROFILES) {
    await using site = await createSiteWithLedger(csvOf(PEOPLE), profile);
    for (const where of [undefined, "hiv = 1"]) {
      const told = [];
      // Ill, well, and nobody.
      for (const name of ["p7", "p8", "p777"]) {
        const variables = [{ name: "name", levels: [name] }, { name: "hiv", levels: ["1"] }];
        for (const outcome of ["name", "age"]) {
          told.push(
            await site.ask("mixed_model", "partial_start", {
              outcome,
              variables: outcome === "age" ? [...variables, { name: "age" }] : variables,
              terms: [],
              where,
            }),
          );
        }
      }
      for (const one of told) assert.deepEqual(one, told[0], `${profile} ${where}`);
    }
  }
});

Deno.test("attack: a term that takes a number for a level is none", async () => {
  await using site = await createSiteWithLedger(csvOf(PEOPLE));
  const asked = (level: number, where?: string) =>
    site.ask("glm", "partial_start", {
      outcome: "cost",
      predictors: ["age"],
      family: "gaussian",
      variables: [{ name: "cost" }, { name: "age" }],
      terms: [{ name: "age", variable: "age", level, centre: 0, scale: 1 }],
      where,
    });
  for (const age of [27, 28]) {
    await assert.rejects(() => asked(age), /^TypeError: A term names a level of the column "age"/);
    assert.deepEqual(await asked(age, "hiv = 1"), {
      withheld: [{ output: "*", rule: "an error about the chosen rows", values: 1 }],
    });
  }
});
