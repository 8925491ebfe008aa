import assert from "node:assert/strict";
import type { Output, OutputKind } from "../algorithms/sextant/description.ts";
import { type CheckOptions, checkResult } from "./check_result.ts";
import { type DisclosureRules, type Profile, PROFILES } from "./rules.ts";

const rulesOf = (profile: Profile, changed: Partial<DisclosureRules> = {}): DisclosureRules => ({
  profile,
  persons: null,
  ...PROFILES[profile],
  ...changed,
});

const out = (name: string, kind: OutputKind, more: Partial<Output> = {}): Output => ({
  name,
  kind,
  help: "What it is",
  ...more,
});

/** What leaves, and by which rules something does not. */
function leave(
  result: Record<string, unknown>,
  outputs: Output[],
  { rules = rulesOf("datashield"), ...options }: Partial<CheckOptions> = {},
) {
  const { result: left, withheld } = checkResult(structuredClone(result), {
    outputs,
    rules,
    ...options,
  });
  const { withheld: shown, ...rest } = left;
  assert.deepEqual(shown ?? [], withheld, "the result says what was withheld");
  return { left: rest, rules: withheld.map(({ output, rule, values }) => [output, rule, values]) };
}

const profiles = Object.keys(PROFILES) as Profile[];

Deno.test("checkResult() lets a count leave at the profile's number and at 0, and none between", () => {
  for (
    const [profile, least] of Object.entries({ datashield: 3, opensafely: 8, acro: 10, strict: 11 })
  ) {
    const rules = rulesOf(profile as Profile);
    const leaves = (n: number) => leave({ n }, [out("n", "count")], { rules });
    const rounded = (n: number) => Math.round(n / rules.roundTo) * rules.roundTo;
    assert.deepEqual(leaves(least), { left: { n: rounded(least) }, rules: [] }, profile);
    assert.deepEqual(leaves(0), { left: { n: 0 }, rules: [] }, profile);
    for (const n of [1, least - 1]) {
      assert.deepEqual(leaves(n), { left: { n: null }, rules: [["n", "min_cell", 1]] }, profile);
    }
  }
});

Deno.test("checkResult() lets values of every kind leave with the profile's number of persons behind them", () => {
  const values: [OutputKind, unknown, unknown][] = [
    ["moments", { mean: 3.5, sd: 0 }, null],
    ["model", 4.5, null],
    ["curve", [{ time: 1, survival: 0.5 }], null],
    ["estimate", { p: 0.04, test: "t" }, null],
    ["levels", ["f", "m"], null],
    ["quantiles", { "0.5": 4 }, null],
  ];
  for (const profile of profiles) {
    const rules = rulesOf(profile, { dominance: null, pRatio: null, roundTo: 1 });
    // A median has half of them on either side, and a model leaves persons free beside its terms.
    const least: Partial<Record<OutputKind, number>> = {
      quantiles: 2 * rules.minCell,
      model: Math.max(
        rules.minSubset,
        Math.ceil(1 / rules.maxTermsShare),
        1 + rules.minResidualFreedom,
      ),
    };
    for (const [kind, value] of values) {
      const n = least[kind] ?? rules.minSubset;
      const outputs = [out("n", "count"), out("x", kind, { restsOn: "n" })];
      const what = `${profile} ${kind}`;
      assert.deepEqual(leave({ n, x: value }, outputs, { rules }).left, { n, x: value }, what);
      const { left, rules: by } = leave({ n: n - 1, x: value }, outputs, { rules });
      const nothing = kind === "quantiles" ? { "0.5": null } : null;
      assert.deepEqual(left.x, nothing, what);
      assert.ok(by.some(([output]) => output === "x"), what);
    }
  }
});

