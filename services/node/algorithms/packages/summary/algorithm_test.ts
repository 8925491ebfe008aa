import assert from "node:assert/strict";
import {
  assertEveryBadValueIsSaid,
  assertRefusals,
} from "../../../../../tests/support/bad_arguments.ts";
import { federate } from "../../../../../tests/support/federation.ts";
import * as algorithm from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof algorithm.central>>;

const FILES = [
  "x,g,c,e,d,t\n1,a,1,,2020-01-01,p\n2,a,2,,,q\n,b,1,,,r\n4,,2,,,s\n",
  "x,g,c,e,d,t\n5,b,3,,2020-01-02,p\n3,c,1,,,\n",
  "x,g,c,e,d,t\n",
];
const KWARGS = { columns: ["x", "t"], group: "g" };
const run = (kwargs: Record<string, unknown>, files = FILES) =>
  federate(algorithm, "central", kwargs, files) as Promise<Result>;

Deno.test("summary says what is wrong with each of its arguments", async () => {
  await assertEveryBadValueIsSaid({ algorithm, kwargs: KWARGS, files: FILES, text: "t" });
});

Deno.test("summary describes columns in all and by group, with a site empty and a level at one site only", async () => {
  const { columns, groups, n, sites, left_out } = await run(KWARGS);
  assert.deepEqual(columns.x!.all, { n: 5, missing: 1, mean: 3, sd: 1.5811388300841895 });
  assert.deepEqual(columns.x!.groups.c, { n: 1, missing: 0, mean: 3, sd: null });
  assert.deepEqual(columns.t!.groups.c, { n: 0, missing: 1, counts: {} });
  assert.deepEqual(groups, { a: 2, b: 2, c: 1 });
  assert.deepEqual([n, left_out.without_group], [6, 1]);
  assert.deepEqual(sites.map((site) => site.n), [4, 2, 0]);
  const some = await run({ ...KWARGS, where: "x > 1" });
  assert.deepEqual([some.n, some.left_out.where], [4, { not_met: 1, unknown: 1 }]);
});

Deno.test("summary counts the levels of numbers that are categories", async () => {
  const { columns } = await run({ columns: ["c"], categories: ["c"] });
  assert.deepEqual(columns.c!.all, { n: 6, missing: 0, counts: { 1: 3, 2: 2, 3: 1 } });
});

Deno.test("summary says what it cannot describe", async () => {
  const many = "t\n" + Array.from({ length: 101 }, (_, i) => `v${i}\n`).join("");
  await assertRefusals(algorithm, [
    [{ columns: ["e"] }, FILES, /^No organization has a value in the column "e"\.$/],
    [{ columns: ["x"], group: "e" }, FILES, /^No organization has a value in the column "e"\.$/],
    [{ columns: ["d"] }, FILES, /"d" holds dates, which a summary does not describe/],
    [{ columns: ["x"], group: "d" }, FILES, /"d" holds dates, which are no levels/],
    [
      { columns: ["x"], categories: ["c"] },
      FILES,
      /"categories" names "c", which is none of the columns/,
    ],
    [{ columns: ["t"] }, [many], /"t" has more than 100 different values, too many for levels/],
    [
      { columns: ["x"] },
      ["x\n1\n", "x\na\n"],
      /"x" is of the type number at organization 1 and category/,
    ],
    [{ columns: ["x"] }, ["x\n"], /^There are no rows\.$/],
  ]);
});

Deno.test("summary of one row has a mean and no deviation", async () => {
  const { columns } = await run({ columns: ["x"] }, ["x\n4\n"]);
  assert.deepEqual(columns.x!.all, { n: 1, missing: 0, mean: 4, sd: null });
});

Deno.test("summary leaves no site out in silence whose squares are too large for a number", async () => {
  const files = ["y\n1e200\n2e200\n", "y\n1\n2\n"];
  await assert.rejects(() => run({ columns: ["y"] }, files), {
    name: "RangeError",
    message: "A number of this organization's part is too large to be one.",
  });
});
