import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { temporaryFolder } from "../../../../tests/harness.ts";
import {
  digestOfRows,
  nameKnownRows,
  type SelectedRows,
  selectionOf,
  selectionsOf,
} from "../../algorithms/sextant/selection.ts";
import { forSandbox, type NodeDatabase, type WantedDatabase } from "../../data/databases.ts";
import { createTables, type Tables } from "../../data/tables.ts";
import { openPersonNumbers } from "./persons.ts";
import { difference, type Selection } from "./selection.ts";
import {
  createTableReader,
  databasesOfRun,
  ledgerKey,
  type TableOfRun,
} from "./selections_of_run.ts";

interface Site {
  path: string;
  /** The selection of a request, of all of its rows or of some. */
  select(
    database: NodeDatabase,
    wanted: WantedDatabase["wanted"],
    options?: { persons?: string; rows?: number[] },
  ): Promise<Selection>;
}

const IN_TIME = { timeoutSeconds: 600, signal: new AbortController().signal };

async function withSite(use: (site: Site) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryFolder();
  const tables: Tables = createTables({ folder: `${path}/tables`, namesMayLeave: true });
  await Deno.mkdir(`${path}/ledger`);
  try {
    await use({
      path,
      async select(database, wanted, { persons, rows } = {}) {
        const asked = { database, wanted };
        const [columns] = await forSandbox([asked], tables, IN_TIME);
        const personsOf = () => openPersonNumbers(`${path}/ledger`, "persons");
        const read = createTableReader({ persons: persons ?? null, ledger: { personsOf } });
        const table = await read({ wanted: asked, columns: columns! });
        const evidence = rows && [selectionOf(rows, table.length)];
        return (await databasesOfRun([table], evidence))[0]!.selections[0]!;
      },
    });
  } finally {
    await remove();
  }
}

const above = (min: number) => ({
  preprocessing: [{ function: "filter_range", parameters: { column: "age", min_: min } }],
});

Deno.test("a selection is the same by preprocessing and by evidence of rows", async () => {
  await withSite(async ({ path, select }) => {
    const ages = [30, 20, 50, 40, 60];
    await Deno.writeTextFile(
      `${path}/a.csv`,
      `age,id\n${ages.map((age) => `${age},p${age % 40}`).join("\n")}\n`,
    );
    const database: NodeDatabase = { label: "a", type: "csv", path: `${path}/a.csv`, reach: [] };
    for (const persons of [undefined, "id"]) {
      const options = persons ? { persons } : {};
      const filtered = await select(database, above(30), options);
      const chosen = await select(database, {}, { ...options, rows: [2, 3, 4] });
      assert.equal(filtered.digest, chosen.digest);
      const whole = await select(database, {}, options);
      // The rows of 20 and 60 are of one person.
      assert.deepEqual([whole.persons, difference(whole, chosen)], persons ? [4, 2] : [5, 2]);
    }
  });
});

/** A table with these lines, in which "id" says whose each row is. */
async function readTable(path: string, csv: string): Promise<TableOfRun> {
  await Deno.writeTextFile(`${path}/a.csv`, csv);
  const asked = {
    database: { label: "a", type: "csv" as const, path: `${path}/a.csv`, reach: [] },
    wanted: {},
  };
  const tables = createTables({ folder: `${path}/tables`, namesMayLeave: true });
  const [columns] = await forSandbox([asked], tables, IN_TIME);
  const personsOf = () => openPersonNumbers(`${path}/ledger`, "persons");
  const read = createTableReader({ persons: "id", ledger: { personsOf } });
  return await read({ wanted: asked, columns: columns! });
}

/** With what is made only when it is asked for. */
const whole = (selections: readonly Selection[]) =>
  selections.map((one) => ({ ...one, bytes: one.bytes }));

Deno.test("a selection that is asked for again is the same, though nobody kept it whole", async () => {
  await withSite(async ({ path }) => {
    const table = await readTable(path, "age,id\n1,a\n2,b\n3,a\n4,c\n");
    const select = async (one: SelectedRows) => table.select(one, await digestOfRows(one));
    for (const rows of [undefined, [0, 1], [0, 3], ...Array.from({ length: 100 }, () => [1, 2])]) {
      const evidence = selectionOf(rows, table.length);
      const [first, again] = [await select(evidence), await select(evidence)];
      assert.deepEqual(whole(again), whole(first));
    }
    assert.equal((await select(selectionOf([0, 2], table.length)))[0]!.persons, 1);
    // Those of several groups come together, and are the same as one by one.
    for (let turn = 0; turn < 2; turn++) {
      const [evidence] = selectionsOf(Int32Array.of(1, 0, -1, 1), 2, {
        places: undefined,
        length: 4,
      });
      const found = await select(evidence!);
      const alone = [await select(selectionOf([1], 4)), await select(selectionOf([0, 3], 4))];
      assert.deepEqual(whole(found), whole(alone.flat()));
    }
  });
});