Deno.test("checkResult() holds a model to its share of terms, and to what is left beside them", () => {
  const outputs = [out("n", "count"), out("b", "model", { restsOn: "n" })];
  const model = (n: number, terms: number, rules: DisclosureRules) =>
    leave({ n, b: Array(terms).fill(1.5) }, outputs, { rules }).rules;
  for (const profile of ["datashield", "opensafely", "strict"] as const) {
    assert.deepEqual(model(100, 33, rulesOf(profile)), [], profile);
    assert.deepEqual(model(100, 34, rulesOf(profile)), [["b", "max_terms_share", 34]], profile);
  }
  assert.deepEqual(model(30, 20, rulesOf("acro")), []);
  assert.deepEqual(model(30, 21, rulesOf("acro")), [["b", "min_residual_freedom", 21]]);
  // Saturated: as many terms as persons.
  for (const profile of profiles) {
    assert.equal(model(12, 12, rulesOf(profile)).length, 1, profile);
  }
});

Deno.test("checkResult() counts the terms of a model where its description says they are", () => {
  const outputs = [
    out("n", "count"),
    out("terms", "setting"),
    out("triangle", "model", { restsOn: "n", terms: "terms" }),
  ];
  const triangle = Array(55).fill(1);
  const left = (terms: unknown) => leave({ n: 100, terms, triangle }, outputs).rules;
  assert.deepEqual(left(10), []);
  assert.deepEqual(left(Array(10).fill("x")), []);
  assert.deepEqual(left(34), [["triangle", "max_terms_share", 55]]);
  assert.deepEqual(left(null), [["triangle", "rests_on", 55]]);
});

Deno.test("checkResult() wants every level of a variable of two to have its persons", () => {
  const rules = rulesOf("datashield", { minLevel: 10 });
  const outputs = [out("levels", "count")];
  assert.deepEqual(leave({ levels: { f: 10, m: 90 } }, outputs, { rules }).rules, []);
  assert.deepEqual(leave({ levels: { f: 9, m: 90 } }, outputs, { rules }), {
    left: { levels: { m: null } },
    rules: [["levels", "min_level", 2]],
  });
  // Of three levels it is no rule.
  assert.deepEqual(leave({ levels: { f: 9, m: 90, x: 50 } }, outputs, { rules }).rules, []);
  const model = [
    out("n", "count"),
    out("smallest", "persons"),
    out("b", "model", { restsOn: ["n", "smallest"] }),
  ];
  assert.deepEqual(leave({ n: 100, smallest: 10, b: [1] }, model, { rules }), {
    left: { n: 100, b: [1] },
    rules: [],
  });
  assert.deepEqual(leave({ n: 100, smallest: 9, b: [1] }, model, { rules }), {
    left: { n: 100, b: null },
    rules: [["b", "min_level", 1]],
  });
});

Deno.test("checkResult() withholds quantiles near the ends, and those near to each other", () => {
  const outputs = [out("n", "count"), out("q", "quantiles", { restsOn: "n" })];
  for (const profile of profiles) {
    const rules = rulesOf(profile, { roundTo: 1 });
    const n = 4 * rules.minCell;
    const q = {
      "0": 1,
      "0.24": 2,
      "0.25": 2.5,
      "0.5": 3,
      "0.6": 3.1,
      "0.75": 4,
      "0.76": 4,
      "1": 9,
    };
    const { left, rules: by } = leave({ n, q }, outputs, { rules });
    assert.deepEqual(left.q, {
      "0": null,
      "0.24": null,
      "0.25": 2.5,
      "0.5": 3,
      "0.6": null,
      "0.75": 4,
      "0.76": null,
      "1": null,
    }, profile);
    assert.deepEqual(by, [["q", "extremes", 4], ["q", "min_cell", 1]], profile);
    const open = { ...rules, extremes: true };
    assert.equal(
      (leave({ n, q: { "0": 1 } }, outputs, { rules: open }).left.q as typeof q)["0"],
      1,
    );
  }
  const listed = [
    out("n", "count"),
    out("q", "quantiles", { restsOn: "n", at: "probabilities" }),
  ];
  const args = { probabilities: [0.1, 0.5] };
  assert.deepEqual(leave({ n: 12, q: [1, 2] }, listed, { args }).left.q, [null, 2]);
  assert.deepEqual(leave({ n: 12, q: [1, 2] }, listed).left.q, [null, null]);
});

