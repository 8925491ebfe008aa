import assert from "node:assert/strict";
import { silentLogger } from "../../../../shared/service/log.ts";
import { temporaryFolder } from "../../../../tests/harness.ts";
import { levelsOfColumn } from "../../algorithms/sextant/levels.ts";
import type { NodeDatabase } from "../../data/databases.ts";
import { type LedgerEntry, ledgerFolder } from "./files.ts";
import { type Ledger, openLedger, type OpenLedgerOptions } from "./ledger.ts";
import { runLedger } from "./ledger_commands.ts";
import { makeSelection, type Selection } from "./selection.ts";
import { ledgerKey } from "./selections_of_run.ts";

const about: Pick<
  LedgerEntry,
  "task_id" | "result_id" | "user_id" | "organization_id" | "image"
> = { task_id: 5, result_id: 7, user_id: 1, organization_id: 2, image: "deno:glm@1.0.0" };
let lastRun = 7;

/** All of `n` rows but some. */
function rows(n: number, without: number[] = []): Selection {
  const selected = new Uint8Array(n).fill(1);
  for (const row of without) selected[row] = 0;
  return makeSelection({ selected, unit: "rows" });
}

interface Site {
  path: string;
  open(options?: Partial<OpenLedgerOptions>): Promise<Ledger>;
  records: { event: string; details: Record<string, unknown> | undefined }[];
}

async function withSite(use: (site: Site) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryFolder();
  const records: Site["records"] = [];
  const audit: OpenLedgerOptions["audit"] = {
    record(event, details) {
      records.push({ event, details });
      return Promise.resolve();
    },
  };
  const open: Site["open"] = (options = {}) =>
    openLedger({ dataFolder: path, audit, log: silentLogger, ...options });
  await use({ path, open, records }).finally(remove);
}

/** Of a run of its own, unless it is given. */
function release(
  ledger: Ledger,
  selections: Selection[],
  { key = "a", least = 3, run = ++lastRun } = {},
) {
  const of = { ...about, result_id: run };
  return ledger.decide({ about: of, databases: [{ key, label: "default", selections }], least });
}

Deno.test("decide() lets out what differs from an earlier result by min_subset persons, and by no fewer", async () => {
  for (const least of [3, 8, 10, 11]) {
    await withSite(async ({ open }) => {
      const ledger = await open();
      assert.equal(await release(ledger, [rows(100)], { least }), "allowed");
      for (const [differing, verdict] of [[1, "differs"], [least - 1, "differs"]] as const) {
        const without = Array.from({ length: differing }, (_, i) => i);
        assert.equal(await release(ledger, [rows(100, without)], { least }), verdict);
      }
      const enough = Array.from({ length: least }, (_, i) => i);
      assert.equal(await release(ledger, [rows(100, enough)], { least }), "allowed");
      assert.equal(await release(ledger, [rows(100)], { least }), "allowed", "the same again");
      assert.equal(await release(ledger, [rows(100, enough)], { least }), "allowed");
    });
  }
});

Deno.test("decide() sees an exchange of persons that leaves as many", async () => {
  await withSite(async ({ open }) => {
    const ledger = await open();
    assert.equal(await release(ledger, [rows(100, [1])]), "allowed");
    assert.equal(await release(ledger, [rows(100, [2])]), "differs");
    assert.equal(await release(ledger, [rows(100, [3, 4, 5])]), "allowed");
  });
});

Deno.test("decide() remembers nothing of what it refused", async () => {
  await withSite(async ({ path, open }) => {
    const ledger = await open();
    await release(ledger, [rows(100)]);
    const other = rows(60);
    assert.equal(await release(ledger, [other, rows(100, [1])]), "differs");
    assert.equal(await release(ledger, [rows(60, [1])]), "allowed", "the other did not leave");
    const files = await Array.fromAsync(Deno.readDir(`${ledgerFolder(path)}/a`));
    assert.equal(files.filter(({ name }) => name.endsWith(".selection")).length, 2);
  });
});

