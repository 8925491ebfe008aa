import assert from "node:assert/strict";
import {
  readSelections,
  selectionOf,
  selectionsOf,
  selectionsOfBits,
} from "../../algorithms/sextant/selection.ts";
import { difference, makeSelection, sketchesDiffer, sketchOf } from "./selection.ts";

/** Rows of persons, of which some are in. */
function selection(persons: number[], rows: number[], places?: number[]) {
  const selected = new Uint8Array(persons.length);
  for (const row of rows) selected[row] = 1;
  return makeSelection({
    selected,
    unit: "persons",
    persons: Uint32Array.from(persons),
    ...(places ? { places: Uint32Array.from(places) } : {}),
  });
}

Deno.test("makeSelection() counts persons, not rows", () => {
  const one = selection([0, 0, 0, 1, 2], [0, 1, 3]);
  assert.equal(one.persons, 2);
  assert.equal(difference(one, selection([0, 0, 0, 1, 2], [0, 1, 3, 4])), 1);
});

Deno.test("difference() sees the person of whom another row is in, though as many are", () => {
  const persons = [0, 0, 1, 1, 2];
  const all = selection(persons, [0, 1, 2, 3, 4]);
  const fewer = selection(persons, [0, 2, 3, 4]);
  const other = selection(persons, [1, 2, 3, 4]);
  assert.deepEqual([difference(all, fewer), difference(fewer, other)], [1, 1]);
  assert.notEqual(fewer.digest, other.digest);
});

Deno.test("makeSelection() is the same for the same rows, however the table was filtered", () => {
  const whole = selection([0, 1, 1, 2, 3], [1, 2, 4]);
  // The rows 1, 2 and 4 of the source, of which the second to the last were read.
  const filtered = selection([1, 1, 2, 3], [0, 1, 3], [1, 2, 3, 4]);
  assert.equal(whole.digest, filtered.digest);
  assert.equal(difference(whole, filtered), 0);
});

Deno.test("makeSelection() of rows tells them apart by their place in the source", () => {
  const rows = (selected: number[], places?: number[]) =>
    makeSelection({
      selected: Uint8Array.from(selected),
      unit: "rows",
      ...(places ? { places: Uint32Array.from(places) } : {}),
    });
  assert.equal(difference(rows([1, 0, 1, 1]), rows([1, 1, 1], [0, 2, 3])), 0);
  assert.equal(difference(rows([1, 1, 1, 1]), rows([1, 1, 1], [0, 2, 3])), 1);
  assert.equal(rows([1, 0, 1, 1]).digest, rows([1, 1, 1], [0, 2, 3]).digest);
});

Deno.test("makeSelection() of rows that nobody can tell apart compares how many there are", () => {
  const counted = (n: number, request: string) =>
    makeSelection({ selected: new Uint8Array(n).fill(1), unit: "counted", request });
  assert.equal(difference(counted(10, "a"), counted(12, "b")), 2);
  assert.equal(counted(10, "a").digest, counted(10, "a").digest);
  assert.notEqual(counted(10, "a").digest, counted(10, "b").digest);
});

/** The rows of each selection that evidence says. */
function rowsOf(evidence: unknown, length: number): number[][] {
  return Array.from(
    readSelections(evidence, length),
    (selected) => [...selected.keys()].filter((row) => selected[row] === 1),
  );
}

