import assert from "node:assert/strict";
import { readRequest } from "./request.ts";

Deno.test("readRequest() reads v6's words", () => {
  const preprocessing = [
    { function: "filter_range", parameters: { column: "age", min_: 60, include_min: true } },
    { function: "dummy_preprocess" },
    { function: "filter_range", parameters: { column: "age", max_: 90.5 } },
  ];
  assert.deepEqual(readRequest("csv", { preprocessing }).steps, [
    { column: "age", min: 60, max: undefined, includeMin: true, includeMax: false },
    { column: "age", min: undefined, max: 90.5, includeMin: false, includeMax: false },
  ]);
  const nothing = { query: undefined, sheet: undefined, steps: [] };
  assert.deepEqual(readRequest("csv", {}), nothing);
  assert.deepEqual(readRequest("csv", { query: null, preprocessing: null }), nothing);
});

Deno.test("readRequest() refuses what would be computed on other rows than were asked for", () => {
  const step = (step: unknown) => ({ preprocessing: [step] });
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ query: "select 1" }, /gives it a query, which a database of the type csv has not/],
    [{ sheet_name: "May" }, /names a sheet of it/],
    [{ arguments: { x: 1 } }, /arguments, which algorithms in the sandbox do not see/],
    [step({ function: "one_hot" }), /Step 1 of its preprocessing is "one_hot", which is not known/],
    [step({ function: "filter_range", parameters: {} }), /filter_range\) cannot be read/],
    [step({ function: "filter_range", parameters: { column: "a", mni_: 3 } }), /mni_/],
    [{ preprocessing: "filter" }, /cannot be read/],
  ];
  for (const [wanted, message] of cases) {
    assert.throws(() => readRequest("csv", wanted), message, JSON.stringify(wanted));
  }
});