Deno.test("decide() compares with what left before a restart, and of each database alone", async () => {
  await withSite(async ({ open }) => {
    await release(await open(), [rows(100)]);
    const again = await open();
    assert.equal(await release(again, [rows(100, [9])], { key: "b" }), "allowed");
    assert.equal(await release(again, [rows(100, [9])]), "differs");
    assert.equal(await release(again, [rows(100)]), "allowed");
  });
});

Deno.test("decide() goes on after a crash in the middle of an entry", async () => {
  await withSite(async ({ path, open }) => {
    await release(await open(), [rows(100)]);
    const file = `${ledgerFolder(path)}/a/entries`;
    await Deno.writeTextFile(file, '{"at":"2026', { append: true });
    const again = await open();
    assert.equal(await release(again, [rows(50)]), "allowed");
    const third = await open();
    assert.equal(await release(third, [rows(100, [9])]), "differs");
    assert.equal(await release(third, [rows(50, [9])]), "differs");
  });
});

Deno.test("decide() lets one out of many that end at once and differ by one person", async () => {
  await withSite(async ({ open }) => {
    const ledger = await open();
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, (_, i) => release(ledger, [rows(100, [i])])),
    );
    assert.equal(verdicts.filter((verdict) => verdict === "allowed").length, 1);
  });
});

Deno.test("decide() does not compare what leaves of one run", async () => {
  await withSite(async ({ open }) => {
    const ledger = await open();
    assert.equal(await release(ledger, [rows(100), rows(100, [1])]), "allowed");
    assert.equal(await release(ledger, [rows(100), rows(100, [1])]), "allowed", "as before");
    const run = ++lastRun;
    assert.equal(await release(ledger, [rows(40)], { run }), "allowed");
    assert.equal(await release(ledger, [rows(40, [1])], { run }), "allowed");
    assert.equal(await release(ledger, [rows(40, [2])]), "differs");
  });
});

// In one result a column was told of all and another of all but one, in whom it is missing; in a
// second one both would be told of all but one.
Deno.test("decide() keeps rows apart, in another result, that nearly the same left together with", async () => {
  await withSite(async ({ open }) => {
    const ledger = await open();
    assert.equal(await release(ledger, [rows(100), rows(100, [1])]), "allowed");
    for (const again of [ledger, await open()]) {
      assert.equal(await release(again, [rows(100, [1])]), "differs");
      assert.equal(await release(again, [rows(100)]), "differs");
      assert.equal(await release(again, [rows(100), rows(100, [1])]), "allowed");
    }
    const run = ++lastRun;
    assert.equal(await release(ledger, [rows(40), rows(40, [1])], { run }), "allowed");
    assert.equal(await release(ledger, [rows(40, [1])], { run }), "allowed", "of the same result");
  });
});

Deno.test("decide() is not made blind by a selection of few, of which nothing is told", async () => {
  await withSite(async ({ open }) => {
    const ledger = await open();
    const only = those((row) => row === 7);
    assert.equal(await release(ledger, [only]), "allowed");
    assert.equal(await release(ledger, [those(() => true)]), "allowed");
    assert.equal(await release(ledger, [those((row) => row < 5)]), "allowed");
    assert.equal(await release(ledger, [those((row) => row >= 5 && row !== 7)]), "differs");
  });
});

/** Those of the first `n` rows of whom it is true. */
function those(isIn: (row: number) => boolean, n = 100): Selection {
  const selected = Uint8Array.from({ length: n }, (_, row) => isIn(row) ? 1 : 0);
  return makeSelection({ selected, unit: "rows" });
}