Deno.test("readSelections() reads what selectionOf() says, and refuses rows of another table", () => {
  for (const rows of [[], [0], [7, 8], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    assert.deepEqual(rowsOf(selectionOf(rows, 10), 10), [rows]);
  }
  assert.equal(selectionOf(undefined, 10).rows, null);
  assert.throws(() => rowsOf(selectionOf([1], 10), 100), /another table/);
  assert.throws(() => rowsOf({ rows: "?" }, 10));
});

Deno.test("readSelections() reads the rows of each group that selectionsOf() says, of few groups and of many", () => {
  for (const groups of [1, 2, 3, 7, 15, 16, 255, 256, 600]) {
    const length = 1300;
    const places = Uint32Array.from({ length: 1000 }, (_, i) => i + (i >> 2));
    const groupOf = Int32Array.from(places, (_, i) => i * 7919 % (groups + 1) - 1);
    const evidence = selectionsOf(groupOf, groups, { places, length });
    const expected = Array.from(
      { length: groups },
      (_, group) => [...places].filter((_, i) => groupOf[i] === group),
    );
    assert.deepEqual(evidence.flatMap((one) => rowsOf(one, length)), expected, `${groups}`);
  }
});

Deno.test("selectionsOfBits() says the same as selectionsOf() of two groups", () => {
  for (const length of [1, 3, 4, 5, 31, 32, 33, 1300]) {
    const groupOf = Int32Array.from({ length }, (_, i) => i * 7919 % 5 % 2);
    const bits = new Uint32Array(Math.ceil(length / 32));
    for (const [row, group] of groupOf.entries()) bits[row >> 5]! |= group << (row & 31);
    const [expected, found] = [
      selectionsOf(groupOf, 2, { places: undefined, length }),
      selectionsOfBits(bits, length),
    ].map((evidence) => evidence.flatMap((one) => rowsOf(one, length)));
    assert.deepEqual(found, expected, `${length}`);
  }
});

Deno.test("selectionsOf() says the same rows of groups that are bytes, whatever group a byte is of", () => {
  const length = 1300;
  for (const numbers of [1, 2, 250, 254, 255, 256]) {
    const groupOf = Int32Array.from({ length }, (_, i) => i * 7919 % numbers);
    const withNone = groupOf.map((one, row) => row % 5 === 0 ? -1 : one);
    for (const groups of [1, 2, 40, 250, 255, 256]) {
      const numberOf = Array.from(
        { length: numbers },
        (_, one) => one % 7 === 3 ? -1 : one % groups,
      );
      const of = { places: undefined, length, numberOf };
      for (const places of [groupOf, withNone, Uint8Array.from(groupOf)]) {
        const expected = Array.from(
          { length: groups },
          (_, group) =>
            [...places.keys()].filter((row) =>
              places[row]! >= 0 && numberOf[places[row]!] === group
            ),
        );
        const said = selectionsOf(places, groups, of).flatMap((one) => rowsOf(one, length));
        assert.deepEqual(said, expected, `${numbers} as ${groups}`);
      }
    }
  }
});

Deno.test("makeSelection() gives the digests that ledgers of earlier versions hold", () => {
  const selected = Uint8Array.from({ length: 1000 }, (_, row) => row % 3 === 0 ? 0 : 1);
  const persons = Uint32Array.from(selected, (_, row) => row * 7 % 40);
  const { digest } = makeSelection({ unit: "persons", selected, persons });
  assert.equal(digest, "b1ace03e0f5f22a4d58fb504cde88694cd3b9a449384b439b05b4275d14f34d6");
});

Deno.test("makeSelection() counts a person whose rows add up to nothing", () => {
  // Of so many rows, taken one after the other, some sums are a multiple of the modulus.
  for (let first = 0; first < 600; first++) {
    const selected = new Uint8Array(602);
    selected[first] = selected[first + 1] = 1;
    const { bytes, persons } = makeSelection({
      selected,
      unit: "persons",
      persons: Uint32Array.from(selected, () => 2),
    });
    assert.deepEqual([persons, bytes.length], [1, 3]);
    assert.ok(bytes[2]! >= 1 && bytes[2]! <= 251);
  }
});

Deno.test("sketchesDiffer() says no more than selections differ, and much of groups apart", () => {
  const groupOf = (isIn: (row: number) => boolean) =>
    makeSelection({
      selected: Uint8Array.from({ length: 4096 }, (_, row) => isIn(row) ? 1 : 0),
      unit: "rows",
    });
  const apart = (isIn: (row: number) => boolean, other: (row: number) => boolean) => {
    const [one, two] = [groupOf(isIn), groupOf(other)];
    const said = sketchesDiffer(sketchOf(one.bytes), sketchOf(two.bytes));
    assert.ok(said <= difference(one, two), `${said} of ${difference(one, two)}`);
    return said;
  };
  const all = () => true;
  for (const few of [0, 1, 2, 7, 40]) {
    assert.equal(apart(all, (row) => row % 100 !== 3 || row >= 100 * few), few);
    // An exchange of persons that are in the same part is not seen.
    apart((row) => row < 2000 + few, (row) => row >= few && row < 2000 + 2 * few);
  }
  for (const width of [8, 64, 200]) {
    // Groups of every eighth, and of those who come one after the other.
    assert.ok(apart((row) => row % width === 0, (row) => row % width === 1) > 11);
    const size = 4096 / width;
    assert.ok(apart((row) => row < size, (row) => row >= size && row < 2 * size) > 11);
  }
});
