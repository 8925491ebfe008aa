/** Counts by bin, by interval and by many groups, less those of others: the ledger hears of all. */
import assert from "node:assert/strict";
import { createSiteWithLedger } from "../support/site_with_ledger.ts";

/** Of ten in each of twelve places a few are ill. */
const ILL = [13, 40, 41, 66, 67, 68, 90, 91, 92, 93];
const CSV = [
  "cost,hiv",
  ...Array.from({ length: 120 }, (_, i) => `${10 * (i % 12) + 5},${ILL.includes(i) ? 1 : 0}`),
  "",
].join("\n");

Deno.test("attack: the bins of all less those of a condition's rows do not count the few of a bin", async () => {
  for (
    const [name, kwargs] of [
      ["histogram", { column: "cost", from: 0, to: 120, bins: 12 }],
      ["quantiles", { column: "cost", limits: Array.from({ length: 12 }, (_, i) => 10 * i + 5) }],
    ] as [string, Record<string, unknown>][]
  ) {
    await using site = await createSiteWithLedger(CSV);
    const all = await site.ask(name, "partial", kwargs);
    assert.equal(all.n, 120, name);
    const others = await site.ask(name, "partial", { ...kwargs, where: "hiv = 0" });
    assert.deepEqual(Object.keys(others), ["withheld"], name);
    // The same again is told.
    assert.deepEqual(await site.ask(name, "partial", kwargs), all, name);
  }
});

Deno.test("attack: a survey of a condition's rows is said to the ledger as any other part is", async () => {
  await using site = await createSiteWithLedger(CSV);
  const survey = (where: string) =>
    site.ask("glm", "partial_survey", { columns: ["cost"], categories: [], where });
  assert.ok((await survey("cost <= 65")).columns);
  // Of those below one is ill.
  const others = await survey("cost <= 65 and (hiv = 0 or cost != 15)");
  assert.deepEqual(Object.keys(others), ["withheld"]);
});

Deno.test("attack: one of very many groups in one run, and in another its rows but for one", async () => {
  const [rows, width] = [64_000, 32];
  const age = (i: number) => 20 + Math.floor(i / width ** 2) % 60;
  const lines = Array.from(
    { length: rows },
    (_, i) => [`g${i % width}`, `h${Math.floor(i / width) % width}`, age(i), i % 977].join(),
  );
  await using site = await createSiteWithLedger(["g,h,age,days", ...lines, ""].join("\n"));
  const { cells } = await site.ask("incidence_rates", "partial", {
    events: "age",
    person_time: "days",
    group: "g",
    strata: "h",
  });
  assert.equal(cells.length, width ** 2);
  const less = await site.ask("summary", "partial", {
    columns: ["days"],
    categories: [],
    where: "g = 'g17' and h = 'h5' and age < 79",
  });
  assert.deepEqual(Object.keys(less), ["withheld"]);
});