Deno.test("decide() sees what three selections tell together, also after a restart, and whatever their order", async () => {
  const [first, second, all] = [
    those((row) => row < 40),
    those((row) => row >= 40 && row !== 77),
    those(() => true),
  ];
  const orders = [[first, second, all], [all, first, second], [second, all, first]];
  for (const order of orders) {
    await withSite(async ({ open }) => {
      const ledger = await open();
      const verdicts = [];
      for (const one of order) verdicts.push(await release(ledger, [one]));
      assert.deepEqual(verdicts, ["allowed", "allowed", "differs"]);
      const again = await open();
      assert.equal(await release(again, [order[2]!]), "differs", "after a restart");
      assert.equal(await release(again, [order[1]!]), "allowed", "the same again");
      assert.equal(await release(again, [order[2]!], { least: 1 }), "allowed");
    });
  }
  // Three more are enough.
  await withSite(async ({ open }) => {
    const ledger = await open();
    const fewer = those((row) => row >= 40 && row < 97);
    for (const one of [first, fewer, all]) {
      assert.equal(await release(ledger, [one]), "allowed");
    }
  });
});

Deno.test("decide() takes what leaves of one run together with what left of others", async () => {
  await withSite(async ({ open }) => {
    const groups = [0, 1, 2].map((group) => those((row) => row % 3 === group));
    const two = those((row) => row % 3 !== 0 && row !== 1);
    const ledger = await open();
    assert.equal(await release(ledger, [two]), "allowed");
    assert.equal(await release(ledger, [...groups, those(() => true)]), "differs");
    // What it took in on the way is forgotten.
    assert.equal(await release(ledger, [those((row) => row % 3 === 1)]), "allowed");
    assert.equal(await release(ledger, [those((row) => row % 3 === 2)]), "differs");
  });
  // One that is left over within a run is the exit's to look at, and of others' nobody's excuse.
  await withSite(async ({ open }) => {
    const ledger = await open();
    assert.equal(await release(ledger, [those((row) => row < 50)]), "allowed");
    assert.equal(await release(ledger, [those((row) => row > 50)]), "allowed");
    const [all, without] = [those(() => true), those((row) => row !== 3)];
    assert.equal(await release(ledger, [without, all]), "differs");
    const others = [those((row) => row % 2 === 0), those((row) => row % 2 === 0 && row !== 8)];
    assert.equal(await release(ledger, others), "allowed");
  });
});

Deno.test("decide() lets nothing new out of a ledger that is full, until the owner clears it", async () => {
  await withSite(async ({ path, open }) => {
    const ledger = await open({ mostEntries: 2 });
    assert.equal(await release(ledger, [rows(100)]), "allowed");
    assert.equal(await release(ledger, [rows(50)]), "allowed");
    assert.equal(await release(ledger, [rows(20)]), "full");
    assert.equal(await release(ledger, [rows(50)]), "allowed", "the same as before");
    await runLedger({ dataFolder: path, databases: [], words: ["clear"], reason: "new data" });
    assert.equal(await release(ledger, [rows(20)]), "allowed");
    const small = await open({ mostBytes: 10 });
    assert.equal(await release(small, [rows(1000, [1, 4, 9, 16, 25, 36])]), "full");
  });
});

Deno.test("decide() lets no single result fill the ledger, and tells the owner when it is nearly full", async () => {
  await withSite(async ({ open }) => {
    const told: string[] = [];
    const log = { ...silentLogger, warn: (message: string) => void told.push(message) };
    const ledger = await open({ mostEntries: 30, log });
    const groups = (count: number, at: number) =>
      Array.from(
        { length: count },
        (_, i) => those((row) => Math.floor(row / 5) === at + i, 1000),
      );
    assert.equal(await release(ledger, groups(4, 0)), "many");
    const run = ++lastRun;
    assert.equal(await release(ledger, groups(2, 100), { run }), "allowed");
    assert.equal(await release(ledger, groups(2, 110), { run }), "many");
    for (let at = 0; at < 21; at += 3) {
      assert.deepEqual(told, [], `at ${at}`);
      assert.equal(await release(ledger, groups(3, at)), "allowed");
    }
    // What is known takes no room.
    assert.equal(await release(ledger, groups(21, 0)), "allowed");
    assert.equal(await release(ledger, groups(3, 21)), "allowed");
    assert.deepEqual(told.map((one) => /nearly full/.test(one)), [true]);
  });
});

