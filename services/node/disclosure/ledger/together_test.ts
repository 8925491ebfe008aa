import assert from "node:assert/strict";
import { createTogether } from "./together.ts";

const N = 200;
/** A selection of those of whom it is true. */
const those = (isIn: (person: number) => boolean, n = N) => ({
  bytes: Uint8Array.from({ length: n }, (_, person) => isIn(person) ? 1 : 0),
});
/** Looks like chance, and is the same each time. */
const chance = (person: number, which: number) =>
  Math.imul(Math.imul(person + 1, 2654435761) ^ (which * 40503), 2246822519) >>> 16;

Deno.test("few() finds the one whom two groups and all of both leave over, whoever it is", () => {
  for (const victim of [0, 7, 99, 100, 199]) {
    const together = createTogether(3);
    together.add(those((p) => p < 100 && p !== victim));
    together.add(those((p) => p >= 100 && p !== victim));
    assert.deepEqual(together.few(those(() => true)), [[victim]]);
    assert.deepEqual(together.few(those((p) => p !== victim)), [], "that is the two");
  }
});

Deno.test("few() finds as many as may not be told of, and one fewer, and none beyond", () => {
  for (const least of [3, 8, 10, 11]) {
    for (const over of [1, least - 1, least]) {
      const together = createTogether(least);
      const isOver = (p: number) => p % 7 === 0 && p < 7 * over;
      for (const third of [0, 1, 2]) together.add(those((p) => p % 3 === third && !isOver(p)));
      const found = together.few(those(() => true));
      assert.deepEqual(
        found,
        over < least ? [Array.from({ length: over }, (_, i) => 7 * i)] : [],
        `${over} of ${least}`,
      );
    }
  }
});

Deno.test("few() finds one among sums and differences of many selections by chance", () => {
  for (const count of [5, 40]) {
    for (const victim of [0, 3, 57, 133, 199]) {
      const together = createTogether(3);
      const halves = Array.from(
        { length: count },
        (_, which) => (p: number) => chance(p, which) % 2 === 0,
      );
      for (const half of halves) together.add(those(half));
      for (const [which, half] of halves.entries()) {
        const other = halves[(which + 1) % count]!;
        together.add(those((p) => half(p) && other(p)));
      }
      // The other side of one of them, without the one.
      const side = halves.find((half) => !half(victim))!;
      together.add(those((p) => !side(p) && p !== victim));
      const found = together.few(those(() => true));
      assert.ok(
        found.some((persons) => persons.length === 1 && persons[0] === victim),
        `${victim}`,
      );
    }
  }
});

Deno.test("few() lets selections pass of which no sum tells of few", () => {
  const together = createTogether(3);
  for (let which = 0; which < 60; which++) {
    const one = those((p) => chance(p, which) % 3 === 0);
    assert.deepEqual(together.few(one), [], `${which}`);
    together.add(one);
  }
});

Deno.test("few() sees rows of a person that are left over of three groups of the person's rows", () => {
  // Everybody has an early and a late row; of person 5 the early one is missing in the first.
  const sums = (of: (person: number) => number) => ({
    bytes: Uint8Array.from({ length: 50 }, (_, person) => of(person) % 251 || 251),
  });
  const [early, late] = [1, 2].map((which) => (p: number) => 1 + chance(p, which) % 250);
  const together = createTogether(3);
  const first = sums(early!);
  first.bytes[5] = 0;
  together.add(first);
  together.add(sums(late!));
  assert.deepEqual(together.few(sums((p) => early!(p) + late!(p))), [[5]]);
});

Deno.test("mark() forgets what was taken in after it", () => {
  const together = createTogether(3);
  together.add(those((p) => p < 100));
  const forget = together.mark();
  together.add(those((p) => p > 100));
  assert.deepEqual(together.few(those(() => true)), [[100]]);
  forget();
  assert.deepEqual(together.few(those(() => true)), []);
  together.add(those((p) => p > 101));
  assert.deepEqual(together.few(those(() => true)), [[100, 101]]);
});

Deno.test("add() takes no more than there is room for", () => {
  const together = createTogether(3, { mostSelections: 2 });
  assert.ok(together.add(those((p) => p < 50)));
  assert.ok(together.add(those((p) => p < 90)));
  assert.ok(together.add(those((p) => p >= 50 && p < 90)), "it follows from the two");
  assert.ok(!together.add(those((p) => p > 150)));
  assert.ok(!createTogether(3, { mostBytes: 10 }).add(those(() => true)));
});

Deno.test("few() looks at every person of a large table, also where one list ends before another", () => {
  const n = 40_000;
  for (const victim of [0, 63, 64, 191, 192, 8255, 20_000, n - 1]) {
    const together = createTogether(3);
    together.add(those((p) => p % 2 === 0 && p !== victim, n / 2));
    together.add(those((p) => p % 2 === 1 && p !== victim, n / 2));
    together.add(those((p) => p >= n / 2 && p !== victim, n));
    assert.deepEqual(together.few(those(() => true, n)), [[victim]], `${victim}`);
    const follows = those((p) => p !== victim, n);
    assert.deepEqual(together.few(follows), []);
    assert.ok(together.add(follows), "which needs no room");
    assert.deepEqual(together.few(those(() => true, n)), [[victim]], `${victim} again`);
  }
});

Deno.test("mark() forgets that a selection followed from what it forgets", () => {
  const together = createTogether(3, { mostSelections: 2 });
  together.add(those((p) => p < 50));
  const forget = together.mark();
  together.add(those((p) => p >= 50));
  const all = those(() => true);
  assert.deepEqual(together.few(all), []);
  forget();
  assert.equal(together.few(all).length, 0, "by fifty persons it is no few");
  assert.ok(together.add(all));
  assert.ok(!together.add(those((p) => p % 5 === 0)), "it took the last room");
});
