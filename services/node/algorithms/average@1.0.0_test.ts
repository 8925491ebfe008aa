import assert from "node:assert/strict";
import * as average from "./average@1.0.0.ts";
import { federate } from "../../../tests/support/federation.ts";

const central = (kwargs: Record<string, unknown>, files: string[]) =>
  federate(average, "central", kwargs, files);

Deno.test("average central() is the average of the pooled rows", async () => {
  assert.deepEqual(
    await central({ column: "x" }, ["x\n1\n2\nNA\n", "x\n4.5\n", "x\n\n\n", "x\n"]),
    { average: 2.5, count: 3, missing: 1 },
  );
});

Deno.test("average central() asks only the organizations that it is told to", async () => {
  const files = ["x\n1\n", "x\n2\n", "y\n3\n"];
  assert.deepEqual(await central({ column: "x", organizations: [2] }, files), {
    average: 2,
    count: 1,
    missing: 0,
  });
});

Deno.test("average central() is null when there are no values", async () => {
  assert.deepEqual(await central({ column: "x" }, ["x\nNA\n"]), {
    average: null,
    count: 0,
    missing: 1,
  });
});

Deno.test("average central() keeps small values beside large ones", async () => {
  const files = ["x\n1e16\n", `x\n${"1\n".repeat(1000)}`, "x\n-1e16\n"];
  assert.equal((await central({ column: "x" }, files) as { average: number }).average, 1000 / 1002);
});

Deno.test("average partial() gives the sum, the count and the missing of a single row", async () => {
  assert.deepEqual(await federate(average, "partial", { column: "x" }, ["x\n7\n"]), {
    sum: 7,
    count: 1,
    missing: 0,
  });
});

Deno.test("average says what is wrong with its arguments and its column", async () => {
  const files = ["mass,sex\n1,male\n"];
  await assert.rejects(central({}, files), /The argument "column" is missing/);
  await assert.rejects(central({ column: 3 }, files), /"column" must be the name of a column/);
  await assert.rejects(
    central({ column: "mass", organizations: [] }, files),
    /"organizations" must/,
  );
  await assert.rejects(central({ column: "mas" }, files), /did you mean "mass"/);
  await assert.rejects(central({ column: "sex" }, files), /"sex" .* is not numeric: row 1/);
});
