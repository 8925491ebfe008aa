import assert from "node:assert/strict";
import { temporaryFolder } from "../../../tests/harness.ts";
import { DEFAULT_READ } from "../data/options.ts";
import { openTable } from "../data/table.ts";
import { createTables } from "../data/tables.ts";
import { poolColumns } from "./pool_columns.ts";

async function pooled(files: string[]) {
  const folder = await temporaryFolder();
  try {
    const tables = createTables({ folder: `${folder.path}/tables`, namesMayLeave: true });
    const parts = await Promise.all(files.map(async (text, index) => {
      const path = `${folder.path}/${index}.csv`;
      await Deno.writeTextFile(path, text);
      const source = { type: "csv" as const, path, options: DEFAULT_READ };
      return { name: `${index}.csv`, path: await tables.read(source, { steps: [] }) };
    }));
    await poolColumns(parts, `${folder.path}/all`);
    const table = openTable("all", `${folder.path}/all`);
    return Object.fromEntries(table.columns.map((name) => {
      const { type, values } = table.column(name);
      return [name, [type, values]];
    }));
  } finally {
    await folder.remove();
  }
}

Deno.test("poolColumns() has the rows of all tables with their types, whatever the columns' order", async () => {
  const found = await pooled([
    "n,b,t,d\n1,true,ü,2020-02-29\n,,,\n",
    "d,t,b,n\n2021-01-01,x,false,2.5\n",
  ]);
  assert.deepEqual(found, {
    n: ["number", [1, null, 2.5]],
    b: ["boolean", [true, null, false]],
    t: ["text", ["ü", null, "x"]],
    d: ["date", ["2020-02-29", null, "2021-01-01"]],
  });
});

Deno.test("poolColumns() takes the type of a column from where it has values", async () => {
  const found = await pooled(["n,m\n1,\n", "n,m\n2,7\n"]);
  assert.deepEqual(found, { n: ["number", [1, 2]], m: ["number", [null, 7]] });
});

Deno.test("poolColumns() refuses tables that do not fit together", async () => {
  await assert.rejects(pooled(["a\n1\n", "b\n1\n"]), /0\.csv and 1\.csv have different columns/);
  await assert.rejects(
    pooled(["a\n1\n", "a\nx\n"]),
    /column "a" is number in 0\.csv and text in 1\.csv/,
  );
});
