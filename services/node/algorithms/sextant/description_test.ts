import assert from "node:assert/strict";
import { type Argument, checkArguments } from "./description.ts";

const words = { label: "A label", help: "What it is for" };
const method = (argument: Partial<Argument>) => ({
  arguments: { x: { type: "text" as const, ...words, ...argument } },
});
const check = (argument: Partial<Argument>, kwargs: Record<string, unknown>) =>
  checkArguments("central", method(argument), { kwargs });

Deno.test("checkArguments() fills in defaults and leaves out what may be left out", () => {
  assert.deepEqual(check({ default: "a" }, {}), { x: "a" });
  assert.deepEqual(check({ default: "a" }, { x: null }), { x: "a" });
  assert.deepEqual(check({ optional: true }, {}), {});
  assert.deepEqual(check({ default: 0, type: "integer" }, { x: 3 }), { x: 3 });
});

Deno.test("checkArguments() says which argument is missing and what it is for", () => {
  assert.throws(() => check({}, {}), /"x" is missing: what it is for\./);
});

Deno.test("checkArguments() refuses an argument that is not described", () => {
  for (const name of ["y", "__proto__", "toString"]) {
    const given = JSON.parse(`{"x": "a", "${name}": 1}`);
    assert.throws(() => check({}, given), new RegExp(`no argument "${name}"; it has: x`));
  }
});

Deno.test("checkArguments() takes arguments without names in the order of the description", () => {
  const take = (args: unknown[], kwargs = {}) =>
    checkArguments("central", method({}), { args, kwargs });
  assert.deepEqual(take(["a"]), { x: "a" });
  assert.throws(() => take(["a"], { x: "b" }), /"x" was given twice/);
  assert.throws(() => take(["a", "b"]), /"central" takes 1 arguments, and 2 were given/);
});

Deno.test("checkArguments() names what a value must be", () => {
  const cases: [Partial<Argument>, unknown, RegExp | undefined][] = [
    [{ type: "column" }, "age", undefined],
    [{ type: "column" }, "", /the name of a column/],
    [{ type: "column" }, ["age"], /the name of a column/],
    [{ type: "columns" }, ["age", "sex"], undefined],
    [{ type: "columns" }, ["age", "age"], /each once/],
    [{ type: "columns" }, [], /a list of names/],
    [{ type: "columns" }, "age", /a list of names/],
    [{ type: "number" }, 1.5, undefined],
    [{ type: "number" }, "1.5", /a number\./],
    [{ type: "number", min: 0 }, -1, /a number of at least 0/],
    [{ type: "number", min: 0, max: 1 }, 2, /a number from 0 to 1/],
    [{ type: "number", max: 1 }, 2, /a number of at most 1/],
    [{ type: "integer" }, 3, undefined],
    [{ type: "integer" }, 3.5, /a whole number/],
    [{ type: "integer" }, 2 ** 53, /a whole number/],
    [{ type: "text" }, 3, /a text/],
    [{ type: "boolean" }, "true", /true or false/],
    [{ type: "boolean" }, false, undefined],
    [{ type: "choice", choices: ["a", "b"] }, "b", undefined],
    [{ type: "choice", choices: ["a", "b"] }, "c", /one of a, b/],
    [{ type: "organizations" }, [1, 2], undefined],
    [{ type: "organizations" }, [1, 1], /each once/],
    [{ type: "organizations" }, ["1"], /ids of organizations/],
    [{ type: "condition" }, "age > 3", undefined],
    [{ type: "condition" }, "", /a condition, such as/],
    [{ type: "condition" }, { age: 3 }, /a condition, such as/],
    [{ type: "list" }, {}, /a list/],
    [{ type: "object" }, [], /an object/],
    [{ type: "object" }, {}, undefined],
  ];
  for (const [argument, value, problem] of cases) {
    if (problem) assert.throws(() => check(argument, { x: value }), problem);
    else assert.deepEqual(check(argument, { x: value }), { x: value });
  }
});
