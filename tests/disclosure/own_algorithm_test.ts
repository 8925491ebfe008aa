/** Attacks with an algorithm of the attacker's own, which runs at the sites in the sandbox. */
import assert from "node:assert/strict";
import { useTestStack, waitFor } from "../harness.ts";
import type { Json } from "../site.ts";
import { assertNoSecret, createVictims, PEOPLE, type Victims } from "./victims.ts";

const stack = useTestStack();
let made: Promise<Victims> | undefined;
const PROFILES = ["datashield", "strict"] as const;
const LEAST = { datashield: 3, strict: 11 };

function victims(): Promise<Victims> {
  return made ??= (async () => {
    const found = await createVictims(stack(), { algorithm_library: false });
    await Promise.all(found.site.members.map(found.site.startNode));
    return found;
  })();
}

/** Asks questions at one site in one run; the answers. */
async function ask(at: "datashield" | "strict" | "one", questions: unknown[]): Promise<Json[]> {
  const { attack, members } = await victims();
  const found = await attack({
    image: "deno:attack@1.0.0",
    method: "ask",
    kwargs: { questions },
    at: members[at],
  });
  assert.equal(found.status, "completed", found.reason);
  assertNoSecret(JSON.stringify(questions).slice(0, 200), found);
  return found.result;
}

Deno.test("attack: rows, errors, logs, names and a forged n carry nothing out of a guarded site", async () => {
  const { attack, members } = await victims();
  for (const profile of PROFILES) {
    for (
      const method of ["rows", "forged", "byError", "byNameOfError", "byLog", "byName", "byOutcome"]
    ) {
      const found = await attack({ image: "deno:attack@1.0.0", method, at: members[profile] });
      assert.equal(found.status, "crashed", method);
      assert.match(found.reason, /gets no rows.*disclosure\.trusted/, method);
      assertNoSecret(`${method} under ${profile}`, found);
    }
  }
});

Deno.test("attack: a description that says it is the library's changes nothing", async () => {
  const { attack, members } = await victims();
  for (const profile of PROFILES) {
    const image = "deno:pretender@1.0.0";
    const found = await attack({ image, method: "partial", at: members[profile] });
    assert.equal(found.status, "crashed");
    assert.match(found.reason, /gets no rows.*disclosure\.trusted/);
    assertNoSecret(`as if it were the library, under ${profile}`, found);
  }
});

Deno.test("attack: a site of one row tells nothing of it", async () => {
  const answers = await ask("one", [
    ["groups", [[]]],
    ["groups", [["sex"], { sums: ["cost"] }]],
    ["moments", [["cost", "age"]]],
    ["crossProducts", [["cost", "age"]]],
    ["riskSets", ["days", "died"]],
    ["quantileCounts", ["cost", [0, 70_000, 80_000]]],
  ]);
  for (const { n, persons, groups = [], means = null, counts = [null], withheld } of answers) {
    assert.deepEqual([n, persons, groups, means], [null, null, [], null]);
    assert.ok(counts.every((one: unknown) => one === null));
    assert.deepEqual(withheld, ["min_subset"]);
  }
});

Deno.test("attack: a condition on one person is answered as one on nobody", async () => {
  for (const profile of PROFILES) {
    const about = (name: string) => [
      ["groups", [[], { where: `name = '${name}'`, sums: ["cost"] }]],
      ["groups", [["hiv"], { where: `name = '${name}' and hiv = 1` }]],
      ["moments", [["cost"], { where: `name = '${name}'` }]],
      ["crossProducts", [["cost"], { where: `name = '${name}'` }]],
      ["riskSets", ["days", "died", { where: `name = '${name}'` }]],
      ["quantileCounts", ["cost", [1000], { where: `name = '${name}'` }]],
    ];
    assert.deepEqual(await ask(profile, about("p7")), await ask(profile, about("nobody")));
  }
});

Deno.test("attack: two conditions that differ by one person, in one run or in two", async () => {
  for (const profile of PROFILES) {
    const mean = (age: number) => ["moments", [["cost"], { where: `age <= ${age}` }]];
    // In another run the order is the other way round. p7 is the only one above a thousand.
    const [with7, without7, between] = await ask(profile, [
      mean(47),
      ["moments", [["cost"], { where: "age <= 47 and name != 'p7'" }]],
      ["moments", [["cost"], { where: "age <= 47 and cost < 1000" }]],
    ]);
    assert.notEqual(with7.n, null);
    for (const { n, groups } of [without7, between]) assert.deepEqual([n, groups], [null, []]);
    assert.deepEqual([without7.withheld, between.withheld], [["min_subset"], ["difference"]]);
  }
});

Deno.test("attack: a group in one run, and in another its rows without one person by a filter", async () => {
  // Of the men, and of the ill, p7 is the only one above a thousand.
  const pairs = [
    [["groups", [["sex"], { sums: ["age"] }]], "sex = 'm' and cost < 1000", "sex = 'm'"],
    [["crossProducts", [["age", "hiv"]]], "hiv = 1 and cost < 1000", "hiv = 1"],
  ] as const;
  for (const profile of PROFILES) {
    for (const [group, without, same] of pairs) {
      const [told] = await ask(profile, [group]);
      // The same rows are no news.
      const [again] = await ask(profile, [["moments", [["days"], { where: same }]]]);
      const [rest] = await ask(profile, [["moments", [["days"], { where: without }]]]);
      if (told.n !== null) assert.notEqual(again.n, null, JSON.stringify([told, again]));
      const { n = null, groups = [] } = rest;
      assert.deepEqual([n, groups], [null, []], `${profile}: ${JSON.stringify([told, rest])}`);
    }
  }
});

