import assert from "node:assert/strict";
import fc from "fast-check";
import { PROFILES } from "../../../disclosure/rules.ts";
import { coarseLifeTablesOf, lifeTableOf } from "./life_table.ts";

const asked = fc.record({
  rows: fc.array(
    fc.record({
      time: fc.nat(40),
      event: fc.nat(1),
      person: fc.nat(25),
      group: fc.integer({ min: -1, max: 1 }),
    }),
    {
      maxLength: 160,
      size: "max",
    },
  ),
  /** Whole numbers are counted in another way than others. */
  unit: fc.constantFrom(1, 0.3),
  least: fc.integer({ min: 1, max: 8 }),
  isOfPersons: fc.boolean(),
});

Deno.test("coarseLifeTablesOf() counts the rows and persons of each interval, each kind none or enough", () => {
  let told = 0;
  fc.assert(
    fc.property(asked, ({ rows, unit, least, isOfPersons }) => {
      const times = Float64Array.from(rows, ({ time }) => time * unit);
      const events = Float64Array.from(rows, ({ event }) => event);
      const persons = isOfPersons ? Uint32Array.from(rows, ({ person }) => person) : undefined;
      const profile = { profile: "datashield" as const, persons: null, ...PROFILES.datashield };
      const rules = { ...profile, minCell: least, minSubset: least };
      const groupOf = Int32Array.from(rows, ({ group }) => group);
      const count = (among: number[]) => new Set(among.map((row) => persons?.[row] ?? row)).size;
      const most = isOfPersons ? Math.max(least, rules.minLevel) : Infinity;
      const upToMost = (among: number[]) => Math.min(most, count(among));
      const groups = [0, 1].map((group) =>
        [...rows.keys()].filter((row) => groupOf[row] === group)
      );
      const of = (values: Float64Array, group: number[]) =>
        Float64Array.from(group, (row) => values[row]!);
      const fine = groups.map((group) => lifeTableOf(of(times, group), of(events, group)));
      const site = { rules, persons };
      const tables = coarseLifeTablesOf(fine, { times, events, groupOf, site });
      for (const [group, all] of groups.entries()) {
        const table = tables[group];
        if (!table) continue;
        told += table.times.length;
        for (const [i, upTo] of table.times.entries()) {
          const from: number = table.times[i - 1] ?? -1;
          const within = all.filter((row) => times[row]! > from && times[row]! <= upTo);
          const [without, ended] = [0, 1].map((kind) =>
            within.filter((row) => events[row] === kind)
          );
          assert.deepEqual([table.censored[i], table.events[i]], [without!.length, ended!.length]);
          const { censoredPersons, eventPersons, persons: whose } = table;
          const counted: number[] = [censoredPersons[i]!, eventPersons[i]!];
          assert.deepEqual(counted, [upToMost(without!), upToMost(ended!)]);
          assert.ok(whose[i]! >= upToMost(within) && whose[i]! <= count(within));
          for (const one of counted) assert.ok(one === 0 || one >= least);
        }
        const sum = (counts: number[]) => counts.reduce((all, one) => all + one, 0);
        assert.equal(sum(table.events) + sum(table.censored), all.length);
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(told > 500, `${told} intervals were told`);
});
