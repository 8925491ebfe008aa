import assert from "node:assert/strict";
import { memoryTable } from "../../../../../tests/support/memory_table.ts";
import { readCondition } from "./condition.ts";
import { evaluate } from "./evaluate.ts";
import { createSingling } from "./singling.ts";

const PERSONS = Array.from({ length: 40 }, (_, i) => i);
const table = memoryTable({
  name: PERSONS.map((i) => `p${i}`),
  age: PERSONS.map((i) => 20 + i),
  ill: PERSONS.map((i) => i === 7 || i > 30 ? 1 : 0),
  centre: PERSONS.map((i) => i < 2 ? "c" : i % 2 === 0 ? "a" : "b"),
  weight: PERSONS.map((i) => i === 3 ? null : 60 + i),
  height: PERSONS.map((i) => i % 8 === 0 ? null : 160 + i),
  cost: PERSONS.map((i) => 5 + i / 2 + 0.01),
});

function singlesOut(where: string, options = {}): boolean {
  const singling = createSingling(table, { least: 3, persons: undefined, ...options });
  evaluate(readCondition(where), table, singling.look);
  return singling.found;
}

Deno.test("a condition singles out by a name beside anything else, whether the named is there or not", () => {
  for (const name of ["p7", "p8", "nobody"]) {
    for (
      const where of [
        `name = '${name}' or ill = 0`,
        `ill = 0 or not (name != '${name}')`,
        `ill = 0 and name != '${name}'`,
        `name in ('${name}') or ill = 0`,
        `ill = 0 or (name = '${name}' and ill = 1)`,
      ]
    ) assert.ok(singlesOut(where), where);
  }
});

Deno.test("a condition singles out by ends that close in on a value, and by a level of a few", () => {
  assert.ok(singlesOut("(age >= 27 and age <= 27) or ill = 0"));
  assert.ok(singlesOut("not centre = 'c'"));
  assert.ok(singlesOut("ill = 0 or age > 57"));
});

Deno.test("a condition singles out however it is written: by brackets, by what it leaves out, and beside what nobody has", () => {
  for (
    const where of [
      "(age >= 27 or ill = 0) and (age <= 27 or ill = 0)",
      "not ((age < 27 and ill = 1) or (age > 27 and ill = 1))",
      // Without one person.
      "ill = 0 and (age < 27 or age > 27)",
      "(ill = 0 and age < 27) or (ill = 0 and age > 27)",
      // The one of 27 is ill, and the one of 28 is not.
      "(age >= 27 and age <= 27 and ill = 0) or centre = 'a'",
      "(age >= 28 and age <= 28 and ill = 0) or centre = 'a'",
      "centre = 'b' or not (age < 27 or age > 27 or ill = 1)",
    ]
  ) assert.ok(singlesOut(where), where);
});

Deno.test("a condition that can be met in more ways than anybody looks at is taken to single out", () => {
  const any = (count: number) =>
    Array.from({ length: count }, (_, i) => `(age > ${i % 10} or ill = 0)`).join(" and ");
  assert.ok(!singlesOut(any(8)));
  assert.ok(singlesOut(any(9)));
});

Deno.test("a condition singles out by what few lack, however it asks for that, and not by what many lack", () => {
  for (
    const where of [
      "ill = 0 or weight is missing",
      "ill = 0 and weight is not missing",
      "weight <= 70 or weight > 70 or ill = 0",
      "ill = 0 and (weight <= 70 or weight > 70)",
      "ill = 0 and weight > 0",
      "not (ill = 1 or weight is missing)",
      "weight = weight and ill = 0",
    ]
  ) assert.ok(singlesOut(where), where);
  for (
    const where of [
      "weight > 70",
      "weight > 70 and ill = 0",
      "weight > 70 or centre = 'a'",
      "height is not missing and ill = 0",
      "height is missing or ill = 0",
    ]
  ) assert.ok(!singlesOut(where), where);
});

Deno.test("a condition singles out by a limit nearer to a value than others are, and not by one as exact as the values are dense", () => {
  for (const where of ["cost <= 12.2001", "cost > 12.2001 and ill = 0", "12.49999 >= cost"]) {
    assert.ok(singlesOut(where), where);
  }
  for (
    const where of [
      "cost <= 12.5",
      "cost > 12.5 and ill = 0",
      "cost > 13",
      // Whole numbers come no nearer than that, nor do any in a column of these.
      "age >= 28",
      "age > 28.0001",
      // Far beyond all values.
      "cost < 45.5",
    ]
  ) assert.ok(!singlesOut(where), where);
});

Deno.test("a condition of many in each of its parts singles nobody out", () => {
  for (
    const where of [
      "age >= 18 and (ill = 0 or centre = 'a')",
      "age >= 20",
      "not weight is missing",
      "centre = 'a' or centre = 'x'",
      "centre in ('a', 'x') and ill = 1",
      "name in ('p7', 'p8', 'p9') or ill = 0",
    ]
  ) assert.ok(!singlesOut(where), where);
});

Deno.test("a condition is of persons, not rows, where it singles out", () => {
  const persons = Uint32Array.from(PERSONS, (i) => i >> 2);
  assert.ok(singlesOut("age > 52 or ill = 0", { persons }), "seven rows of two persons");
  assert.ok(!singlesOut("age > 50 or ill = 0", { persons }));
});
