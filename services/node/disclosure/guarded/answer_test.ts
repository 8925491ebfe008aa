/**
 * What a run may learn of a table without rows: on both sides of each rule's number, and as
 * somebody would ask who is after one person.
 */
import assert from "node:assert/strict";
import type {
  CrossProductsAnswer,
  GroupsAnswer,
  QuantileCountsAnswer,
  RiskSetsAnswer,
  Table,
} from "../../algorithms/api.ts";
import { memoryTable, type Values } from "../../../../tests/support/memory_table.ts";
import { readSelections } from "../../algorithms/sextant/selection.ts";
import { type Profile, PROFILES } from "../rules.ts";
import { answer } from "./answer.ts";
import { answerGroups } from "./groups.ts";
import { readQuestion } from "./questions.ts";

import { openSession } from "./session.ts";

function rulesOf(profile: Profile, more: Record<string, unknown> = {}) {
  return { profile, persons: null, ...PROFILES[profile], ...more };
}

/** Asks one run's questions of a table. */
function asking(
  table: Table | Record<string, Values>,
  profile: Profile | null,
  more: Record<string, unknown> = {},
) {
  const opened = "floats" in table ? table as Table : memoryTable(table as Record<string, Values>);
  const session = openSession(opened, profile && rulesOf(profile, more));
  const ask = (question: Record<string, unknown>) => {
    const read = readQuestion({ label: "default", ...question });
    if (read.ask === "describe") throw new Error("not here");
    return answer(session, read).value;
  };
  return {
    groups: (columns: string[], options = {}) =>
      ask({ ask: "groups", columns, ...options }) as GroupsAnswer,
    products: (terms: unknown[], options = {}) =>
      ask({ ask: "crossProducts", terms, ...options }) as CrossProductsAnswer,
    risks: (time: string, event: string, options = {}) =>
      ask({ ask: "riskSets", time, event, ...options }) as RiskSetsAnswer,
    quantiles: (column: string, thresholds: number[], options = {}) =>
      ask({ ask: "quantileCounts", column, thresholds, ...options }) as QuantileCountsAnswer,
  };
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const repeated = (...parts: [value: string | number, times: number][]) =>
  parts.flatMap(([value, times]) => new Array(times).fill(value) as (string | number)[]);

Deno.test("guarded sums that are too large to be numbers are said to be so, and not told as if withheld", () => {
  for (const profile of ["datashield", null] as const) {
    const x = upTo(20).map((i) => i * 1e200);
    const table = { x, y: upTo(20), w: upTo(20).map((i) => 1 + i % 7), g: repeated(["a", 20]) };
    const tooLarge = /^RangeError: A number of this organization's part is too large to be one\.$/;
    const asked = asking(table, profile, { maxTermsShare: 1 });
    assert.throws(() => asked.products(["x", "y"]), tooLarge);
    assert.throws(() => asked.products(["x", "y"], { weights: "w" }), tooLarge);
    assert.throws(() => asked.groups(["g"], { sums: ["x"] }), tooLarge);
  }
});

Deno.test("guarded risk sets take no times that come nearer to a value than others are", () => {
  const time = upTo(60).map((i) => 10 * i + 0.5);
  const event = upTo(60).map((i) => i % 2);
  const ends = (times: number[]) =>
    asking({ time, event }, "datashield").risks("time", "event", { times }).groups[0]!.intervals
      .map(({ until }) => until);
  assert.deepEqual(ends([300]), [300, null]);
  const [near, nearer] = [ends([300.49]), ends([300.51])];
  assert.deepEqual([near, nearer], [[null], [null]], "on neither side of a value");
});

const LEAST: Record<Profile, number> = { datashield: 3, opensafely: 8, acro: 10, strict: 11 };

for (const [profile, least] of Object.entries(LEAST) as [Profile, number][]) {
  const rounded = (count: number) => {
    const { roundTo } = PROFILES[profile];
    return Math.round(count / roundTo) * roundTo;
  };

  Deno.test(`guarded ${profile}: all rows are told of from ${least} persons on`, () => {
    const few = asking({ x: upTo(least - 1) }, profile).groups([]);
    assert.deepEqual([few.n, few.persons, few.groups], [null, null, []]);
    assert.deepEqual(few.withheld, ["min_subset"]);
    const none = asking({ x: upTo(least - 1) }, profile).groups([], { where: "x > 1000" });
    assert.deepEqual(none, few, "nobody is told from few");
    const enough = asking({ x: upTo(least) }, profile).groups([]);
    assert.equal(enough.groups.length, 1);
    assert.equal(enough.n, rounded(least));
  });

  Deno.test(`guarded ${profile}: a group is told of from ${least} persons on`, () => {
    const levels = (counts: [string, number][]) =>
      asking({ group: repeated(...counts) }, profile).groups(["group"]).groups
        .map(({ levels }) => levels[0]);
    assert.deepEqual(levels([["a", 40], ["b", 30], ["c", least]]), ["a", "b", "c"]);
    // With the total, the next one would give it back.
    assert.deepEqual(levels([["a", 40], ["b", 30], ["c", least - 1]]), ["a"]);
    // What is missing is of persons enough.
    assert.deepEqual(
      levels([["a", 40], ["b", 30], ["c", least - 1], ["d", least - 1]]),
      ["a", "b"],
    );
  });

  Deno.test(`guarded ${profile}: each of two values of a mean are those of ${least} persons`, () => {
    const mean = (ones: number) =>
      asking({ x: repeated([0, 40], [1, ones]) }, profile).groups([], { sums: ["x"] })
        .groups[0]!.moments.x;
    assert.notEqual(mean(least), null);
    assert.equal(mean(least - 1), null);
    assert.equal(mean(1), null);
  });

  Deno.test(`guarded ${profile}: a threshold has ${least} persons on either side`, () => {
    const x = upTo(100);
    const thresholds = [least - 1, 50, 101 - least];
    const { counts } = asking({ x }, profile).quantiles("x", thresholds);
    assert.deepEqual(counts, [null, 50, null]);
    // A round one at the border: as many as must be, and one fewer.
    const border = (below: number) =>
      asking({ x: [...repeated([9.5, below]), ...repeated([15, 60])] }, profile)
        .quantiles("x", [10]).counts[0];
    assert.deepEqual([border(least - 1), border(least)], [null, rounded(least)]);
  });

  Deno.test(`guarded ${profile}: events in an interval are those of ${least} persons`, () => {
    const time = upTo(60);
    const event = time.map((one) => one % 2);
    const { groups: [group], n } = asking({ time, event }, profile).risks("time", "event", {
      times: upTo(60),
    });
    assert.equal(n, 60);
    assert.ok(group!.intervals.length > 0);
    for (const { events, left } of group!.intervals) {
      assert.ok(events >= rounded(least) && left >= rounded(least), `${events}, ${left}`);
    }
  });
}

Deno.test("guarded: without rules everything is told as it is", () => {
  const table = { x: [1, 2, null], group: ["a", "b", "a"], time: [1, 2, 3], event: [1, 0, 1] };
  const ask = asking(table, null);
  assert.deepEqual(ask.groups(["group"]).groups.map(({ n }) => n), [2, 1]);
  assert.deepEqual(ask.quantiles("x", [1, 1.5, 2]).counts, [1, 1, 2]);
  assert.deepEqual(ask.products(["x"]).products, [[0.5]]);
  assert.deepEqual(ask.risks("time", "event", { times: [1, 2] }).groups[0]!.intervals, [
    { until: 1, at_risk: 3, events: 1, left: 0 },
    { until: 2, at_risk: 2, events: 0, left: 1 },
    { until: null, at_risk: 1, events: 1, left: 0 },
  ]);
});

const PEOPLE = {
  name: upTo(40).map((i) => `p${i}`),
  age: upTo(40).map((i) => 20 + i),
  sex: upTo(40).map((i) => i % 2 === 0 ? "f" : "m"),
  hiv: upTo(40).map((i) => i === 7 || i > 30),
  cost: upTo(40).map((i) => i === 7 ? 100_000 : 100 + i),
};

Deno.test("guarded attack: a condition that only one person meets tells what one tells that nobody does", () => {
  for (const profile of ["datashield", "strict"] as const) {
    const ask = asking(PEOPLE, profile);
    const one = ask.groups([], { where: "name = 'p7'", sums: ["age"] });
    assert.deepEqual(one, ask.groups([], { where: "name = 'nobody'", sums: ["age"] }));
    assert.deepEqual(one.groups, []);
    assert.deepEqual(ask.groups(["name"]).groups, []);
  }
});

Deno.test("guarded attack: two conditions that differ by one person are not both answered", () => {
  const ask = asking(PEOPLE, "datashield");
  assert.notEqual(ask.groups([], { where: "age <= 40", sums: ["cost"] }).n, null);
  const second = ask.groups([], { where: "age <= 41", sums: ["cost"] });
  assert.deepEqual([second.n, second.groups, second.withheld], [null, [], ["difference"]]);
  // By another question, and by a sum of a column that has not been asked for.
  assert.equal(ask.products(["cost"], { where: "age <= 41" }).products, null);
  assert.deepEqual(ask.groups([], { where: "age < 41 or name = 'p39'" }).groups, []);
  // Three more may come.
  assert.notEqual(ask.groups([], { where: "age <= 43", sums: ["cost"] }).n, null);
});

Deno.test("guarded attack: a cell differs by one person where the whole differs by many", () => {
  const ask = asking(PEOPLE, "datashield");
  const first = ask.groups(["hiv"], { where: "age > 40" });
  assert.equal(first.groups.length, 2);
  // p7 and three without the disease.
  const second = ask.groups(["hiv"], {
    where: "age > 40 or name = 'p7' or name in ('p1', 'p2', 'p3')",
  });
  const withDisease = second.groups.find(({ levels }) => levels[0] === "true");
  assert.equal(withDisease, undefined);
});

Deno.test("guarded attack: a small cell is not given back by margins asked for in another question", () => {
  const table = {
    a: repeated(["x", 12], ["y", 12]),
    b: [...repeated(["1", 5], ["2", 5], ["3", 2]), ...repeated(["1", 4], ["2", 4], ["3", 4])],
  };
  for (const order of [[["a"], ["b"], ["a", "b"]], [["a", "b"], ["b"], ["a"]]]) {
    const ask = asking(table, "datashield");
    const told = new Map<string, number>();
    for (const columns of order) {
      for (const { levels, n } of ask.groups(columns).groups) {
        told.set(columns.map((name, i) => `${name}=${levels[i]}`).join(), n);
      }
    }
    assert.equal(told.has("a=x,b=3"), false);
    // Neither by its row nor by its column.
    const row = ["a=x", "a=x,b=1", "a=x,b=2"].every((name) => told.has(name));
    const column = ["b=3", "a=y,b=3"].every((name) => told.has(name));
    assert.equal(row || column, false, JSON.stringify([...told]));
  }
});

Deno.test("guarded attack: thresholds that come closer and closer do not end at a value", () => {
  const values = upTo(30).map((i) => i + 0.123);
  const ask = asking({ x: values }, "datashield");
  const answered: number[] = [];
  let [low, high] = [0, 32];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    const [count] = ask.quantiles("x", [middle]).counts;
    if (count !== null) answered.push(middle);
    if (count === null || count! < 15) low = middle;
    else high = middle;
  }
  for (const limit of upTo(300)) {
    const [count] = ask.quantiles("x", [limit / 10]).counts;
    if (count !== null) answered.push(limit / 10);
  }
  // Three values lie within 5 of these, on either side.
  assert.deepEqual([...new Set(answered)].sort((a, b) => a - b), [5, 10, 15, 20, 25]);
});

