import assert from "node:assert/strict";
import { membershipsOf, personsIn, personsOfUnions } from "./memberships.ts";

Deno.test("personsIn() counts the persons of groups taken together as sets do, whichever groups these are", () => {
  for (const size of [1, 4, 12]) {
    const persons = Uint32Array.from({ length: 400 }, (_, row) => row * 7919 % 60);
    const places = Int32Array.from({ length: 400 }, (_, row) => row * row % 31 % (size + 1) - 1);
    const found = membershipsOf(persons, places, size)!;
    const all = Array.from({ length: size }, (_, group) => group);
    for (const groups of [[], [0], [size - 1], all.filter((group) => group % 2 === 0), all]) {
      const whose = persons.filter((_, row) => groups.includes(places[row]!));
      assert.equal(personsIn(found, groups), new Set(whose).size, `${size}: ${groups}`);
    }
  }
  assert.equal(membershipsOf(Uint32Array.of(0), Int32Array.of(0), 13), undefined);
});

Deno.test("personsOfUnions() counts the persons of each union as sets do, of few groups and many", () => {
  for (const size of [1, 4, 12, 13, 80]) {
    const persons = Uint32Array.from({ length: 400 }, (_, row) => row * 7919 % 60);
    const places = Int32Array.from({ length: 400 }, (_, row) => row * row % 97 % (size + 1) - 1);
    const personsOf = personsOfUnions(persons, places, size);
    const all = Array.from({ length: size }, (_, group) => group);
    const some = [0, 1].map((rest) => all.filter((group) => group % 3 === rest));
    for (const unions of [all.map((group) => [group]), some, [all], [[], all.slice(1)]]) {
      const expected = unions.map((groups) =>
        new Set(persons.filter((_, row) => groups.includes(places[row]!))).size
      );
      assert.deepEqual(personsOf(unions), expected, `${size}: ${unions.length}`);
    }
  }
});
