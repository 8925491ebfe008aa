/**
 * The library where a cell, a group, a time, a bin or a cluster is of few persons: none of it
 * leaves, nor what would give it back, and the rest is right.
 * @module
 */
import assert from "node:assert/strict";
import { fileOf, GROUPS, large, noise, type Result, run, saidBy } from "../support/under_rules.ts";

Deno.test("crosstab does not tell a cell of a few, nor another from which it would follow", async () => {
  // Site 2 has two of b and r.
  const second = fileOf(62, {
    g: (row) => row < 2 ? "b" : GROUPS[row % 2]!,
    h: (row) => row < 2 ? "r" : ["p", "q"][Math.floor(row / 2) % 2]!,
  }) + "a,r\na,r\na,r\na,r\na,r\n";
  const first = fileOf(60, { g: (row) => GROUPS[row % 2]!, h: (row) => ["p", "q", "r"][row % 3]! });
  const asked = { name: "crosstab", kwargs: { row: "g", column: "h" }, files: [first, second] };
  const { result, parts } = await run(asked);
  const free = (await run({ ...asked, profile: "none" })).result;
  assert.deepEqual(saidBy(result), ["2 min_cell"]);
  const nulls = result.counts.flat().filter((count: unknown) => count === null).length;
  assert.ok(nulls >= 4 && nulls < 6, JSON.stringify(result.counts));
  for (const [i, row] of (result.counts as (number | null)[][]).entries()) {
    for (const [j, count] of row.entries()) {
      if (count !== null) assert.equal(count, free.counts[i][j]);
    }
    // No row and no column lacks one count alone.
    assert.notEqual(row.filter((count) => count === null).length, 1);
  }
  assert.equal(result.chi_squared, null);
  assert.match(result.notes.join(), /withholds is null/);
  // What the site itself told: every margin that is known leaves two open.
  const { part } = parts.find(({ part }) => part.withheld.length > 0)!;
  assert.equal(part.cells.filter(({ count }: Result) => count === null).length, 4);
});

Deno.test("crosstab takes no organization's unnamed level for none", async () => {
  // At site 2 two persons have the level c, of which it tells nothing.
  const first = fileOf(60, { g: (row) => ["a", "b", "c"][row % 3]!, h: (row) => "pq"[row % 2]! });
  const second =
    fileOf(40, { g: (row) => "ab"[row % 2]!, h: (row) => "pq"[Math.floor(row / 2) % 2]! }) +
    "c,p\nc,q\n";
  const { result } = await run({
    name: "crosstab",
    kwargs: { row: "g", column: "h" },
    files: [first, second],
  });
  assert.deepEqual(result.rows, ["a", "b", "c"]);
  assert.deepEqual(result.counts, [[20, 20], [20, 20], [null, null]]);
  assert.deepEqual(result.left_out.levels, { g: null });
});

Deno.test("summary tells no mean, no level and no number of missing of a few, nor what would give it back", async () => {
  const second = fileOf(60, {
    x: (row) => row < 40 ? noise(row) : "",
    g: (row) => row < 28 || row > 58 ? "a" : "b",
    h: (row) => row === 3 ? "Zoe" : "pq"[row % 2]!,
  }) + "5,Yan,p\n6,Yan,q\n";
  const asked = {
    name: "summary",
    kwargs: { columns: ["x", "h"], group: "g" },
    files: [large(), second],
  };
  const { result, parts } = await run(asked);
  assert.doesNotMatch(JSON.stringify([result, parts]), /Zoe|Yan/);
  const rules = saidBy(result);
  assert.ok(rules.includes("2 min_level") && rules.includes("2 min_cell"), rules.join());
  // The number of rows would tell how few of a group lack a value: 1 of a.
  assert.equal(result.n, null);
  assert.deepEqual(result.groups, { a: null, b: null });
  assert.equal(result.columns.x.all.missing, null);
  // Means are of the rows that are told of, and say of how many.
  assert.equal(result.columns.x.all.n, 60 + 40);
  const free =
    (await run({ ...asked, files: [large(), second.split("5,Yan")[0]!], profile: "none" })).result;
  assert.equal(result.columns.x.all.mean, free.columns.x.all.mean);
  assert.equal(result.columns.x.groups.a.mean, free.columns.x.groups.a.mean);
  assert.equal(result.columns.h.all.n, null);
});