Deno.test("guarded attack: a mean of nearly one value gives no outlier away", () => {
  const x = upTo(50).map((i) => i === 9 ? 7777 : i === 10 ? 4 : 0);
  assert.equal(asking({ x }, "datashield").groups([], { sums: ["x"] }).groups[0]!.moments.x, null);
});

Deno.test("guarded attack: a person who makes up nearly all of a sum is kept by acro and strict", () => {
  for (const profile of ["acro", "strict"] as const) {
    const { groups: [all], withheld } = asking(PEOPLE, profile).groups([], { sums: ["cost"] });
    assert.equal(all!.moments.cost, null);
    assert.deepEqual(withheld, ["dominance"]);
  }
});

Deno.test("guarded attack: a saturated model is refused, at once or term by term", () => {
  const table = Object.fromEntries(
    upTo(10).map((j) => [`x${j}`, upTo(12).map((i) => Math.sin(i * j) + i)]),
  );
  const names = Object.keys(table);
  assert.deepEqual(asking(table, "datashield").products(names).withheld, ["max_terms_share"]);
  const ask = asking(table, "datashield");
  assert.notEqual(ask.products(names.slice(0, 3)).means, null);
  assert.deepEqual(ask.products(names.slice(3, 6)).withheld, ["max_terms_share"]);
});

