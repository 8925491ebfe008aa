import assert from "node:assert/strict";
import { leave, out, rulesOf } from "../../../tests/support/leaving.ts";
import { checkResult } from "./check_result.ts";

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

Deno.test("checkResult() takes a level of too few out of all cells that have it, also of those of nobody", () => {
  const cell = (row: string, column: string, count: number) => ({ row, column, count });
  const { left } = leave({
    cells: [
      cell("Rare", "f", 2),
      cell("Adelie", "f", 20),
      cell("Gentoo", "f", 30),
      cell("Rare", "m", 0),
      cell("Adelie", "m", 25),
      cell("Gentoo", "m", 35),
    ],
  }, [
    out("cells", "table", {
      each: [
        out("row", "levels", { restsOn: "count" }),
        out("column", "levels", { restsOn: "count" }),
        out("count", "count"),
      ],
    }),
  ]);
  const [rare, , , alsoRare] = left.cells as unknown[];
  assert.deepEqual(rare, { row: null, column: "f", count: null });
  // That none are m would say that all of them are f.
  assert.deepEqual(alsoRare, { row: null, column: "m", count: null });
  assert.match(JSON.stringify(left), /"Gentoo"/);
});