Deno.test("kaplan_meier counts in intervals of enough persons, and no time of a person leaves", async () => {
  const times = (row: number) => 100 + 7.31 * ((row * 37) % 61) + row / 977;
  const file = fileOf(61, { t: times, e: (row) => row % 4 === 0 ? 0 : 1 });
  const asked = { name: "kaplan_meier", kwargs: { time: "t", event: "e" }, files: [file, file] };
  const { result, parts } = await run(asked);
  const free = (await run({ ...asked, profile: "none" })).result;
  const own = new Set(Array.from({ length: 61 }, (_, row) => times(row)));
  for (const { part } of parts) {
    const { times, events, censored } = part.groups.all;
    assert.ok(times.length > 2);
    for (const [i, time] of times.entries()) {
      assert.equal(own.has(time), false, `${time}`);
      assert.ok(events[i] === 0 || events[i] >= 3);
      assert.ok(censored[i] === 0 || censored[i] >= 3);
    }
  }
  const { all } = result.groups;
  assert.deepEqual([all.n, all.events], [free.groups.all.n, free.groups.all.events]);
  assert.ok(saidBy(result).includes("1 min_cell"));
  // Coarser, not another curve: at every step as many have had the event as by then had it.
  for (const { time, survival } of all.curve) {
    const exact = free.groups.all.curve.findLast((point: Result) => point.time <= time);
    assert.ok(Math.abs(survival - exact.survival) < 0.06, `${time}: ${survival} ${exact.survival}`);
  }
  // Times that enough persons share are told as they are.
  const shared = fileOf(60, { t: (row) => 3 * (row % 5) + 1, e: (row) => Math.floor(row / 5) % 2 });
  const same = { ...asked, files: [shared] };
  assert.deepEqual(
    (await run(same)).result.groups,
    (await run({ ...same, profile: "none" })).result.groups,
  );
});

Deno.test("kaplan_meier leaves out a group with too few events where they are too few", async () => {
  const second = fileOf(60, {
    t: (row) => 1 + row,
    e: (row) => row % 2 === 0 ? row % 4 === 0 ? 1 : 0 : row === 1 ? 1 : 0,
    g: (row) => GROUPS[row % 2]!,
  });
  const { result } = await run({
    name: "kaplan_meier",
    kwargs: { time: "t", event: "e", group: "g" },
    files: [large(), second],
  });
  assert.deepEqual(result.sites.map(({ n }: Result) => n), [60, 30]);
  assert.equal(result.groups.b.n, 30);
  assert.equal(result.left_out.levels.g, 30);
});

Deno.test("cox shows baselines in steps of enough persons, and no pooled one", async () => {
  const kwargs = { time: "t", event: "e", predictors: ["x"] };
  const { result, parts } = await run({
    name: "cox",
    kwargs: { ...kwargs, show_baseline: true },
    files: [large(), large(80, 3)],
  });
  const free = await run({ name: "cox", kwargs, files: [large(), large(80, 3)], profile: "none" });
  assert.deepEqual(result.coefficients, free.result.coefficients);
  const steps = parts.filter(({ method }) => method === "partial_finish");
  const own = large().split("\n").slice(1, -1).map((row) => Number(row.split(",")[4]));
  const events = (time: number) => own.filter((one) => one === time).length;
  const [{ times }] = steps[0]!.part.baselines;
  assert.ok(times.length > 3 && times.length <= 12);
  assert.ok(times.every((time: number) => events(time) >= 3 || time % 1 === 0));
  await assert.rejects(
    run({ name: "cox", kwargs: { ...kwargs, baseline: "pooled" }, files: [large()] }),
    /No organization can take part .*: organization 1 withholds its part [(]min_cell[)]/,
  );
});

Deno.test("histogram takes bins of a few together, whatever bins are asked for", async () => {
  const file = fileOf(60, {
    x: (row) => row === 9 ? 99.123 : row < 30 ? 10 + row / 10 : 40 + row / 10,
  });
  for (const bins of [10, 100, 1000]) {
    const { result, parts } = await run({
      name: "histogram",
      kwargs: { column: "x", from: 0, to: 100, bins },
      files: [file],
    });
    for (const { part } of parts) {
      for (const run of part.runs) assert.ok(run === 0 || run >= 3, `${bins}: ${run}`);
    }
    const sum = result.bins.reduce((all: number, { count }: Result) => all + count, 0);
    assert.equal(sum, 60);
    assert.deepEqual(saidBy(result), ["1 min_cell"]);
    // The one far off is somewhere among others, and above.
    assert.ok(result.bins.at(-1).count >= 3);
    assert.equal(result.bins.at(-1).to, null);
    assert.ok(result.bins.at(-1).from < 46);
  }
  // Where no bin has a few, nothing changes.
  const asked = {
    name: "histogram",
    kwargs: { column: "x", from: 0, to: 50, bins: 5 },
    files: [large(200)],
  };
  const wide = { ...asked, kwargs: { ...asked.kwargs, from: -20, to: 120, bins: 4 } };
  assert.deepEqual(
    (await run(wide)).result.bins,
    (await run({ ...wide, profile: "none" })).result.bins,
  );
});

