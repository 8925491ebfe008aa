import assert from "node:assert/strict";
import { temporaryFolder } from "../../../tests/harness.ts";
import type { NodeConfig } from "../config/config.ts";
import { sharedEntries } from "./share.ts";
import { createTables } from "./tables.ts";

Deno.test("sharedEntries() names columns where the owner says so, and never what may be a patient", async () => {
  const folder = await temporaryFolder();
  const files = {
    table: "age,sex\n31,f\n48,m\n",
    "no-header": "Ann Smith,1971-02-03,diabetes\nBob Jones,1966-11-30,asthma\n",
    // As Excel for Macintosh ends lines, and no first line that names anything.
    numbers: "31,1.5\r48,2.5\r52,3.5\r",
  };
  try {
    const databases: NodeConfig["databases"] = [];
    for (const [label, text] of Object.entries(files)) {
      const path = `${folder.path}/${label}.csv`;
      await Deno.writeTextFile(path, text);
      databases.push({ label, type: "csv", path, reach: [] });
    }
    databases.push({
      label: "asked",
      type: "sql",
      uri: "postgresql://nobody@127.0.0.1:1/d",
      reach: [],
    });
    const tables = createTables({ folder: `${folder.path}/tables`, namesMayLeave: false });
    const columnsTold = async (shareColumns: boolean) => {
      const config = { encryption: false, policy: {}, databases, shareColumns } as unknown;
      const entries = await sharedEntries(config as NodeConfig, tables);
      assert.deepEqual(
        entries.filter(({ key }) => key === "database_labels").map(({ value }) => value),
        ["table", "no-header", "numbers", "asked"],
      );
      return entries.filter(({ key }) => key.startsWith("columns_"));
    };
    assert.deepEqual(await columnsTold(false), []);
    assert.deepEqual(await columnsTold(true), [
      { key: "columns_table", value: "age" },
      { key: "columns_table", value: "sex" },
    ]);
  } finally {
    await folder.remove();
  }
});