Deno.test("checkResult() withholds sums that few persons make up", () => {
  const outputs = [
    out("n", "count"),
    out("shares", "contributions"),
    out("sum", "moments", { restsOn: "n", contributions: "shares" }),
  ];
  for (const profile of ["acro", "strict"] as const) {
    const rules = rulesOf(profile);
    const by = (total: number, largest: number[]) =>
      leave({ n: 50, shares: { total, largest }, sum: 7 }, outputs, { rules });
    assert.deepEqual(by(100, [50, 40]), { left: { n: 50, sum: 7 }, rules: [] }, profile);
    assert.deepEqual(by(100, [51, 40]).rules, [["sum", "dominance", 1]], profile);
    // 9 % is 10 % of 90: the second largest could not estimate the largest.
    const alone = { ...rules, dominance: null };
    const ratio = (total: number, largest: number[]) =>
      leave({ n: 50, shares: { total, largest }, sum: 7 }, outputs, { rules: alone }).rules;
    assert.deepEqual(ratio(106, [60, 40]), [], profile);
    assert.deepEqual(ratio(105, [60, 40]), [["sum", "p_ratio", 1]], profile);
    // What shows nothing does not leave.
    const silent = [out("n", "count"), out("sum", "moments", { restsOn: "n" })];
    assert.deepEqual(
      leave({ n: 50, sum: 7 }, silent, { rules }).rules,
      [["sum", "dominance", 1]],
      profile,
    );
  }
  for (const profile of ["datashield", "opensafely"] as const) {
    const left = leave({ n: 50, shares: { total: 1, largest: [1] }, sum: 7 }, outputs, {
      rules: rulesOf(profile),
    });
    assert.deepEqual(left, { left: { n: 50, sum: 7 }, rules: [] }, profile);
  }
});

Deno.test("checkResult() rounds counts, and nothing else", () => {
  const rules = rulesOf("opensafely");
  const outputs = [
    out("n", "count"),
    out("bins", "count"),
    out("cells", "table"),
    out("mean", "moments", { restsOn: "n" }),
  ];
  const result = {
    n: 103,
    bins: [13, 12, 78],
    cells: [{ sex: "f", count: 51 }, { sex: "m", count: 52 }],
    mean: 43.21,
  };
  assert.deepEqual(leave(result, outputs, { rules }), {
    left: {
      n: 105,
      bins: [15, 10, 80],
      cells: [{ sex: "f", count: 50 }, { sex: "m", count: 50 }],
      mean: 43.21,
    },
    rules: [],
  });
});

Deno.test("checkResult() withholds a second cell where a margin would give one back", () => {
  const cell = (row: string, column: string, count: number) => ({ row, column, count });
  const cells = [
    cell("a", "x", 2),
    cell("a", "y", 20),
    cell("b", "x", 30),
    cell("b", "y", 40),
    cell("a", "z", 25),
    cell("b", "z", 0),
  ];
  const { left, rules } = leave({ cells }, [out("cells", "table")]);
  const shown = (left.cells as typeof cells).map(({ count }) => count);
  // By rows and by columns, two are missing or none.
  assert.deepEqual(shown, [null, null, null, null, 25, 0]);
  assert.deepEqual(rules, [["cells.count", "min_cell", 4]]);
  const matrix = leave({ m: [[2, 20, 25], [30, 40, 0]] }, [out("m", "table")]).left;
  assert.deepEqual(matrix.m, [[null, null, 25], [null, null, 0]]);
});

