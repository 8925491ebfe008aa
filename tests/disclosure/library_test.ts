/** Attacks with the library's own algorithms, by the arguments that are chosen for them. */
import assert from "node:assert/strict";
import { useTestStack } from "../harness.ts";
import type { Json } from "../site.ts";
import { assertNoSecret, type Attacked, createVictims, PEOPLE, type Victims } from "./victims.ts";

const stack = useTestStack();
let made: Promise<Victims> | undefined;
const PROFILES = ["datashield", "strict"] as const;
const LEAST = { datashield: 3, strict: 11 };
type Name = "datashield" | "strict" | "one";

function victims(): Promise<Victims> {
  return made ??= (async () => {
    const found = await createVictims(stack());
    const { datashield, strict, one } = found.members;
    await Promise.all([datashield, strict, one].map(found.site.startNode));
    return found;
  })();
}

/** Runs a method at one site; whatever comes, the secret is not in it. */
async function run(
  at: Name,
  algorithm: string,
  method: string,
  kwargs: Record<string, unknown>,
): Promise<Attacked> {
  const { attack, members } = await victims();
  const own = method === "central" ? { organizations: [members[at].id] } : {};
  const found = await attack({
    image: `deno:${algorithm}@1.0.0`,
    method,
    kwargs: { ...kwargs, ...own },
    at: members[at],
  });
  assertNoSecret(`${algorithm} ${method} ${JSON.stringify(kwargs)} at ${at}`, found);
  return found;
}

/** All whole numbers under one of the keys, anywhere in a result. */
function countsIn(value: Json, keys: string[], under = false): number[] {
  if (typeof value === "number") return under ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((one) => countsIn(one, keys, under));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    countsIn(one, keys, under || keys.includes(key))
  );
}

Deno.test("attack: a site of one row tells nothing by any of the library's algorithms", async () => {
  const questions: [string, string, Record<string, unknown>][] = [
    ["summary", "central", { columns: ["cost", "age"] }],
    ["summary", "partial", { columns: ["cost", "sex"] }],
    ["quantiles", "central", { column: "cost", probabilities: [0.5] }],
    ["quantiles", "partial", { column: "cost", limits: [70_000, 80_000] }],
    ["crosstab", "partial", { rows: "sex", columns: "hiv" }],
    ["kaplan_meier", "partial", { time: "days", event: "died" }],
    ["correlation", "central", { columns: ["cost", "age"] }],
  ];
  for (const [algorithm, method, kwargs] of questions) {
    const { result, seen } = await run("one", algorithm, method, kwargs);
    // Neither its age, its sex nor its days.
    const { age, days } = PEOPLE[7]!;
    for (const value of [age, days]) {
      assert.equal(countsIn(result, Object.keys(result ?? {})).includes(value), false, seen);
    }
  }
});

Deno.test("attack: a condition on one person of the library's algorithms is answered as one on nobody", async () => {
  for (const profile of PROFILES) {
    for (
      const [algorithm, method, kwargs] of [
        ["summary", "partial", { columns: ["cost", "sex"] }],
        ["summary", "central", { columns: ["cost"] }],
        ["quantiles", "partial", { column: "cost", limits: [1000] }],
        ["crosstab", "partial", { rows: "sex", columns: "hiv" }],
        ["kaplan_meier", "partial", { time: "days", event: "died" }],
      ] as [string, string, Record<string, unknown>][]
    ) {
      const about = async (name: string) => {
        const found = await run(profile, algorithm, method, {
          ...kwargs,
          where: `name = '${name}'`,
        });
        const { status, result, reason } = found;
        return JSON.stringify({ status, result, reason }).replaceAll(name, "…");
      };
      assert.equal(await about("p7"), await about("nobody"), `${algorithm} under ${profile}`);
    }
  }
});

Deno.test("attack: by whether a condition with a name in it is refused nobody learns what the named one has", async () => {
  for (const profile of PROFILES) {
    await run(profile, "summary", "partial", { columns: ["age"], where: "hiv = 0" });
    const about = async (name: string) => {
      const where = `name = '${name}' or hiv = 0`;
      const found = await run(profile, "summary", "partial", { columns: ["age"], where });
      const { status, result, reason } = found;
      return JSON.stringify({ status, result, reason }).replaceAll(name, "…");
    };
    // Of these one is ill, one is not, and one is nobody.
    const [ill, well, nobody] = [await about("p7"), await about("p8"), await about("q")];
    assert.deepEqual([well, nobody], [ill, ill], profile);
  }
});

Deno.test("attack: two conditions that differ by one person, in two runs", async () => {
  for (const profile of PROFILES) {
    const sum = async (where: string) => {
      const { status, result } = await run(profile, "summary", "partial", {
        columns: ["cost"],
        where,
      });
      return status === "completed" ? JSON.stringify(result) : null;
    };
    const [all, others] = [await sum("age <= 47"), await sum("age <= 47 and name != 'p7'")];
    assert.notEqual(all, null);
    // No mean or sum of the others is told, so that none can be subtracted.
    const mean = PEOPLE.filter(({ age, name }) => age <= 47 && name !== "p7")
      .reduce((sum, { cost }) => sum + cost, 0) / 27;
    const numbers = [...(others ?? "").matchAll(/-?\d+(?:\.\d+)?/g)].map(([one]) => Number(one));
    assert.ok(numbers.every((one) => Math.abs(one - mean) > 1e-6), `${all} and ${others}`);
  }
});

