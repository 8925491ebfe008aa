import assert from "node:assert/strict";
import { temporaryFolder } from "../../../tests/harness.ts";
import { readPersons } from "../algorithms/sextant/disclosure.ts";
import { selectRows } from "../algorithms/sextant/where.ts";
import type { DisclosureRules, Table } from "../algorithms/api.ts";
import { openColumns } from "./open_columns.ts";
import { DEFAULT_READ } from "./options.ts";
import { openTable } from "./table.ts";
import { createTables } from "./tables.ts";

async function withTable(csv: string, use: (table: Table, path: string) => void): Promise<void> {
  const { path: folder, remove } = await temporaryFolder();
  try {
    const path = `${folder}/t.csv`;
    await Deno.writeTextFile(path, csv);
    const tables = createTables({ folder: `${folder}/tables`, namesMayLeave: true });
    const columns = await tables.read({ type: "csv", path, options: DEFAULT_READ }, { steps: [] });
    use(openTable("default", columns), columns);
  } finally {
    await remove();
  }
}

const MIXED = `id,twice,sex,age,weight,smokes,seen
p1,a,f,30,1.5,true,2024-01-05
p2,a,m,,2.25,false,2024-01-06
p3,b,,30,,,2024-01-05
p4,,f,41,1.5,true,
`;

/** The values that a column's places stand for. */
function spelled(table: Table, name: string): unknown[] {
  const { values, places } = table.levels(name);
  return Array.from(places, (place) => place < 0 ? null : values[place]);
}

Deno.test("levels() of a table says what its columns say, of each type, and of some rows", async () => {
  await withTable(MIXED, (table, path) => {
    for (const name of table.columns) {
      assert.deepEqual(spelled(table, name), table.column(name).values, name);
      assert.equal(table.levels(name).type, table.column(name).type, name);
      const some = selectRows(table, "sex = 'f'");
      assert.deepEqual(spelled(some, name), some.column(name).values, name);
      using columns = openColumns(path);
      const { values, places } = columns.values(name);
      const told = Array.from(places, (place) => place < 0 ? null : values[place]);
      assert.deepEqual(told, table.column(name).values, name);
    }
    assert.throws(() => table.levels("sext"), /did you mean "sex"/);
  });
});

Deno.test("levels() of text says how many values there are, as it was counted when it was written", async () => {
  await withTable(MIXED, (table) => {
    const counted = (name: string) => table.levels(name).counted;
    assert.deepEqual(counted("id"), { different: 4, missing: 0, most: 1 });
    assert.deepEqual(counted("twice"), { different: 2, missing: 1, most: 2 });
    assert.equal(counted("age"), undefined);
    // Of some rows nobody has counted.
    assert.equal(selectRows(table, "sex = 'f'").levels("id").counted, undefined);
  });
});

Deno.test("readPersons() takes each row for a person only where each is one", async () => {
  const rulesOf = (persons: string | null) => ({ persons }) as DisclosureRules;
  await withTable(MIXED, (table) => {
    assert.equal(readPersons(table, rulesOf(null)).persons, undefined);
    assert.equal(readPersons(table, rulesOf("id")).persons, undefined);
    const { persons, known } = readPersons(table, rulesOf("twice"));
    const [one, other, third, fourth] = persons!;
    assert.equal(one, other);
    assert.equal(new Set([one, third, fourth]).size, 3, "who is missing is nobody else");
    assert.deepEqual(known, { different: 3, most: 2 });
    assert.equal(new Set(readPersons(table, rulesOf("age")).persons).size, 3);
  });
  // Two rows without a value are one person, and so not all are different.
  await withTable("id,x\np1,1\n,2\n,3\n", (table) => {
    const { persons, known } = readPersons(table, rulesOf("id"));
    assert.deepEqual([new Set(persons).size, known], [2, { different: 2, most: 2 }]);
  });
});
