import assert from "node:assert/strict";
import { assertEveryBadValueIsSaid } from "../../../../../tests/support/bad_arguments.ts";
import { assertRefusals } from "../../../../../tests/support/bad_arguments.ts";
import { federate } from "../../../../../tests/support/federation.ts";
import * as kMeans from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof kMeans.central>>;

const KWARGS = { columns: ["x", "y"], start: [[0, 0], [10, 10]] };
const FILES = [
  "x,y,name\n0,1,a\n1,0,b\n9,10,c\n",
  "x,y,name\n10,9,d\n11,11,e\nNA,3,f\n",
  "x,y,name\n",
];
const central = (kwargs: Record<string, unknown>, files = FILES) =>
  federate(kMeans, "central", { ...KWARGS, ...kwargs }, files) as Promise<Result>;

Deno.test("k_means puts each centre into the mean of the rows nearest to it", async () => {
  const found = await central({});
  assert.deepEqual(found.centres, [{ x: 0.5, y: 0.5 }, { x: 10, y: 10 }]);
  assert.deepEqual(found.sizes, [2, 3]);
  assert.deepEqual(found.within, [1, 4]);
  assert.equal(found.inertia, 5);
  assert.equal(found.iterations, 2);
  assert.equal(found.converged, true);
  assert.equal(found.n, 5);
  assert.deepEqual(found.left_out.missing, { x: 1 });
  assert.deepEqual(found.notes, []);
  assert.deepEqual((await central({ tolerance: 0 })).centres, found.centres);
});

Deno.test("k_means gives a row equally near to two centres to the first of them", async () => {
  const files = ["x,y\n-1,0\n0,0\n", "x,y\n1,0\n"];
  const start = [[-1, 0], [1, 0]];
  assert.deepEqual((await central({ start }, files)).sizes, [2, 1]);
  const turned = await central({ start: start.toReversed() }, files);
  assert.deepEqual(turned.sizes, [2, 1]);
  assert.equal(turned.centres[0]!.x, 0.5);
});

Deno.test("k_means keeps a centre without rows where it is, and says so", async () => {
  const found = await central({ start: [[0, 0], [10, 10], [-50, 50]] });
  assert.deepEqual(found.sizes, [2, 3, 0]);
  assert.deepEqual(found.centres[2], { x: -50, y: 50 });
  assert.equal(found.within[2], 0);
  assert.match(found.notes.join(), /^Centre 3 had no rows at the start, and stays/);
});

Deno.test("k_means lets a centre that was kept have rows again", async () => {
  // The second centre is too far, until the first has moved to the mean of all.
  const files = ["x\n0\n0\n0\n", "x\n40\n"];
  const found = await central({ columns: ["x"], start: [[19], [69]] }, files);
  assert.deepEqual(found.sizes, [3, 1]);
  assert.deepEqual(found.centres, [{ x: 0 }, { x: 40 }]);
  assert.match(found.notes.join(), /^Centre 2 had no rows at the start/);
});

Deno.test("k_means says that it has not converged", async () => {
  const files = ["x\n0\n1\n2\n3\n", "x\n4\n5\n6\n20\n"];
  const start = [[0], [1]];
  const found = await central({ columns: ["x"], start, iterations: 1 }, files);
  assert.equal(found.converged, false);
  assert.equal(found.iterations, 1);
  // The sizes are of the centres that are returned, not of those before.
  assert.deepEqual(found.centres, [{ x: 0 }, { x: 41 / 7 }]);
  assert.deepEqual(found.sizes, [3, 5]);
  assert.match(found.notes.join(), /still moved in iteration 1, the last/);
  assert.equal((await central({ columns: ["x"], start }, files)).converged, true);
});

Deno.test("k_means counts distances in standard deviations where it shall", async () => {
  // In its own units, y alone decides.
  const files = ["x,y\n0,0\n1,1000\n", "x,y\n10,100\n11,900\n"];
  const start = [[0, 400], [11, 600]];
  assert.deepEqual((await central({ start }, files)).centres[0], { x: 5, y: 50 });
  const { centres, inertia } = await central({ start, scale: true }, files);
  assert.deepEqual(centres, [{ x: 0.5, y: 500 }, { x: 10.5, y: 500 }]);
  const variance = ([a, b, c, d]: number[], mean: number) =>
    [a!, b!, c!, d!].reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3;
  const expected = 1 / variance([0, 1, 10, 11], 5.5) +
    (2 * 500 ** 2 + 2 * 400 ** 2) / variance([0, 1000, 100, 900], 500);
  assert.ok(Math.abs(inertia - expected) < 1e-12);
});

Deno.test("k_means refuses an organization whose rows change between the rounds", async () => {
  const changing = {
    ...kMeans,
    partial_clusters(...[context, question]: Parameters<typeof kMeans.partial_clusters>) {
      const found = kMeans.partial_clusters(context, question);
      return context.organization.id === 2 ? { ...found, sizes: [1, 0] } : found;
    },
  };
  await assertRefusals(changing, [
    [KWARGS, FILES, /^Organization 2 had other rows before: its data changed/],
  ]);
});

Deno.test("k_means says of each argument what it must be", async () => {
  await assertEveryBadValueIsSaid({
    algorithm: kMeans,
    kwargs: KWARGS,
    files: FILES,
    text: "name",
  });
});

Deno.test("k_means says what start and data lack", async () => {
  const list = /^The argument "start" must be a list of centres, each a list of numbers[.]$/;
  const width = /^The argument "start" must be a list of centres, each of .* columns: 2[.]$/;
  await assertRefusals(kMeans, [
    [{ ...KWARGS, start: [] }, FILES, list],
    [{ ...KWARGS, start: [1, 2] }, FILES, list],
    [{ ...KWARGS, start: [[1, 2], [3]] }, FILES, width],
    [{ ...KWARGS, start: [[1, 2, 3], [4, 5, 6]] }, FILES, width],
    [{ ...KWARGS, start: [[1, 2], [3, "4"]] }, FILES, list],
    [{ ...KWARGS, start: [[1, 2], [3, null]] }, FILES, list],
    [{ ...KWARGS, start: [[1, 2], { x: 1, y: 2 }] }, FILES, list],
    [
      { ...KWARGS, start: [[1, 2], [1, 2]] },
      FILES,
      /"start" must be a list of centres that differ/,
    ],
    [KWARGS, ["x,y\n1,2\n", "x,y\nNA,2\n"], /1 complete rows are too few for 2 centres/],
    [{ ...KWARGS, scale: true }, ["x,y\n1,2\n", "x,y\n1,3\n"], /"x" has the same value in all/],
    [KWARGS, ["x,y\nNA,2\n", "x,y\n1,NA\n"], /No row has a value in each/],
  ]);
});
