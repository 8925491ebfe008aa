import assert from "node:assert/strict";
import { temporaryFolder } from "../../../tests/harness.ts";
import { columnsOf, type NodeDatabase } from "../data/databases.ts";
import { readOptions } from "../data/options.ts";
import { createTables, type Tables } from "../data/tables.ts";
import { checkDatabase } from "./databases.ts";

async function withFile(
  text: string,
  use: (database: NodeDatabase, tables: Tables) => Promise<void>,
) {
  const folder = await temporaryFolder();
  try {
    const path = `${folder.path}/data.csv`;
    await Deno.writeTextFile(path, text);
    const tables = createTables({ folder: `${folder.path}/tables`, namesMayLeave: false });
    await use({ label: "default", type: "csv", path, reach: [] }, tables);
  } finally {
    await folder.remove();
  }
}

async function lines(
  database: NodeDatabase,
  tables: Tables,
  shareColumns = false,
  rules: { persons: string | null } | null = null,
) {
  const found = await Array.fromAsync(checkDatabase(database, { tables, shareColumns, rules }));
  return found.map(({ name, well, note }) => `${well ? "ok" : "bad"} ${name}: ${note}`);
}

Deno.test("checkDatabase() shows dialect, rows, columns with types and missing values, and what is told", async () => {
  await withFile("age;sex\n34;m\nNA;f\n", async (database, tables) => {
    assert.deepEqual(await lines(database, tables), [
      'ok database default: csv, 2 rows, 2 columns, utf-8, separator ";"',
      "ok database default, age: number, 1 missing",
      "ok database default, sex: text, 0 missing",
      "ok database default, told to the hub: no names of columns",
    ]);
    assert.match((await lines(database, tables, true)).at(-1)!, /the names of its columns/);
  });
});

Deno.test("checkDatabase() says why every task would fail", async () => {
  await withFile("a,b\n1,2,3\n", async (database, tables) => {
    assert.deepEqual(await lines(database, tables), [
      "bad database default: csv. Line 2 has 3 cells, but the first line names 2 columns.",
    ]);
  });
  await withFile("a,b\n1,2\n", async (database, tables) => {
    const read = readOptions.parse({ columns: { agee: "text" } });
    assert.match((await lines({ ...database, read }, tables))[0]!, /It does not have: agee\.$/);
  });
});

Deno.test("checkDatabase() warns of a header that looks like data, of which no name is told to anybody", async () => {
  await withFile("1000,Ann,pos\n1001,Bob,neg\n", async (database, tables) => {
    const shown = await lines(database, tables, true);
    assert.match(shown[1]!, /^bad database default, header: the first line looks like data/);
    assert.match(shown.at(-1)!, /no names of columns/);
    assert.equal(await columnsOf(database, tables), undefined);
    const read = readOptions.parse({ header: true });
    assert.deepEqual(await columnsOf({ ...database, read }, tables), ["1000", "Ann", "pos"]);
  });
});

Deno.test("checkDatabase() points at a column that is almost a number", async () => {
  const numbers = Array.from({ length: 19 }, (_, index) => index).join("\n");
  await withFile(`x\n${numbers}\n12 kg\n`, async (database, tables) => {
    assert.match((await lines(database, tables))[1]!, /19 of 20 values are numbers/);
  });
});

Deno.test("checkDatabase() warns where rows count as persons and persons have several, or their column is not there", async () => {
  const visits = Array.from({ length: 30 }, (_, i) => `p${i % 20},${60 + i}`).join("\n");
  await withFile(`patient_id,weight\n${visits}\n`, async (database, tables) => {
    const warnings = async (rules: { persons: string | null } | null) =>
      (await lines(database, tables, false, rules)).filter((line) => line.includes("WARNING"));
    assert.deepEqual(await warnings(null), [], "without rules nobody is counted");
    assert.deepEqual(await warnings({ persons: "patient_id" }), []);
    const [byRow] = await warnings({ persons: null });
    assert.match(
      byRow!,
      /^ok .*, persons: WARNING: each row .* counts .* column "patient_id" looks/,
    );
    const [absent] = await warnings({ persons: "pseudonym" });
    assert.match(absent!, /WARNING: it has no column "pseudonym" \(disclosure\.persons\)/);
  });
});
