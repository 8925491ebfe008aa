/**
 * What somebody puts together from the sums that the library's parts tell: at coefficients, centres
 * and terms of their own, of columns of their choice, in one task or in several.
 * @module
 */
import assert from "node:assert/strict";
import { createSiteWithLedger } from "../support/site_with_ledger.ts";
import { fileOf } from "../support/under_rules.ts";
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

const SIXTY = Array.from({ length: 60 }, (_, i) => i);
/** Looks like chance. */
const y = (i: number) => 100 + (i * 7919) % 997 / 8;
const fewAt = [3, 5, 7, 11, 14, 19, 23, 26, 31, 37, 42];

/** Two columns, and a third of numbers: those together show one person, of sixty. */
const SHOWING_ONE: Record<string, [rule: string, (i: number) => number, (i: number) => number]> = {
  "a third value": ["min_level", (i) => i === 7 ? 2 : i % 3 === 0 ? 1 : 0, (i) => i % 59 + i / 64],
  "two columns of 0 and 1 that differ": [
    "min_cell",
    (i) => i % 5 === 0 ? 1 : 0,
    (i) => i % 5 === 0 || i === 7 ? 1 : 0,
  ],
  "two columns of 0 and 1 that meet": [
    "min_cell",
    (i) => i === 7 || i > 20 && i % 4 === 1 ? 1 : 0,
    (i) => i === 7 || i % 2 === 0 ? 1 : 0,
  ],
  "two columns of numbers that differ": ["min_level", y, (i) => y(i) + (i === 7 ? 31.5 : 0)],
  "the same in other units": ["min_level", y, (i) => 3 - y(i) / 7.3 + (i === 7 ? 31.5 : 0)],
  "numbers that most have not": [
    "min_level",
    (i) => fewAt.includes(i) || i > 45 ? 1 + i % 17 / 4 : 0,
    (i) => fewAt.includes(i) || i > 45 ? 1 + i % 17 / 4 + (i === 7 ? 1 : 0) : 0,
  ],
};

for (const [what, [rule, one, other]] of Object.entries(SHOWING_ONE)) {
  Deno.test(`products of columns are not told that show one person: ${what}`, async () => {
    const csv = fileOf(60, { one, other, y });
    for (const profile of PROFILES) {
      await using site = await createSiteWithLedger(csv, profile);
      const told = await site.ask("correlation", "partial", { columns: ["one", "other", "y"] });
      const withheld = [{ output: "*", rule, values: 1 }];
      assert.deepEqual(told, { withheld }, profile);
      const model = { family: "gaussian", link: "identity" };
      const asked = stepOf(["one", "other"], model, [0, 1], { centre: 3, scale: 7 });
      const step = await site.ask("glm", "partial_step", asked);
      // Of the third value alone.
      assert.equal(step.triangle, undefined, profile);
    }
  });
}

for (
  const [what, column, where] of [
    ["three values", (i) => i % 3, "column = 2 and age < 79"],
    ["one value of most", (i) => fewAt.includes(i) ? 1 + i % 17 / 4 : 0, "column > 0 and age < 62"],
  ] as [string, (i: number) => number, string][]
) {
  Deno.test(`the rows of a column's value are not told of again but for one person: ${what}`, async () => {
    const csv = fileOf(60, { column, y, age: (i) => 20 + i });
    for (const profile of ["datashield", "opensafely"] as const) {
      await using site = await createSiteWithLedger(csv, profile);
      const columns = ["column", "y"];
      assert.ok((await site.ask("correlation", "partial", { columns })).comoments, profile);
      const told = await site.ask("summary", "partial", { columns: ["y"], categories: [], where });
      assert.deepEqual(told, { withheld: [{ output: "*", rule: "differs", values: 1 }] }, profile);
    }
  });
}

Deno.test("products of ordinary columns are told under every profile", async () => {
  const csv = fileOf(SIXTY.length, {
    age: (i) => 20 + i,
    y,
    ill: (i) => i % 2,
    man: (i) => Math.floor(i / 2) % 2,
    icu: (i) => i < 24 ? 1 + i / 8 : 0,
    stage: (i) => Math.floor(i / 7) % 3,
  });
  for (const profile of PROFILES) {
    await using site = await createSiteWithLedger(csv, profile);
    const columns = ["age", "y", "ill", "man", "icu", "stage"];
    assert.ok((await site.ask("correlation", "partial", { columns })).comoments, profile);
  }
});

const NOTHING = { withheld: [{ output: "*", rule: "min_subset", values: 1 }] };

Deno.test("a glm's step tells nothing at coefficients and scales that make a chance all or nothing", async () => {
  const model = { family: "binomial", link: "logit" };
  for (const profile of PROFILES) {
    await using site = await createSiteWithLedger(csvOf(EVEN), profile);
    const ask = (coefficients: [number, number], centre: number, scale: number) =>
      site.ask(
        "glm",
        "partial_step",
        stepOf(["died", "cost"], model, coefficients, { centre, scale }),
      );
    assert.deepEqual(await ask([0, 1], 600, 1e-14), NOTHING, profile);
    assert.deepEqual(await ask([0, 1e-14], 600, 1e-14), NOTHING, profile);
    assert.deepEqual(await ask([0, 1e6], 600, 300), NOTHING, profile);
    // So far off that a number keeps nothing of the column but on which side of a limit it is.
    assert.deepEqual(await ask([0, 1e-3], 2 ** 62, 300), NOTHING, profile);
    assert.ok((await ask([0, 2], 600, 300)).triangle, profile);
  }
});