Deno.test("ledger clear is obeyed by an agent that runs, and by the next one, and is in the audit log", async () => {
  await withSite(async ({ path, open, records }) => {
    const database: NodeDatabase = {
      label: "default",
      type: "csv",
      path: "/data/x.csv",
      reach: [],
    };
    const other = { ...database, label: "other", path: "/data/y.csv" };
    const options = { dataFolder: path, databases: [database, other] };
    const keys = [database, other].map(({ path }) =>
      ledgerKey({ type: "csv", path: path!, options: {} as never })
    );
    const ledger = await open();
    for (const key of keys) await release(ledger, [rows(100)], { key });
    const list = await runLedger({ ...options, words: [] });
    assert.match(
      list.text,
      / 100 rows +first for task 5, run \d+, user 1 of organization 2, deno:glm/,
    );

    const clear = { ...options, words: ["clear"], database: "default" };
    await assert.rejects(runLedger(clear), { name: "UsageError" });
    await assert.rejects(runLedger({ ...clear, database: "none", reason: "x" }), /There is no/);
    const said = await runLedger({ ...clear, reason: "the data are new" });
    assert.match(said.text, /of the database "default" is cleared when the agent runs again/);
    assert.match((await runLedger({ ...options, words: [] })).text, /is to be cleared/);
    assert.equal(await release(ledger, [rows(100, [1])], { key: keys[0]! }), "allowed");
    assert.equal(await release(ledger, [rows(100, [1])], { key: keys[1]! }), "differs");
    assert.deepEqual(records.map(({ event, details }) => [event, details!.database]), [
      ["ledger cleared", "default"],
    ]);
    assert.equal(records[0]!.details!.entries, 1);
    assert.equal(records[0]!.details!.reason, "the data are new");

    await runLedger({ ...clear, database: undefined, reason: "all of it" });
    const next = await open();
    assert.equal(records.length, 2);
    assert.equal(await release(next, [rows(100, [1])], { key: keys[1]! }), "allowed");
  });
});

Deno.test("personsOf() numbers persons the same after a restart, and after a torn write", async () => {
  await withSite(async ({ path, open }) => {
    const column = (values: (string | null)[]) =>
      levelsOfColumn({ name: "id", type: "text", values });
    const first = await (await open()).personsOf("a");
    assert.deepEqual([...await first.numbersOf(column(["x", "y", "x", null]))], [0, 1, 0, 2]);
    await Deno.writeFile(`${ledgerFolder(path)}/a/persons`, Uint8Array.of(1, 2, 3), {
      append: true,
    });
    const again = await (await open()).personsOf("a");
    const many = Array.from({ length: 3000 }, (_, i) => `p${i}`);
    const numbers = await again.numbersOf(column([null, "z", "y", ...many]));
    assert.deepEqual([...numbers.subarray(0, 3)], [2, 3, 1]);
    assert.equal(new Set(numbers).size, 3003);
    const third = await (await open()).personsOf("a");
    assert.deepEqual(await third.numbersOf(column([null, "z", "y", ...many])), numbers);
  });
});

Deno.test("decide() looks at many groups while the agent answers others, and sees one person of them", async () => {
  await withSite(async ({ open }) => {
    const ledger = await open();
    const [n, groups] = [10_000, 250];
    const groupsBy = (groupOf: (row: number) => number) =>
      Array.from({ length: groups }, (_, group) => those((row) => groupOf(row) === group, n));
    const byRest = groupsBy((row) => row % groups);
    // Of each a part without few, as of a column that few have no value in.
    const parts = byRest.map((_, group) =>
      those((row) => row % groups === group && row >= groups, n)
    );
    let answers = 0;
    const others = setInterval(() => answers++, 1);
    assert.equal(await release(ledger, [...byRest, ...parts]), "allowed");
    clearInterval(others);
    assert.ok(answers > 5, `${answers} times`);

    const byTurn = groupsBy((row) => Math.floor(row / (n / groups)));
    assert.equal(await release(ledger, byTurn), "allowed");
    assert.equal(await release(ledger, [...byRest, ...parts]), "allowed", "the same again");
    const less = those((row) => row % groups === 200 && row !== 1200, n);
    assert.equal(await release(ledger, [less]), "differs");
  });
});