Deno.test("attack: subtraction through the margins of a crosstab", async () => {
  for (const profile of PROFILES) {
    for (const method of ["partial", "central"]) {
      const { result } = await run(profile, "crosstab", method, { rows: "centre", columns: "sex" });
      const text = JSON.stringify(result);
      // The level c is of two persons.
      assert.doesNotMatch(text, /"c"/, text);
      const counts = countsIn(result, ["counts", "cells", "n"]);
      assert.ok(counts.every((one) => one === 0 || one >= LEAST[profile]), text);
    }
  }
});

Deno.test("attack: limits that close in on a value, and bins of one person", async () => {
  for (const profile of PROFILES) {
    // What counts up to limits takes them from the algorithm's other method alone.
    const { status } = await run(profile, "quantiles", "partial", {
      column: "age",
      limits: PEOPLE.map(({ age }) => age),
    });
    assert.equal(status, "not allowed");
    const ends = await run(profile, "quantiles", "central", {
      column: "cost",
      probabilities: [0.001, 0.999],
    });
    assertNoSecret("quantiles at the ends", ends);
    const bins = await run(profile, "histogram", "central", { column: "cost", bins: 100 });
    const inBins = countsIn(bins.result, ["counts"]);
    assert.ok(inBins.every((one) => one === 0 || one >= LEAST[profile]), JSON.stringify(bins));
  }
});

Deno.test("attack: a saturated model, and one of a column that marks few", async () => {
  for (const profile of PROFILES) {
    const marked = await run(profile, "glm", "central", {
      outcome: "cost",
      predictors: ["centre", "age"],
      family: "gaussian",
    });
    assert.doesNotMatch(JSON.stringify(marked.result ?? {}), /centre\[c\]/);
    const saturated = await run(profile, "glm", "central", {
      outcome: "cost",
      predictors: ["name"],
      family: "gaussian",
    });
    assert.doesNotMatch(saturated.seen, /name\[p/);
  }
});

Deno.test("attack: a model by a level in one run, and in another the level's rows without one person", async () => {
  for (const profile of PROFILES) {
    const model = await run(profile, "glm", "central", { outcome: "age", predictors: ["died"] });
    assert.equal(model.status, "completed", model.reason);
    // Of those who died one was there for so long.
    const { result } = await run(profile, "summary", "partial", {
      columns: ["age"],
      categories: [],
      where: "died = 1 and days < 400",
    });
    assert.deepEqual(Object.keys(result), ["withheld"], profile);
  }
});

Deno.test("attack: k-means with as many clusters as persons, from a centre of the attacker's", async () => {
  for (const profile of PROFILES) {
    const start = [[70_000], ...Array.from({ length: 9 }, (_, i) => [100 + 12 * i])];
    const { result } = await run(profile, "k_means", "central", { columns: ["cost"], start });
    const sizes = countsIn(result, ["sizes", "size", "n"]);
    assert.ok(sizes.every((one) => one === 0 || one >= LEAST[profile]), JSON.stringify(result));
  }
});

Deno.test("attack: residuals by coefficients and weights of the attacker's", async () => {
  const variables = [{ name: "cost" }, { name: "age" }];
  const terms = [{ name: "age", variable: "age", centre: 0, scale: 1 }];
  for (const profile of PROFILES) {
    for (
      const [algorithm, method, kwargs] of [
        // One person weighs as much as all others together.
        ["glm", "central", { outcome: "age", predictors: ["days"], weights: "cost" }],
        // What is left beyond an offset that is the outcome itself.
        ["glm", "central", { outcome: "cost", predictors: ["age"], offset: "days" }],
        ["glm", "partial_step", {
          outcome: "cost",
          predictors: ["age"],
          family: "gaussian",
          link: "identity",
          variables,
          terms,
          coefficients: [0, 0],
        }],
        ["cox", "central", {
          time: "days",
          event: "died",
          predictors: ["cost"],
          show_baseline: true,
        }],
        ["meta_analysis", "central", { outcome: "cost", predictors: ["age"] }],
        ["mixed_model", "central", { outcome: "cost", predictors: ["age"] }],
        ["pca", "central", { columns: ["cost", "age", "days"] }],
      ] as [string, string, Record<string, unknown>][]
    ) {
      const { result } = await run(profile, algorithm, method, kwargs);
      // No list has a place for each person.
      const lengths = [...JSON.stringify(result ?? null).matchAll(/\[[^[\]]*\]/g)]
        .map(([list]) => list.split(",").length);
      assert.ok(lengths.every((length) => length < PEOPLE.length / 2), `${algorithm} ${method}`);
    }
  }
});

Deno.test("attack: errors of the library say what was asked, and nothing of a row", async () => {
  for (const profile of PROFILES) {
    for (
      const [algorithm, method, kwargs] of [
        ["quantiles", "partial", { column: "name", limits: [1] }],
        ["summary", "partial", { columns: ["nothing"], categories: [] }],
        ["kaplan_meier", "partial", { time: "cost", event: "age" }],
        ["glm", "central", { outcome: "cost", predictors: ["age"], family: "binomial" }],
        ["crosstab", "partial", { row: "cost", column: "cost", where: "name > 3" }],
        ["summary", "partial", { columns: ["age"], categories: [], where: "cost = 'p7'" }],
      ] as [string, string, Record<string, unknown>][]
    ) {
      const { status, reason, seen } = await run(profile, algorithm, method, kwargs);
      assert.notEqual(status, "completed", `${algorithm} ${method}`);
      assert.doesNotMatch(reason, /\brow \d|p7(?!')|p\d\d/, reason);
      assert.doesNotMatch(seen, /70425/);
    }
  }
});