Deno.test("attack: residuals and predictions are of rows, and there are none", async () => {
  const { attack, members } = await victims();
  for (const profile of PROFILES) {
    const found = await attack({
      image: "deno:attack@1.0.0",
      method: "residuals",
      kwargs: { names: PEOPLE.map(({ name }) => name) },
      at: members[profile],
    });
    assertNoSecret(`residuals under ${profile}`, found);
    assert.equal(found.status, "completed", found.reason);
    assert.deepEqual(found.result.residuals, PEOPLE.map(() => null), profile);
  }
});

Deno.test("attack: clusters of one, by centres and limits of the attacker's", async () => {
  for (const profile of PROFILES) {
    const between = (
      [from, to]: number[],
    ) => ["moments", [["cost", "age"], { where: `cost >= ${from} and cost < ${to}` }]];
    const near = [[0, 500], [500, 60_000], [60_000, 80_000], [70_000, 71_000]].map(between);
    const answers = await ask(profile, near);
    assert.deepEqual(answers.slice(1).map(({ n }) => n), [null, null, null], profile);
  }
});

Deno.test("attack: by whether a condition with a name in it is refused nobody learns what the named one has", async () => {
  for (const profile of PROFILES) {
    const about = (name: string) => [
      ["groups", [[], { where: "hiv = 0" }]],
      ["groups", [[], { where: `name = '${name}' or hiv = 0` }]],
      ["moments", [["age"], { where: `hiv = 0 and name != '${name}'` }]],
    ];
    const [ill, well, nobody] = [
      await ask(profile, about("p7")),
      await ask(profile, about("p8")),
      await ask(profile, about("q")),
    ];
    assert.deepEqual([well, nobody], [ill, ill], profile);
    assert.notEqual(ill[0].n, null);
  }
});

Deno.test("attack: subtraction through margins", async () => {
  for (const profile of PROFILES) {
    const orders = [[["centre"], ["sex"], ["centre", "sex"]], [["centre", "sex"], ["centre"], []]];
    for (const order of orders) {
      const answers = await ask(profile, order.map((columns) => ["groups", [columns]]));
      const told = new Map<string, number>();
      // Beside the total that an earlier run was told, groups may not be told at all.
      for (const [i, { n = 0, groups = [] }] of answers.entries()) {
        for (const { levels, n } of groups) told.set(`${order[i]}:${levels}`, n);
        const rest = n - groups.reduce((sum: number, group: Json) => sum + group.n, 0);
        assert.ok(rest === 0 || rest >= LEAST[profile], `${rest} are left over`);
      }
      // Centre c is those two alone.
      assert.ok([...told.keys()].every((name) => !name.includes("c,") && !name.endsWith(":c")));
      for (const n of told.values()) assert.ok(n >= LEAST[profile]);
    }
  }
});

Deno.test("attack: thresholds and bins down to one value", async () => {
  for (const profile of PROFILES) {
    const asked = Array.from({ length: 60 }, (_, i) => 60_000 + 331 * i);
    const [{ counts }, ages] = await ask(profile, [
      ["quantileCounts", ["cost", asked]],
      ["quantileCounts", ["age", PEOPLE.map(({ age }) => age)]],
    ]);
    assert.ok(counts.every((one: unknown) => one === null));
    const known = ages.counts.filter((one: unknown) => one !== null) as number[];
    for (const [i, one] of known.entries()) {
      const step = one - (known[i - 1] ?? 0);
      assert.ok(step >= LEAST[profile], `${step}`);
    }
    assert.ok(60 - (known.at(-1) ?? 0) >= LEAST[profile]);
  }
});

Deno.test("attack: a saturated model, and a column that marks one person", async () => {
  for (const profile of PROFILES) {
    const dummies = PEOPLE.slice(0, 59).map(({ name }) => ({ column: "name", level: name }));
    const answers = await ask(profile, [
      ["crossProducts", [["cost", ...dummies]]],
      ["crossProducts", [["cost", { column: "name", level: "p7" }]]],
      ["crossProducts", [["cost", "hiv", { column: "centre", level: "c" }]]],
      ["crossProducts", [["cost"], { weights: "cost" }]],
      ["riskSets", ["days", "died", { times: PEOPLE.map(({ days }) => days), by: ["name"] }]],
    ]);
    for (const { means = null, groups = [] } of answers) {
      assert.deepEqual([means, groups], [null, []]);
    }
  }
});

Deno.test("attack: at a site that holds what it does not know, nothing is to be seen of rows", async () => {
  const { members, site } = await victims();
  const { researcher, post } = site;
  for (
    const method of ["rows", "forged", "byError", "byNameOfError", "byLog", "byName", "byOutcome"]
  ) {
    const { id } = await post({ image: "deno:attack@1.0.0", method, members: [members.hold] });
    const paths = [
      `/task/${id}/status`,
      `/task/${id}`,
      `/run?task_id=${id}`,
      `/result?task_id=${id}`,
      `/task?parent_id=${id}`,
    ];
    const seen = await waitFor(async () => {
      const seen: Json[] = await Promise.all(paths.map((path) => researcher.get(path)));
      const [run] = seen[2].data;
      return run.waiting || run.finished_at ? seen : undefined;
    }, { what: "the run to end or to be held", timeout: 30_000 });
    assertNoSecret(`${method}, held`, ...seen);
    assert.equal(seen[4].data.length, 0, `${method} made a subtask`);
    assert.doesNotMatch(JSON.stringify(seen), /"status":"completed"/, method);
  }
});
