import assert from "node:assert/strict";
import { openTable } from "../../data/table.ts";
import { createTables } from "../../data/tables.ts";
import { DEFAULT_READ } from "../../data/options.ts";
import { temporaryFolder } from "../../../../tests/harness.ts";
import { selectRows } from "./where.ts";

const CSV = `id,age,sex,smokes,born,empty,years in school
1,34,f,true,1990-03-01,,9
2,51,m,false,1973-12-24,,
3,,f,true,,,12
4,47,,,1977-05-05,,12
5,18,x,false,2006-02-28,,8
`;

async function withTable(check: (table: ReturnType<typeof openTable>) => void, csv = CSV) {
  const { path, remove } = await temporaryFolder();
  try {
    await Deno.writeTextFile(`${path}/a.csv`, csv);
    const tables = createTables({ folder: `${path}/tables`, namesMayLeave: true });
    const source = { type: "csv" as const, path: `${path}/a.csv`, options: DEFAULT_READ };
    check(openTable("default", await tables.read(source, { steps: [] })));
  } finally {
    await remove();
  }
}

Deno.test("selectRows() keeps the rows for which the condition is true, and counts the others", async () => {
  await withTable((table) => {
    // The ids that are left, and how many rows are unknown.
    const cases: [string, number[], number][] = [
      ["age >= 18", [1, 2, 4, 5], 1],
      ["age > 18 and sex = 'f'", [1], 2],
      ["age > 40 or sex = 'f'", [1, 2, 3, 4], 0],
      ["not age > 40", [1, 5], 1],
      ["sex != 'f'", [2, 5], 1],
      ["sex is missing", [4], 0],
      ["sex is not missing and age is not missing", [1, 2, 5], 0],
      ["smokes", [1, 3], 1],
      ["not smokes", [2, 5], 1],
      ["smokes = false", [2, 5], 1],
      ["sex in ('f', 'x')", [1, 3, 5], 1],
      ["sex not in ('f', 'x')", [2], 1],
      ["not sex in ('f')", [2, 5], 1],
      ["age in (34, 18)", [1, 5], 1],
      ["born < '1980-01-01'", [2, 4], 1],
      ["born = '2006-02-28T00:00:00Z'", [5], 1],
      ["born in ('1990-03-01', '1973-12-24')", [1, 2], 1],
      [`"years in school" >= 9`, [1, 3, 4], 1],
      [`"years in school" < id`, [], 1],
      ["empty = 3 or empty = 'x' or empty", [], 5],
      ["empty is missing", [1, 2, 3, 4, 5], 0],
      ["1 = 1", [1, 2, 3, 4, 5], 0],
      ["'f' = sex", [1, 3], 1],
    ];
    for (const [where, ids, unknown] of cases) {
      const rows = selectRows(table, where);
      assert.deepEqual(rows.column("id").values, ids, where);
      assert.deepEqual([...rows.floats("id")], ids);
      assert.deepEqual(rows.outside, { not_met: 5 - ids.length - unknown, unknown }, where);
      assert.equal(rows.length, ids.length);
    }
  });
});

Deno.test("selectRows() leaves the table as it is without a condition", async () => {
  await withTable((table) => assert.equal(selectRows(table, undefined), table));
});

Deno.test("selectRows() gives the columns of the rows that are left, by every way to read them", async () => {
  await withTable((table) => {
    const rows = selectRows(table, "id in (2, 3)");
    assert.deepEqual(rows.columns, table.columns);
    assert.deepEqual(rows.column("sex"), { name: "sex", type: "text", values: ["m", "f"] });
    assert.deepEqual(rows.numeric("age"), [51, null]);
    assert.deepEqual([...rows.floats("age")], [51, NaN]);
    assert.deepEqual(rows.booleans("smokes"), [false, true]);
    assert.deepEqual(rows.dates("born"), ["1973-12-24", null]);
    assert.throws(() => rows.floats("sex"), /not numeric/);
    assert.throws(() => rows.column("toString"), /no column "toString"/);
  });
});

Deno.test("selectRows() says which comparison makes no sense, and names no value", async () => {
  await withTable((table) => {
    const cases: [string, RegExp][] = [
      ["nowhere = 1", /no column "nowhere"/],
      ["__proto__ = 1", /no column "__proto__"/],
      [
        "age = '34'",
        /character 7: a text cannot be compared with the column "age", which holds numbers\./,
      ],
      ["sex = 1", /a number cannot be compared with the column "sex", which holds text/],
      ["smokes = 1", /a number cannot .* "smokes", which holds truth values/],
      ["age = sex", /the column "sex", which holds text, cannot be compared with the column "age"/],
      ["born > 1990", /a number cannot be compared with the column "born", which holds dates/],
      ["born > '1.1.1990'", /character 8: a date must be written like/],
      ["born > '2023-02-30'", /a date must be written like/],
      ["born > sex", /"sex", which holds text, cannot be compared/],
      [
        "sex > 'f'",
        /character 5: the column "sex", which holds text, is equal or not, but in no order/,
      ],
      ["smokes < true", /in no order/],
      ["age", /character 1: the column "age", which holds numbers, is no condition by itself/],
      ["'f'", /a text is no condition by itself/],
      ["sex in ('f', 1)", /character 14: a number cannot/],
      ["true > false", /in no order/],
    ];
    for (const [where, message] of cases) {
      assert.throws(() => selectRows(table, where), message, where);
    }
  });
});

Deno.test("selectRows() compares moments by the time that they mean", async () => {
  const csv = "id,at\n1,2024-03-01T12:00:00+02:00\n2,2024-03-01 10:30\n3,2024-03-01T10:30:00.5Z\n";
  await withTable((table) => {
    const ids = (where: string) => selectRows(table, where).column("id").values;
    assert.deepEqual(ids("at = '2024-03-01T10:00:00Z'"), [1]);
    assert.deepEqual(ids("at > '2024-03-01T10:30:00Z'"), [3]);
    assert.deepEqual(ids("at > '2024-03-01'"), [1, 2, 3]);
  }, csv);
});

Deno.test("selectRows() takes an empty table", async () => {
  await withTable((table) => {
    const rows = selectRows(table, "age > 3 and sex = 'f'");
    assert.deepEqual([rows.length, rows.outside], [0, { not_met: 0, unknown: 0 }]);
  }, "age,sex\n");
});
