import assert from "node:assert/strict";
import { parquetWriteBuffer } from "hyparquet-writer";
import { parquetColumns, tableOfParquet } from "./parquet.ts";
import { readTable, TableError } from "./table.ts";

async function withFile(bytes: ArrayBuffer, use: (path: string, folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/data.parquet`, new Uint8Array(bytes));
    await use(`${folder}/data.parquet`, `${folder}/tables`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const columnData = [
  { name: "age", data: [1.5, null, 3], type: "DOUBLE" as const },
  { name: "code", data: ["01", "02", null], type: "STRING" as const },
  { name: "count", data: [1n, 2n, 3n], type: "INT64" as const },
  { name: "smokes", data: [true, false, true], type: "BOOLEAN" as const },
];

Deno.test("tableOfParquet() keeps types and missing values for readTable()", async () => {
  await withFile(parquetWriteBuffer({ columnData }), async (path, folder) => {
    const made = await tableOfParquet("study", path, folder);
    const table = readTable("study", await Deno.readFile(made));
    assert.deepEqual(table.columns, ["age", "code", "count", "smokes"]);
    assert.equal(table.length, 3);
    assert.deepEqual(table.numeric("age"), [1.5, null, 3]);
    assert.deepEqual(table.numeric("count"), [1, 2, 3]);
    const code = { name: "code", type: "text" as const, values: ["01", "02", null] };
    assert.deepEqual(table.column("code"), code, "text that looks like numbers stays text");
    assert.deepEqual(table.column("smokes").values, ["true", "false", "true"]);
    assert.throws(() => table.numeric("code"), TableError);
    assert.throws(() => table.column("agee"), /did you mean "age"/);
    assert.deepEqual(await parquetColumns(path), ["age", "code", "count", "smokes"]);
  });
});

Deno.test("tableOfParquet() reads the file again only when it has changed", async () => {
  await withFile(parquetWriteBuffer({ columnData }), async (path, folder) => {
    const first = await tableOfParquet("study", path, folder);
    assert.equal(await tableOfParquet("study", path, folder), first);
    const other = parquetWriteBuffer({ columnData: columnData.slice(0, 1) });
    await Deno.writeFile(path, new Uint8Array(other));
    const second = await tableOfParquet("study", path, folder);
    assert.notEqual(second, first);
    assert.equal((await Array.fromAsync(Deno.readDir(folder))).length, 1);
  });
});

Deno.test("tableOfParquet() says what is no Parquet file", async () => {
  await withFile(new TextEncoder().encode("a,b\n1,2\n").buffer, async (path, folder) => {
    await assert.rejects(tableOfParquet("study", path, folder), /"study" is not a valid Parquet/);
    await assert.rejects(tableOfParquet("study", `${path}x`, folder), /is not there/);
  });
});