Deno.test("histogram comes no nearer to a value by bins that begin a little further on each time", async () => {
  const value = (row: number) => 20 + 0.5 * row + (row * 29 % 7) / 10;
  const files = [fileOf(60, { x: value })];
  const below = new Map<number, number>([[-Infinity, 0], [Infinity, 60]]);
  const widths = [0.1, 0.37, 1, 5, 10];
  for (let turn = 0; turn < 240; turn++) {
    const from = 15 + Math.round(1000 * turn / 6) / 1000;
    const [to, bins] = [from + widths[turn % widths.length]!, 1 + turn % 3];
    const { parts } = await run({
      name: "histogram",
      kwargs: { column: "x", from, to, bins },
      files,
    });
    for (const { method, part } of parts) {
      if (method !== "partial") continue;
      let sum = 0;
      for (const [i, end] of (part.ends as number[]).entries()) {
        sum += part.runs[i];
        if (end <= bins) below.set(from + (to - from) / bins * end, sum);
      }
    }
  }
  assert.ok(below.size > 20, "edges are told");
  const told = [...below].sort(([one], [other]) => one - other).map(([, count]) => count);
  for (const [i, count] of told.slice(1).entries()) {
    const between = count - told[i]!;
    assert.ok(between === 0 || between >= 3, `${between} lie between two edges`);
  }
});

Deno.test("quantiles come no nearer to a value however they are asked for, and have no ends", async () => {
  const value = (row: number) => 100 + 3.0717 * ((row * 29) % 83);
  const file = fileOf(83, { x: value });
  const own = Array.from({ length: 83 }, (_, row) => value(row)).sort((a, b) => a - b);
  const probabilities = [0.001, 0.01, 0.25, 0.5, 0.75, 0.99, 0.999];
  const { result } = await run({
    name: "quantiles",
    kwargs: { column: "x", probabilities },
    files: [file, file],
  });
  const values = result.quantiles.map(({ value }: Result) => value);
  assert.deepEqual([values[0], values[1], values[5], values[6]], [null, null, null, null]);
  for (const [i, p] of [0.25, 0.5, 0.75].entries()) {
    const at = own[Math.round(p * 82)]!;
    assert.ok(Math.abs(values[2 + i] - at) < 30, `${values[2 + i]} is far from ${at}`);
    assert.equal(own.includes(values[2 + i]), false);
  }
  // Limits around one value: nobody is between them.
  const limits = Array.from({ length: 200 }, (_, i) => own[40]! - 1 + i / 100);
  const { result: part } = await run({
    name: "quantiles",
    method: "partial",
    kwargs: { column: "x", limits },
    files: [file],
  });
  const steps = [...new Set<number>(part.counts)];
  assert.ok(steps.every((count, i) => i === 0 || count - steps[i - 1]! >= 3), steps.join());
});

Deno.test("incidence_rates are null where a part of them is withheld, and right elsewhere", async () => {
  const second = fileOf(60, {
    e: (row) => row % 2 === 0 ? 1 : row < 4 ? 1 : 0,
    t: (row) => 10 + row,
    g: (row) => ["a", "b", "c"][row % 2 === 0 ? row % 4 === 0 ? 0 : 2 : 1]!,
  });
  const first = fileOf(60, {
    e: (row) => row % 2,
    t: (row) => 20 + row,
    g: (row) => ["a", "b", "c"][Math.floor(row / 2) % 3]!,
  });
  const asked = {
    name: "incidence_rates",
    kwargs: { events: "e", person_time: "t", group: "g" },
    files: [first, second],
  };
  const { result } = await run(asked);
  const free = (await run({ ...asked, profile: "none" })).result;
  // b has two events at site 2; one more goes with it, and the total.
  assert.equal(result.groups.b.events, null);
  assert.equal(result.total.rate, null);
  const told = Object.entries<Result>(result.groups).filter(([, { n }]) => n !== null);
  assert.equal(told.length, 1);
  const [name, { n, events, person_time, rate }] = told[0]!;
  const { n: rows, events: all, person_time: time, rate: same } = free.groups[name];
  assert.deepEqual([n, events, person_time, rate], [rows, all, time, same]);
  assert.deepEqual(saidBy(result), ["2 min_cell"]);
});