Deno.test("guarded attack: a dummy for one person, by level or by product of two", () => {
  const ask = asking(PEOPLE, "datashield");
  assert.equal(ask.products(["cost", { column: "name", level: "p7" }]).means, null);
  // Of those who are ill, one is young: the product of the two columns is a count of one.
  const table = {
    ill: upTo(40).map((i) => i <= 10),
    young: upTo(40).map((i) => i > 9 && i < 25),
  };
  assert.deepEqual(asking(table, "datashield").products(["ill", "young"]).withheld, ["min_cell"]);
  assert.notEqual(asking(table, "datashield").products(["ill"]).means, null);
});

Deno.test("guarded attack: weights that leave one person are no weights", () => {
  const table = {
    x: upTo(30),
    one: upTo(30).map((i) => i === 4 ? 1e9 : 1 + i / 100),
    some: upTo(30).map((i) => i > 27 ? 1 : 0),
    few: upTo(30).map((i) => i > 28 ? 1 : 0),
    good: upTo(30).map((i) => 1 + i / 100),
  };
  assert.deepEqual(asking(table, "datashield").products(["x"], { weights: "one" }).withheld, [
    "dominance",
  ]);
  assert.deepEqual(asking(table, "datashield").products(["x"], { weights: "few" }).withheld, [
    "min_subset",
  ]);
  const good = asking(table, "datashield").products(["x"], { weights: "good" });
  assert.ok(good.means![0]! > 15.5);
});

