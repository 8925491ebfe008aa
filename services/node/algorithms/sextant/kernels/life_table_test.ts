import assert from "node:assert/strict";
import fc from "fast-check";
import { PROFILES } from "../../../disclosure/rules.ts";
import { coarseLifeTableOf, lifeTableOf } from "./life_table.ts";

const asked = fc.record({
  rows: fc.array(fc.record({ time: fc.nat(40), event: fc.nat(1), person: fc.nat(25) }), {
    maxLength: 80,
    size: "max",
  }),
  /** Whole numbers are counted in another way than others. */
  unit: fc.constantFrom(1, 0.3),
  least: fc.integer({ min: 1, max: 8 }),
  isOfPersons: fc.boolean(),
});

Deno.test("coarseLifeTableOf() counts the rows and persons of each interval, each kind none or enough", () => {
  let told = 0;
  fc.assert(
    fc.property(asked, ({ rows, unit, least, isOfPersons }) => {
      const times = Float64Array.from(rows, ({ time }) => time * unit);
      const events = Float64Array.from(rows, ({ event }) => event);
      const persons = isOfPersons ? Uint32Array.from(rows, ({ person }) => person) : undefined;
      const profile = { profile: "datashield" as const, persons: null, ...PROFILES.datashield };
      const rules = { ...profile, minCell: least, minSubset: least };
      const fine = lifeTableOf(times, events);
      const table = coarseLifeTableOf(fine, { times, events, site: { rules, persons } });
      const count = (among: number[]) => new Set(among.map((row) => persons?.[row] ?? row)).size;
      const all = [...rows.keys()];
      if (!table) return;
      told += table.times.length;
      for (const [i, upTo] of table.times.entries()) {
        const from: number = table.times[i - 1] ?? -1;
        const within = all.filter((row) => times[row]! > from && times[row]! <= upTo);
        const [without, ended] = [0, 1].map((kind) => within.filter((row) => events[row] === kind));
        assert.deepEqual([table.censored[i], table.events[i]], [without!.length, ended!.length]);
        const { censoredPersons, eventPersons, persons: whose } = table;
        const counted: number[] = [censoredPersons[i]!, eventPersons[i]!, whose[i]!];
        assert.deepEqual(counted, [count(without!), count(ended!), count(within)]);
        for (const one of counted.slice(0, 2)) assert.ok(one === 0 || one >= least);
      }
      const sum = (counts: number[]) => counts.reduce((all, one) => all + one, 0);
      assert.equal(sum(table.events) + sum(table.censored), rows.length);
    }),
    { numRuns: 500 },
  );
  assert.ok(told > 500, `${told} intervals were told`);
});