Deno.test("a glm's step tells no sum of Pearson's that is nearly one person's", async () => {
  const model = { family: "poisson", link: "log" };
  for (const profile of PROFILES) {
    await using site = await createSiteWithLedger(csvOf(PEOPLE), profile);
    for (const far of [3e-4, 4e-4]) {
      const asked = stepOf(["age", "cost"], model, [0, -far]);
      assert.deepEqual(await site.ask("glm", "partial_step", asked), NOTHING, profile);
    }
  }
});

Deno.test("meta_analysis fits no model in which one person weighs as much as all others", async () => {
  const one = (weight: number) =>
    fileOf(60, {
      x: (i) => 1 + (i * 37) % 61,
      y: (i) => 20 + (i * 13) % 59,
      w: (i) => i === 7 ? weight : 1 + (i * 7) % 11,
    });
  const asked = {
    model: "gaussian",
    link: "identity",
    outcome: "y",
    weights: "w",
    ties: "efron",
    iterations: 25,
    variables: [{ name: "y" }, { name: "x" }, { name: "w" }],
    terms: [{ name: "x", variable: "x", centre: 0, scale: 1 }],
  };
  for (const profile of PROFILES) {
    await using site = await createSiteWithLedger(one(1e9), profile);
    const rule = ["acro", "strict"].includes(profile) ? "dominance" : "min_subset";
    const expected = { withheld: [{ output: "*", rule, values: 1 }] };
    assert.deepEqual(await site.ask("meta_analysis", "partial_fit", asked), expected, profile);
    await using other = await createSiteWithLedger(one(5), profile);
    assert.ok((await other.ask("meta_analysis", "partial_fit", asked)).estimates.x, profile);
  }
});

Deno.test("products and moments of a column that one person makes up are not told under rules on dominance", async () => {
  const csv = fileOf(60, {
    age: (i) => 20 + i,
    cost: (i) => i === 7 ? 70425.25 : 1 + (i * 7) % 11,
    died: (i) => i % 2,
  });
  const term = (centre: number) => ({ name: "cost", variable: "cost", centre, scale: 1 });
  for (const profile of ["acro", "strict"] as const) {
    await using site = await createSiteWithLedger(csv, profile);
    const expected = { withheld: [{ output: "*", rule: "dominance", values: 1 }] };
    for (const name of ["correlation", "pca"]) {
      const told = await site.ask(name, "partial", { columns: ["age", "cost"] });
      assert.deepEqual(told, expected, name);
    }
    for (const centre of [0, -1e9]) {
      const glm = await site.ask("glm", "partial_start", {
        outcome: "age",
        predictors: ["cost"],
        family: "gaussian",
        variables: [{ name: "age" }, { name: "cost" }],
        terms: [term(centre)],
      });
      assert.deepEqual(glm, expected);
      const cox = await site.ask("cox", "partial_start", {
        time: "age",
        event: "died",
        ties: "efron",
        variables: [{ name: "cost" }],
        terms: [term(centre)],
        pooled: false,
      });
      assert.deepEqual(cox, expected);
    }
  }
});

/** Three wards; of each person of the first the same, but of one. */
const wardsOf = (x: (i: number, inA: boolean) => number) =>
  fileOf(80, {
    ward: (i) => i < 20 ? 1 : i < 50 ? 2 : 3,
    x: (i) => x(i, i < 20),
    other: (i) => y(i),
  });

Deno.test("sums withheld of a group for one person's share are not those of all less the others'", async () => {
  const csv = wardsOf((i) => i === 7 ? 50_000 : 100 + i % 9 + 50 * Math.floor(i / 20));
  for (const profile of ["acro", "strict"] as const) {
    await using site = await createSiteWithLedger(csv, profile);
    const asked = { columns: ["x"], categories: ["ward"], group: "ward" };
    const { columns: { x } } = await site.ask("summary", "partial", asked);
    const isTold = (cell: { moments: { mean: number | null } | null }) =>
      cell.moments !== null && cell.moments.mean !== null;
    const told = Object.entries(x.groups).filter(([, cell]) => isTold(cell as typeof x.all));
    assert.ok(isTold(x.all), profile);
    assert.deepEqual(told.map(([ward]) => ward).length, 1, profile);
    assert.notEqual(told[0]![0], "1", profile);
  }
});

Deno.test("sums of two results do not show the one in whom what they differ by has another value than 0", async () => {
  const zeros: [string, (i: number, inA: boolean) => number][] = [
    ["0", (i, inA) => i === 7 ? 77 : inA ? 0 : i * i % 83],
    ["one that many have", (i, inA) => i === 7 ? 77 : inA || i % 3 === 0 ? 36.6 : i * i % 83],
  ];
  for (const [what, x] of zeros) {
    const parts: Record<string, (where: string) => [method: string, Record<string, unknown>]> = {
      summary: (where) => ["partial", { columns: ["x"], categories: [], where }],
      compare_means: (where) => ["partial", { column: "x", where }],
      glm: (where) => {
        const model = { family: "gaussian", link: "identity" };
        return ["partial_step", { ...stepOf(["x", "other"], model, [0, 1]), where }];
      },
    };
    for (const [name, askFor] of Object.entries(parts)) {
      await using site = await createSiteWithLedger(wardsOf(x));
      const first = await site.ask(name, ...askFor("ward >= 1"));
      assert.notDeepEqual(Object.keys(first), ["withheld"], `${name}: ${what}`);
      const second = await site.ask(name, ...askFor("ward >= 2"));
      assert.deepEqual(Object.keys(second), ["withheld"], `${name}: ${what}`);
    }
  }
});