Deno.test("guarded: persons are counted, not rows", () => {
  const table = { person: repeated([1, 20], [2, 20]), x: upTo(40) };
  const rules = { persons: "person" };
  assert.equal(asking(table, "datashield", rules).groups([], { sums: ["x"] }).n, null);
  const three = { person: repeated([1, 20], [2, 20], [3, 1]), x: upTo(41) };
  const told = asking(three, "datashield", rules).groups([], { sums: ["x"] });
  assert.deepEqual([told.n, told.persons], [41, 3]);
  // Rows that name nobody are not as many persons.
  const nobody = { person: [1, 2, ...new Array(38).fill(null)], x: upTo(40) };
  assert.equal(asking(nobody, "datashield", rules).groups([]).persons, 3);
});

Deno.test("guarded: columns that lack a value each can both be counted and averaged", () => {
  const table = {
    x: upTo(40).map((i) => i === 3 ? null : i),
    y: upTo(40).map((i) => i === 9 || i === 11 ? null : i * i),
    sex: upTo(40).map((i) => i === 20 ? null : i % 2 === 0 ? "f" : "m"),
  };
  const ask = asking(table, "datashield");
  const counts = [
    ask.groups([]),
    ask.groups([], { sums: ["x"] }),
    ask.groups([], { sums: ["y"] }),
    ask.groups(["sex"]),
    ask.groups(["sex"], { sums: ["y"] }),
  ];
  assert.deepEqual(counts.map(({ n, withheld }) => [n, withheld]), [
    [40, []],
    [39, []],
    [38, []],
    [39, []],
    // One lacks its sex: the sum of y over the others would give that person's away.
    [37, ["difference"]],
  ]);
});

Deno.test("guarded opensafely: counts are rounded, and means of two values are made of them", () => {
  const table = { x: repeated([0, 23], [1, 14]), y: upTo(37), sex: repeated(["f", 18], ["m", 19]) };
  const ask = asking(table, "opensafely");
  const { n, groups: [all] } = ask.groups([], { sums: ["x"] });
  assert.deepEqual([n, all!.n, all!.moments.x!.mean], [35, 35, 15 / 35]);
  const bySex = asking(table, "opensafely").groups(["sex"]);
  assert.deepEqual(bySex.groups.map(({ n }) => n), [20, 20]);
  // Five are neither women nor have x = 1: all three sets together would give them away.
  assert.deepEqual(ask.groups(["sex"]).groups, []);
  const { means, products } = asking(table, "opensafely").products(["x", "y"]);
  assert.equal(means![0], 15 / 35);
  assert.ok(Math.abs(products![0]![0]! - 15 * 20 / 35) < 1e-9);
  assert.ok(Math.abs(products![1]![1]! - 35 * (37 ** 2 - 1) / 12) < 1e-9);
});

