import assert from "node:assert/strict";
import fc from "fast-check";
import { readCondition } from "./condition.ts";

const column = (name: string, at: number) => ({ is: "column" as const, name, at });
const value = (value: string | number | boolean, at: number) => ({ is: "value", value, at });

Deno.test("readCondition() binds not before and before or", () => {
  assert.deepEqual(readCondition("not a and b or c"), {
    is: "or",
    parts: [
      {
        is: "and",
        parts: [{ is: "not", part: { is: "truth", operand: column("a", 5) } }, {
          is: "truth",
          operand: column("b", 11),
        }],
      },
      { is: "truth", operand: column("c", 16) },
    ],
  });
  assert.equal(readCondition("a and (b or c)").is, "and");
});

Deno.test("readCondition() reads names, texts, numbers and truth values", () => {
  const cases: [string, unknown, unknown][] = [
    ["age>=18", column("age", 1), value(18, 6)],
    [`"years in ""school"""= -1.5e3`, column('years in "school"', 1), value(-1500, 24)],
    ["größe_1.x == 'it''s'", column("größe_1.x", 1), value("it's", 14)],
    ["x <> TRUE", column("x", 1), value(true, 6)],
    ["__proto__ = ''", column("__proto__", 1), value("", 13)],
    ["1 < constructor", value(1, 1), column("constructor", 5)],
    ["android = .5", column("android", 1), value(0.5, 11)],
  ];
  for (const [text, left, right] of cases) {
    const found = readCondition(text);
    assert.ok(found.is === "comparison", text);
    assert.deepEqual([found.left, found.right], [left, right]);
  }
});

Deno.test("readCondition() says where a text is no condition", () => {
  const cases: [string, number, RegExp][] = [
    ["", 1, /a column or a value must stand where it ends/],
    ["   ", 4, /where it ends/],
    ["age >", 6, /where it ends/],
    ["age > 18 sex = 'f'", 10, /and, or, or the end must stand where there is sex/],
    ["(age > 18", 10, /"\)" must stand where it ends/],
    ["age > 18)", 9, /where there is \)/],
    ["age > > 18", 7, /a column or a value must stand where there is >/],
    ["sex = 'f", 7, /text that begins here has no end/],
    ['"sex = 1', 1, /name that begins here has no end/],
    ["sex in 'f'", 8, /"\(" must stand/],
    ["sex in ()", 9, /a number, a text in single quotes/],
    ["sex in (age)", 9, /a number, a text in single quotes/],
    ["sex in ('f' 'm')", 13, /"," or "\)"/],
    ["sex is 'f'", 8, /missing must stand where there is 'f'/],
    ["sex = missing", 5, /write "is missing"/],
    ["sex is null", 8, /there is no null here: write "is missing"/],
    ["age = 9007199254740993", 7, /cannot hold 9007199254740993/],
    ["age = 1e999", 7, /cannot hold/],
    ["age > 18; drop table x", 9, /";" has no meaning/],
    ["age > 18 -- x", 10, /"-" has no meaning/],
    ["f(age)", 2, /and, or, or the end must stand where there is \(age\)/],
    ["age + 1 > 2", 5, /"\+" has no meaning/],
    ["`age` = 1", 1, /"`" has no meaning/],
    ["a[0]", 2, /"\[" has no meaning/],
    ["12abc = 1", 1, /"1" has no meaning/],
    ["age > 18 \u0000", 10, /has no meaning/],
    ["a < b < c", 7, /and, or, or the end/],
    ["not", 4, /where it ends/],
    ["and", 1, /where there is and/],
  ];
  for (const [text, at, why] of cases) {
    assert.throws(() => readCondition(text), (error: Error) => {
      assert.equal(error.name, "TypeError");
      assert.match(error.message, new RegExp(`at character ${at}:`), text);
      assert.match(error.message, why);
      return true;
    });
  }
});

Deno.test("readCondition() refuses what is too long or too deep, and is quick about it", () => {
  const hostile = [
    "(".repeat(5000),
    "not ".repeat(2000) + "a",
    "'".repeat(9999),
    "a = '" + "''".repeat(4000),
    "1".repeat(9000) + "x",
    "a and ".repeat(1600),
    "a ".repeat(20_000),
  ];
  const began = performance.now();
  for (const text of hostile) assert.throws(() => readCondition(text), TypeError);
  assert.ok(performance.now() - began < 1000);
  // So many beside each other are no hazard.
  assert.equal(readCondition(Array(900).fill("not a").join(" or ")).is, "or");
  assert.equal(readCondition(Array(900).fill("(a)").join(" or ")).is, "or");
});

Deno.test("readCondition() reads or throws a TypeError, whatever the text", () => {
  const words = [
    "a",
    "'f'",
    '"b"',
    "1",
    "(",
    ")",
    "and",
    "or",
    "not",
    "in",
    "is",
    "missing",
    ",",
    "=",
  ];
  const some = fc.array(fc.constantFrom(...words)).map((list) => list.join(" "));
  fc.assert(fc.property(fc.oneof(some, fc.string({ unit: "binary" })), (text) => {
    try {
      readCondition(text);
    } catch (error) {
      assert.equal((error as Error).name, "TypeError");
    }
  }));
});