Deno.test("checkResult() does not let withheld counts follow from how many they are", () => {
  // 1 and 1 would be known from their sum, 1 and 2 are not known apart.
  const bins = (counts: number[]) => leave({ counts }, [out("counts", "count")]).left.counts;
  assert.deepEqual(bins([1, 1, 5, 9]), [null, null, null, 9]);
  assert.deepEqual(bins([1, 2, 5, 9]), [null, null, 5, 9]);
  assert.deepEqual(bins([1, 1, 1, 5, 9]), [null, null, null, null, 9]);
  assert.deepEqual(bins([2, 0, 5, 9]), [null, 0, null, 9]);
  assert.deepEqual(bins([2]), [null]);
});

Deno.test("checkResult() withholds a sum that would give back what is missing of it", () => {
  const outputs = [
    out("rows", "count"),
    out("n", "count", { partOf: "rows" }),
    out("left_out", "count", { partOf: "rows" }),
    out("mean", "moments", { restsOn: "n" }),
  ];
  assert.deepEqual(leave({ rows: 51, n: 50, left_out: 1, mean: 3 }, outputs), {
    left: { rows: null, n: 50, left_out: null, mean: 3 },
    rules: [["rows", "min_cell", 1], ["left_out", "min_cell", 1]],
  });
  assert.deepEqual(leave({ rows: 50, n: 50, left_out: 0, mean: 3 }, outputs).rules, []);
});

const GROUPS = [
  out("n", "count"),
  out("mean", "moments", { restsOn: "n" }),
  out("groups", "table", {
    each: [
      out("*", "table", {
        each: [
          out("n", "count", { partOf: "n" }),
          out("mean", "moments", { restsOn: "n" }),
        ],
      }),
    ],
  }),
];

Deno.test("checkResult() withholds means along with the counts that they rest on", () => {
  const of = (n: number, mean: number) => ({ n, mean });
  const result = {
    n: 62,
    mean: 4.2,
    groups: { rare: of(2, 9), some: of(20, 3), many: of(40, 5) },
  };
  const { left, rules } = leave(result, GROUPS);
  // The mean of all less that of the others would be that of the two.
  assert.deepEqual(left, {
    n: 62,
    mean: 4.2,
    groups: { some: of(null as unknown as number, null as unknown as number), many: of(40, 5) },
  });
  assert.deepEqual(rules, [
    ["groups.*.mean", "min_cell", 2],
    ["groups.*.n", "min_cell", 2],
    ["groups.*", "min_level", 1],
  ]);
});

Deno.test("checkResult() takes out names of levels that too few persons have", () => {
  const record = leave({ levels: { Adelie: 50, Rockhopper: 1, Gentoo: 40, Chinstrap: 30 } }, [
    out("levels", "count"),
  ]);
  assert.deepEqual(record.left, { levels: { Adelie: 50, Gentoo: 40, Chinstrap: null } });
  const known = leave({ left_out: { age: 1, sex: 40, weight: 9 } }, [
    out("left_out", "count", { keys: "setting" }),
  ]);
  assert.deepEqual(known.left, { left_out: { age: null, sex: 40, weight: null } });
  const cells = [
    { species: "Rockhopper", count: 1 },
    { species: "Adelie", count: 20 },
    { species: "Gentoo", count: 30 },
  ];
  const list = leave({ cells }, [out("cells", "table")]);
  assert.deepEqual(list.left.cells, [
    { species: null, count: null },
    { species: "Adelie", count: null },
    { species: "Gentoo", count: 30 },
  ]);
  const lists = leave({ names: ["a", "b", "c"], counts: [2, 8, 9] }, [
    out("names", "levels", { restsOn: "counts" }),
    out("counts", "count"),
  ]);
  assert.deepEqual(lists.left, { names: [null, "b", "c"], counts: [null, null, 9] });
});