Deno.test("k_means gives no centre to a person alone, and no two answers that differ by one", async () => {
  const file = fileOf(60, { x: (row) => row === 0 ? 999 : noise(row), y: (row) => noise(row * 3) });
  const ask = async (centres: number[][]) =>
    (await run({
      name: "k_means",
      method: "partial_clusters",
      kwargs: { columns: ["x", "y"], centres, scales: [1, 1] },
      files: [file],
    })).result.sizes as number[];
  const alone = await ask([[50, 50], [999, 0]]);
  assert.ok(alone.every((size) => size === 0 || size >= 3), alone.join());
  let before = await ask([[0, 50], [60, 50]]);
  for (let at = 61; at < 100; at += 3) {
    const now = await ask([[0, 50], [at, 50]]);
    const step = Math.abs(now[0]! - before[0]!);
    assert.ok(step === 0 || step >= 3, `${before} ${now}`);
    before = now;
  }
  // About the same clusters as of rows one by one.
  const asked = { name: "k_means", kwargs: { columns: ["x", "y"], start: [[10, 10], [90, 90]] } };
  const files = [large(300), large(200, 9)];
  const { result } = await run({ ...asked, files });
  const free = (await run({ ...asked, files, profile: "none" })).result;
  assert.ok(Math.abs(result.centres[0].x - free.centres[0].x) < 5);
  assert.deepEqual(saidBy(result), ["1 min_cell", "2 min_cell"]);
});

Deno.test("persons are counted where the owner names their column, not rows", async () => {
  // Every person of site 2 has 30 rows, and there are two; of site 1, one.
  const ids = (rows: number) => (row: number) => Math.floor(row / rows);
  const columns = {
    x: noise,
    y: (row: number) => noise(row * 3),
    g: (row: number) => "ab"[row % 2]!,
  };
  const first = fileOf(60, { id: ids(1), ...columns });
  const second = fileOf(60, { id: ids(30), ...columns });
  for (
    const [name, kwargs] of [
      ["glm", { outcome: "y", predictors: ["x"] }],
      ["summary", { columns: ["x"], group: "g" }],
      ["crosstab", { row: "g", column: "id" }],
      ["histogram", { column: "x", from: 0, to: 110, bins: 4 }],
    ] as const
  ) {
    const { result } = await run({ name, kwargs, files: [first, second], persons: "id" })
      .catch((error: Error) => ({ result: { withheld: [], error: error.message } }));
    if ("error" in result) {
      assert.match(String(result.error), /No organization can take part/);
      continue;
    }
    assert.ok(saidBy(result).includes("2 min_subset"), `${name} ${saidBy(result)}`);
    assert.equal(result.n, 60, name);
  }
});

Deno.test("under opensafely counts are rounded, it is said, and what is made of means stays right", async () => {
  const files = [large(62), large(83, 5)];
  const asked = { name: "compare_means", kwargs: { column: "x", group: "g" }, files };
  const { result } = await run({ ...asked, profile: "opensafely" });
  const free = (await run({ ...asked, profile: "none" })).result;
  assert.equal(result.n % 5, 0);
  assert.deepEqual(saidBy(result), ["1 round_to", "2 round_to"]);
  for (const name of GROUPS) {
    assert.equal(result.groups[name].n % 5, 0);
    assert.ok(Math.abs(result.groups[name].mean / free.groups[name].mean - 1) < 0.03);
    assert.ok(Math.abs(result.groups[name].sd / free.groups[name].sd - 1) < 0.03);
  }
  const glm = { name: "glm", kwargs: { outcome: "y", predictors: ["x"] }, files };
  const fit = (await run({ ...glm, profile: "opensafely" })).result;
  const { x } = (await run({ ...glm, profile: "none" })).result.coefficients;
  assert.ok(Math.abs(fit.coefficients.x.estimate / x.estimate - 1) < 1e-9);
  assert.ok(Math.abs(fit.coefficients.x.standard_error / x.standard_error - 1) < 1e-9);
  assert.equal(fit.n, 145);
});

Deno.test("under strict and acro k_means is refused, as nobody knows what of a mean one person makes up", async () => {
  for (const profile of ["strict", "acro"] as const) {
    const kwargs = { columns: ["x", "y"], start: [[10, 10], [90, 90]] };
    await assert.rejects(
      run({ name: "k_means", kwargs, files: [large()], profile }),
      /No organization can take part .*[(]dominance[)]/,
    );
  }
});
