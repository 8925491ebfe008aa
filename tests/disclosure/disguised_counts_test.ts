/** Counts that come as something else: as means, sums, or what is left of them. */
import assert from "node:assert/strict";
import type { Profile } from "../../services/node/disclosure/rules.ts";
import { createSiteWithLedger } from "../support/site_with_ledger.ts";

const ALL: readonly Profile[] = ["datashield", "opensafely", "acro", "strict"];

function csvOf(head: string, rows: number, row: (i: number) => unknown[]): string {
  return [head, ...Array.from({ length: rows }, (_, i) => row(i).join()), ""].join("\n");
}

/** Of 120 persons two are ill, both of b; one has a cost, all others none. */
const FEW_ILL = csvOf("centre,ill,healthy,cost,days", 120, (i) => {
  const isIll = i === 7 || i === 13;
  return [i % 3 === 0 ? "a" : "b", +isIll, +!isIll, i === 7 ? 70425.25 : 0, 1 + i % 5];
});

Deno.test("attack: the mean of a column of 0 and 1, whichever way round, is not told where few have one of them", async () => {
  for (const profile of ALL) {
    for (const column of ["ill", "healthy", "cost"]) {
      await using site = await createSiteWithLedger(FEW_ILL, profile);
      const asked = { columns: [column, "days"], categories: [], group: "centre" };
      const { columns } = await site.ask("summary", "partial", asked);
      const { all, groups } = columns[column];
      assert.deepEqual([all.moments, groups.b.moments], [null, null], `${profile} ${column}`);
      assert.notEqual(columns.days.all.moments, null, "others are told");
      for (const group of [undefined, "centre"]) {
        const found = await site.ask("compare_means", "partial", { column, group });
        assert.deepEqual(found, { withheld: [{ output: "*", rule: "min_level", values: 1 }] });
      }
    }
  }
});

Deno.test("attack: a rate's events, or its person-time, of few who have any is not told", async () => {
  for (const profile of ALL) {
    for (const [events, person_time] of [["healthy", "days"], ["days", "ill"], ["days", "cost"]]) {
      await using site = await createSiteWithLedger(FEW_ILL, profile);
      const { cells } = await site.ask("incidence_rates", "partial", {
        events,
        person_time,
        group: "centre",
      });
      const told = cells.filter(({ n }: { n: number | null }) => n !== null);
      assert.deepEqual(told, [], `${profile} ${events} ${person_time}`);
    }
  }
});

Deno.test("attack: the mean of all less that of one group does not count the few of another", async () => {
  // Five are ill: three of b, two of a.
  const csv = csvOf("centre,ill", 120, (i) => [i % 3 === 0 ? "a" : "b", i < 7 && i > 1 ? 1 : 0]);
  await using site = await createSiteWithLedger(csv);
  const asked = { columns: ["ill"], categories: [] };
  const { columns } = await site.ask("summary", "partial", { ...asked, group: "centre" });
  const { all, groups } = columns.ill;
  assert.equal(all.moments.n * all.moments.mean, 5);
  assert.deepEqual([groups.a.moments, groups.b.moments], [null, null]);
  // Nor in another run.
  const { columns: some = null } = await site.ask("summary", "partial", {
    ...asked,
    where: "centre = 'b'",
  });
  assert.equal(some, null);
});

Deno.test("a mean of 0 and 1 is told where enough have each, a mean of several values where one is rare", async () => {
  const csv = csvOf("centre,ill,score", 400, (i) => {
    return [i % 3 === 0 ? "a" : "b", +(i % 5 === 0), i === 9 ? 4 : i % 4];
  });
  for (const profile of ALL) {
    await using site = await createSiteWithLedger(csv, profile);
    const asked = { columns: ["ill", "score"], categories: [], group: "centre" };
    const { columns } = await site.ask("summary", "partial", asked);
    for (const name of ["ill", "score"]) {
      const { all, groups } = columns[name];
      for (const { moments } of [all, groups.a, groups.b]) assert.ok(moments.mean > 0);
    }
    const found = await site.ask("compare_means", "partial", { column: "ill", group: "centre" });
    assert.equal(found.groups.a.mean > 0, true);
  }
});

Deno.test("attack: of a column that all but few lack, these few are not counted by what is missing", async () => {
  const csv = csvOf("age,transplant,kind", 60, (i) => {
    return [20 + i, i === 7 ? 3 : "", i === 7 || i === 9 ? "liver" : ""];
  });
  for (const profile of ALL.filter((one) => one !== "opensafely")) {
    await using site = await createSiteWithLedger(csv, profile);
    for (const column of ["transplant", "kind"]) {
      const { rows, columns } = await site.ask("summary", "partial", {
        columns: ["age", column],
        categories: [],
      });
      assert.deepEqual([rows, columns[column].all.missing], [null, null], `${profile} ${column}`);
      assert.equal(columns.age.all.moments.n, 60);
    }
  }
});

Deno.test("attack: a level's rows in one run, and in another without the few who are ill", async () => {
  const csv = csvOf("sex,ill,age", 60, (i) => [i % 2 ? "m" : "f", i === 7 ? 1 : 0, 20 + i]);
  await using site = await createSiteWithLedger(csv);
  const { columns } = await site.ask("summary", "partial", { columns: ["sex"], categories: [] });
  assert.deepEqual(columns.sex.all.counts, { f: 30, m: 30 });
  const where = "sex = 'm' and ill = 0";
  const less = await site.ask("summary", "partial", { columns: ["age"], categories: [], where });
  assert.deepEqual(Object.keys(less), ["withheld"]);
});