Deno.test("checkResult() lets values in a list leave by the counts in their places", () => {
  const outputs = [
    out("sizes", "count"),
    out("sums", "moments", { restsOn: "sizes" }),
    out("within", "moments", { restsOn: "sizes" }),
  ];
  // k-means with a cluster of one, and an empty one.
  const { left, rules } = leave({
    sizes: [1, 30, 40, 0],
    sums: [[7, 8], [90, 80], [60, 50], [0, 0]],
    within: [0, 3, 4, 0],
  }, outputs);
  assert.deepEqual(left, {
    sizes: [null, null, 40, 0],
    sums: [null, null, [60, 50], [0, 0]],
    within: [null, null, 4, 0],
  });
  assert.deepEqual(rules, [
    ["sums", "min_cell", 4],
    ["within", "min_cell", 2],
    ["sizes", "min_cell", 2],
  ]);
  // Of nobody there is nothing to tell.
  const forged = leave({ sizes: [0, 30], sums: [[7], [9]], within: [0, 0] }, outputs);
  assert.deepEqual(forged.left.sums, [null, [9]]);
});

Deno.test("checkResult() counts persons where rows may be of the same one", () => {
  const rules = rulesOf("datashield", { persons: "patient" });
  const outputs = [
    out("n", "count", { restsOn: "persons" }),
    out("persons", "persons"),
    out("mean", "moments", { restsOn: "n" }),
  ];
  assert.deepEqual(leave({ n: 100, persons: 3, mean: 1 }, outputs, { rules }), {
    left: { n: 100, mean: 1 },
    rules: [],
  });
  assert.deepEqual(leave({ n: 100, persons: 2, mean: 1 }, outputs, { rules }), {
    left: { n: null, mean: null },
    rules: [["mean", "min_cell", 1], ["n", "min_cell", 1]],
  });
  const rows = [out("n", "count"), out("mean", "moments", { restsOn: "n" })];
  assert.deepEqual(leave({ n: 100, mean: 1 }, rows, { rules }), {
    left: { n: null, mean: null },
    rules: [["mean", "persons", 1], ["n", "persons", 1]],
  });
  const cells = [{ sex: "f", count: 9, persons: 2 }, { sex: "m", count: 9, persons: 9 }];
  assert.deepEqual(leave({ cells }, [out("cells", "table")], { rules }).left.cells, [
    { sex: null, count: null },
    { sex: "m", count: null },
  ]);
});

Deno.test("checkResult() takes out what is not declared, unless the owner trusts the algorithm", () => {
  const outputs = [
    out("n", "count"),
    out("note", "setting"),
    out("rest", "other"),
    out("bare", "estimate"),
    out("lost", "estimate", { restsOn: "m" }),
  ];
  const result = JSON.parse(
    `{"n": 9, "note": "a", "rest": [1, 2], "bare": 3, "lost": 4, "alice": 81, "__proto__": {"x": 5},
      "constructor": 6}`,
  );
  const { left, rules } = leave(result, outputs);
  assert.deepEqual(left, { n: 9, note: "a", bare: null, lost: null });
  assert.deepEqual(rules, [
    ["bare", "rests_on", 1],
    ["lost", "rests_on", 1],
    ["(not described)", "other", 3],
    ["rest", "other", 2],
  ]);
  assert.deepEqual(
    Object.keys(leave(result, outputs, { trusted: true }).left),
    Object.keys(result),
  );
});

Deno.test("checkResult() takes what is no count for none", () => {
  const outputs = [out("n", "count"), out("x", "moments", { restsOn: "n" })];
  for (const n of ["900", 900.5, -900, true, 1e300, null, [], {}]) {
    const { left } = leave({ n, x: 42 }, outputs);
    assert.equal(left.x, null, JSON.stringify(n));
    assert.ok(!JSON.stringify(left).includes("900"), JSON.stringify(n));
  }
});

Deno.test("checkResult() tells how many values there were, and takes evidence for none", () => {
  const outputs = [out("n", "count", { restsOn: "p" }), out("p", "persons"), out("x", "setting")];
  const { before, after } = checkResult({ n: 2, p: 2, x: [1, 2] }, {
    outputs,
    rules: rulesOf("datashield"),
  });
  assert.deepEqual({ before, after }, { before: 3, after: 2 });
});
