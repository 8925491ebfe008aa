import assert from "node:assert/strict";
import type { Method, Output } from "./description.ts";
import { problemsOfOutputs } from "./outputs.ts";

const help = "What it is";
const problemsOf = (outputs: Output[], method: Partial<Method> = {}) =>
  problemsOfOutputs({ methods: { partial: { help, arguments: {}, outputs, ...method } } });

Deno.test("problemsOfOutputs() finds nothing wrong where every part says what it rests on", () => {
  assert.deepEqual(
    problemsOf([
      { name: "n", kind: "count", help, restsOn: "persons" },
      { name: "persons", kind: "persons", help },
      { name: "method", kind: "setting", help },
      {
        name: "groups",
        kind: "table",
        help,
        each: [{
          name: "*",
          kind: "table",
          help,
          each: [
            { name: "n", kind: "count", help, partOf: "n" },
            { name: "mean", kind: "moments", help, restsOn: ["n", "persons"] },
          ],
        }],
      },
    ]),
    [],
  );
});

Deno.test("problemsOfOutputs() names parts that rest on nothing, and parts that there are not", () => {
  assert.deepEqual(
    problemsOf([
      { name: "mean", kind: "moments", help },
      { name: "sd", kind: "moments", help, restsOn: "n" },
      { name: "se", kind: "moments", help, restsOn: "mean" },
      { name: "groups", kind: "table", help, each: [{ name: "rate", kind: "estimate", help }] },
    ]),
    [
      'partial: "mean" does not say what it rests on, so it would not leave',
      'partial: "sd" names "n", which is not described',
      'partial: "se" names "mean", which must be a count or table or persons',
      'partial: "groups.rate" does not say what it rests on, so it would not leave',
    ],
  );
});

Deno.test("problemsOfOutputs() lets a method without rows return what it will", () => {
  assert.deepEqual(problemsOf([{ name: "mean", kind: "moments", help }], { rows: "none" }), []);
});