Deno.test("the selections of many groups are whole, though the memory has no room for all of them", async () => {
  await withSite(async ({ path }) => {
    const [length, groups] = [100_000, 500];
    const lines = Array.from({ length }, (_, row) => `${row},${row}`);
    const table = await readTable(path, `age,id\n${lines.join("\n")}\n`);
    const groupOf = Int32Array.from({ length }, (_, row) => row % groups);
    const said = selectionsOf(groupOf, groups, { places: undefined, length });
    const found = (await databasesOfRun([table], said))[0]!.selections;
    assert.equal(found.length, groups);
    for (const group of [0, 1, 254, 255, 399, 499]) {
      const one = found[group]!;
      assert.equal(one.persons, length / groups);
      const rows = Array.from({ length: length / groups }, (_, i) => group + groups * i);
      const evidence = selectionOf(rows, length);
      const [alone] = await table.select(evidence, await digestOfRows(evidence));
      assert.equal(one.digest, alone!.digest);
      assert.deepEqual(one.bytes, alone!.bytes);
    }
    const kept = found.filter((one) => !Object.getOwnPropertyDescriptor(one, "bytes")!.get);
    const bytes = kept.reduce((sum, { bytes }) => sum + bytes.length, 0);
    assert.ok(kept.length < groups && bytes <= 32 * 2 ** 20, `${kept.length} with ${bytes} bytes`);
  });
});

Deno.test("rows that are known from an earlier run, and named, are the same rows", async () => {
  await withSite(async ({ path }) => {
    const lines = Array.from({ length: 3000 }, (_, row) => `${row},p${row * 7 % 1400}`);
    const table = await readTable(path, `age,id\n${lines.join("\n")}\n`);
    const { length } = table;
    const groupOf = Int32Array.from({ length }, (_, row) => row % 5 - 1);
    const evidence = [
      selectionOf(undefined, length),
      ...selectionsOf(groupOf, 4, { places: undefined, length }),
      selectionOf(Array.from({ length: 200 }, (_, i) => 9 * i), length),
    ];
    const said = await databasesOfRun([table], evidence);
    const known = table.known();
    const named = await nameKnownRows(evidence, [...known.keys()]);
    assert.deepEqual(named.map((one) => "known" in one), [false, true, true]);
    // What has gone from memory meanwhile is still known to a run that has begun.
    for (let one = 0; one < 200; one++) {
      const other = selectionOf([one], length);
      await table.select(other, await digestOfRows(other));
    }
    const again = await databasesOfRun([table], named, known);
    assert.deepEqual(whole(again[0]!.selections), whole(said[0]!.selections));

    const changed = selectionOf(Array.from({ length: 200 }, (_, i) => 9 * i + 1), length);
    assert.deepEqual(await nameKnownRows([changed], [...known.keys()]), [changed]);
    await assert.rejects(databasesOfRun([table], named), /names rows that nobody knows/);
  });
});

Deno.test("queries are compared by the persons that they name, else by how many rows they give", async () => {
  await withSite(async ({ path, select }) => {
    const file = new DatabaseSync(`${path}/a.sqlite`);
    file.exec("create table t (id text, age integer)");
    for (let i = 0; i < 10; i++) file.exec(`insert into t values ('p${i}', ${i})`);
    file.close();
    const database: NodeDatabase = { label: "a", type: "sql", path: `${path}/a.sqlite`, reach: [] };
    const [all, fewer, mixed] = [
      "select id, age from t",
      "select id, age from t where age <> 3",
      "select age, id from t order by age desc",
    ].map((query) => ({ query }));
    const persons = "id";
    const whole = await select(database, all!, { persons });
    assert.equal(difference(whole, await select(database, fewer!, { persons })), 1);
    assert.equal((await select(database, mixed!, { persons })).digest, whole.digest);

    const counted = await select(database, all!);
    assert.equal(counted.unit, "counted");
    assert.equal(difference(counted, await select(database, fewer!)), 1);
    await assert.rejects(
      select(database, { query: "select age from t" }, { persons }),
      { name: "NoPersonsError", message: /without the column that identifies a person/ },
    );
  });
});

Deno.test("ledgerKey() is of a database and not of who logs in there", () => {
  const options = {} as never;
  const key = (path: string) => ledgerKey({ type: "postgres", path, options });
  const one = key("postgresql://ann:secret@db.example:5432/study");
  assert.equal(key("postgresql://bob:other@db.example/study"), one);
  assert.notEqual(key("postgresql://ann:secret@db.example/other"), one);
  assert.notEqual(ledgerKey({ type: "csv", path: "/a", options }), one);
});
