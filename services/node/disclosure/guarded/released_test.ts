import assert from "node:assert/strict";
import { createReleased } from "./released.ts";

/** Tells the sets of a division, one after the other, and says which may be. */
function tellAll(
  released: ReturnType<typeof createReleased>,
  cells: number[],
  sets: number[][],
): boolean[] {
  released.divide(Int32Array.from(cells));
  return sets.map((set) => {
    const may = released.mayTell(set);
    if (may) released.tell(set);
    return may;
  });
}

const fresh = (rows: number, least = 3, persons?: number[]) =>
  createReleased({ rows, least, persons: persons && Int32Array.from(persons) });

Deno.test("released: a set of too few persons is not told, one of enough is", () => {
  assert.deepEqual(tellAll(fresh(10), [0, 0, 1, 1, 1, 1, 1, 1, 1, 1], [[0]]), [false]);
  assert.deepEqual(tellAll(fresh(10), [0, 0, 0, 1, 1, 1, 1, 1, 1, 1], [[0]]), [true]);
});

Deno.test("released: a small cell is not given back by its margin: another one is missing, too", () => {
  const cells = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2];
  assert.deepEqual(tellAll(fresh(12), cells, [[0, 1, 2], [0], [1], [2]]), [
    true,
    true,
    false,
    false,
  ]);
});

Deno.test("released: two sets that differ by too few are not both told", () => {
  const released = fresh(12);
  assert.deepEqual(tellAll(released, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1], [[0]]), [true]);
  assert.deepEqual(tellAll(released, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], [[0]]), [false]);
  assert.deepEqual(tellAll(released, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1], [[0]]), [true]);
  assert.deepEqual(tellAll(released, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1], [[0]]), [true]);
});

Deno.test("released: a tracker, whose sets differ by many each, gives nobody away", () => {
  const released = fresh(13);
  // All but one person in two halves; then all together.
  assert.deepEqual(tellAll(released, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, -1], [[0], [1]]), [
    true,
    true,
  ]);
  assert.deepEqual(tellAll(released, new Array(13).fill(0), [[0]]), [false]);
});

Deno.test("released: one person is not exchanged for another, though others tell the rest of the set apart", () => {
  const [L, M] = [(row: number) => row >= 10 && row < 40, (row: number) => row >= 40];
  const exchanges = [[0, 1], [1, 0], [3, 2]];
  for (const [one, other] of exchanges) {
    const both = [0, 1, 2, 3].filter((row) => row !== one && row !== other);
    const released = fresh(70);
    const tell = (isIn: (row: number) => boolean) =>
      tellAll(released, Array.from({ length: 70 }, (_, row) => isIn(row) ? 0 : -1), [[0]])[0];
    assert.ok(tell(L));
    assert.ok(tell((row) => M(row) || row === both[0]), "the rest is told apart");
    assert.ok(tell((row) => L(row) || row === one || both.includes(row)));
    assert.equal(tell((row) => L(row) || row === other || both.includes(row)), false);
  }
});

Deno.test("released: a tracker of weighted sets is found, too: a + b, b + c, a + c give 2b", () => {
  // Cells: 0 one person, 1 and 2 many.
  const released = fresh(11);
  const cells = [0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2];
  assert.deepEqual(tellAll(released, cells, [[0, 1], [1, 2], [0, 2]]), [true, true, false]);
});

Deno.test("released: rows of one person count once", () => {
  const cells = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
  assert.deepEqual(tellAll(fresh(10, 3, [1, 1, 1, 1, 1, 2, 3, 4, 5, 6]), cells, [[0]]), [false]);
  assert.deepEqual(tellAll(fresh(10, 3, [1, 1, 2, 2, 3, 2, 3, 4, 5, 6]), cells, [[0]]), [true]);
});

Deno.test("released: what was forgotten counts no more", () => {
  const released = fresh(12);
  const forget = released.mark();
  tellAll(released, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1], [[0]]);
  forget();
  assert.deepEqual(tellAll(released, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], [[0]]), [true]);
});