Deno.test("guarded attack: a group's sums that are withheld are not those of all less the others'", () => {
  const ward = repeated(["A", 20], ["B", 30], ["C", 30]);
  const likely = (i: number) => i <= 20 ? 0 : i;
  const tables = {
    // Of ward A but one person has 0.
    "one of the same value": [upTo(80).map((i) => i === 7 ? 77 : likely(i)), "datashield"],
    "two values, one of a person": [
      upTo(80).map((i) => i === 7 ? 3 : i <= 20 ? 4 : i),
      "datashield",
    ],
    dominance: [
      upTo(80).map((i) => i === 7 ? 50_000 : 100 + i % 9 + 50 * Math.floor(i / 21)),
      "acro",
    ],
  } as const;
  for (const [name, [x, profile]] of Object.entries(tables)) {
    // Asked for as a group, or as those of whom nothing is asked.
    for (const [first, second] of [[[], ["ward"]], [["ward"], []]] as string[][][]) {
      const ask = asking({ ward, x: [...x] }, profile);
      const all = [ask.groups(first!, { sums: ["x"] }), ask.groups(second!, { sums: ["x"] })];
      const told = new Set(
        all.flatMap(({ groups }) =>
          groups.filter(({ moments }) => moments.x).map(({ levels }) => levels[0] ?? "all")
        ),
      );
      assert.equal(told.has("A"), false, name);
      assert.equal(["all", "B", "C"].every((one) => told.has(one)), false, name);
      assert.equal(told.size > 0, true, name);
    }
    const ask = asking({ ward, x: [...x] }, profile);
    const all = ask.groups([], { sums: ["x"] }).groups[0]!.moments.x;
    const rest = ask.groups([], { where: "ward in ('B', 'C')", sums: ["x"] });
    assert.equal(all && rest.groups[0]!.moments.x, null, `${name}: chosen`);
    // Nor by products.
    const products = asking({ ward, x: [...x], y: upTo(80).map((i) => i * i % 83) }, profile);
    assert.notEqual(products.products(["x", "y"]).means, null, name);
    assert.equal(products.products(["x", "y"], { where: "ward in ('B', 'C')" }).means, null, name);
  }
});

Deno.test("guarded: where no group gives anything away, all of them are told", () => {
  const ward = repeated(["A", 20], ["B", 30], ["C", 30]);
  const ask = asking({ ward, x: upTo(80).map((i) => i * i % 83) }, "acro");
  assert.equal(ask.groups([], { sums: ["x"] }).groups[0]!.moments.x === null, false);
  const { groups, withheld } = ask.groups(["ward"], { sums: ["x"] });
  assert.deepEqual(groups.map(({ moments }) => moments.x === null), [false, false, false]);
  assert.deepEqual(withheld, []);
});

Deno.test("guarded attack: products with weights of few values are those of the rows of each", () => {
  // Of those of weight 2 one person is both ill and young; of all, many are.
  const ill = upTo(80).map((i) => i % 2 === 0);
  const young = upTo(80).map((i) => i <= 60 ? i % 4 < 2 : i % 4 === 1 || i === 70);
  const w = upTo(80).map((i) => i <= 60 ? 1 : 2);
  const table = { ill, young, w, x: upTo(80).map((i) => i * i % 83) };
  assert.notEqual(asking(table, "datashield").products(["ill", "young"]).means, null);
  const { means, withheld } = asking(table, "datashield")
    .products(["ill", "young"], { weights: "w" });
  assert.deepEqual([means, withheld], [null, ["difference"]]);
  assert.notEqual(asking(table, "datashield").products(["ill", "x"], { weights: "w" }).means, null);
});

Deno.test("guarded attack: products of a column of three values are sums of those who have each", () => {
  const score = upTo(90).map((i) => i % 3);
  const x = upTo(90).map((i) => i * i % 97);
  const ask = asking({ i: upTo(90), score, x }, "datashield");
  assert.notEqual(ask.products(["score", "x"]).means, null);
  // With these, the sums of those with score 1 but for one would follow.
  assert.equal(ask.groups([], { where: "score = 1 and i > 3", sums: ["x"] }).groups.length, 0);
  assert.notEqual(ask.groups([], { where: "score = 1 and i > 12", sums: ["x"] }).groups.length, 0);
});

Deno.test("guarded attack: of persons with several rows it is told how many there are at least", () => {
  // One person is in both wards.
  const table = {
    person: [...upTo(31), 31, ...upTo(29).map((i) => 31 + i), 100],
    ward: repeated(["A", 31], ["B", 31]),
    x: upTo(62).map((i) => i * i % 83),
  };
  const ask = asking(table, "datashield", { persons: "person" });
  const { persons, groups } = ask.groups(["ward"]);
  assert.deepEqual([persons, groups.map(({ persons }) => persons)], [60, [30, 30]]);
});

Deno.test("of guarded sums the ledger hears of the rows without a value that many have", () => {
  const x = upTo(60).map((i) => i % 4 === 0 ? 0 : i);
  const session = openSession(memoryTable({ x }), rulesOf("datashield"));
  answerGroups(session, { columns: [], sums: ["x"] });
  const heard = session.used.flatMap((one) => Array.from(readSelections(one, 60), String));
  assert.ok(heard.includes(String(Uint8Array.from(x, (one) => one === 0 ? 0 : 1))));
});
