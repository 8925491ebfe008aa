import assert from "node:assert/strict";
import { assertEveryBadValueIsSaid } from "../../../../../tests/support/bad_arguments.ts";
import { assertRefusals } from "../../../../../tests/support/bad_arguments.ts";
import { federate } from "../../../../../tests/support/federation.ts";
import * as pca from "./algorithm.ts";

type Result = Awaited<ReturnType<typeof pca.central>>;

const KWARGS = { columns: ["x", "y"] };
const FILES = ["x,y,name\n1,-2,a\n2,-4,b\n4,-9,c\n", "x,y,name\n3,-6,d\nNA,1,e\n", "x,y,name\n"];

Deno.test("pca gives components of length 1 whose largest loading is positive", async () => {
  const found = await federate(pca, "central", KWARGS, FILES) as Result;
  const [first, second] = found.components;
  for (const { loadings } of found.components) {
    assert.ok(Math.abs(loadings.x! ** 2 + loadings.y! ** 2 - 1) < 1e-12);
    assert.ok(Math.max(loadings.x!, loadings.y!) >= Math.abs(Math.min(loadings.x!, loadings.y!)));
  }
  assert.ok(first!.variance > second!.variance);
  assert.ok(Math.abs(first!.share + second!.share - 1) < 1e-12);
  assert.equal(found.n, 4);
  assert.deepEqual(found.left_out.missing, { x: 1 });
  const one = await federate(pca, "central", { ...KWARGS, components: 1 }, FILES) as Result;
  assert.deepEqual(one.components, [first]);
});

Deno.test("pca says that components of the same variance have no directions of their own", async () => {
  const files = ["x,y\n1,1\n-1,1\n", "x,y\n1,-1\n-1,-1\n"];
  const found = await federate(pca, "central", KWARGS, files) as Result;
  assert.match(found.notes.join(), /Components 1 and 2 have the same variance/);
});

Deno.test("pca says of each argument what it must be", async () => {
  await assertEveryBadValueIsSaid({ algorithm: pca, kwargs: KWARGS, files: FILES, text: "name" });
});

Deno.test("pca says what the data lack", async () => {
  await assertRefusals(pca, [
    [{ columns: ["x"] }, FILES, /"columns" must name two or more/],
    [{ ...KWARGS, components: 3 }, FILES, /"components" must be at most 2/],
    [KWARGS, ["x,y\n1,2\n", "x,y\nNA,2\n"], /1 complete rows are too few/],
    [KWARGS, ["x,y\n1,2\n", "x,y\n1,3\n"], /"x" has the same value in all/],
    [KWARGS, ["x,y\nNA,2\n", "x,y\n1,NA\n"], /No row has a value in each/],
  ]);
});
