import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { temporaryFolder } from "../../../tests/harness.ts";
import { writeParquet } from "../../../tests/support/parquet.ts";
import { readColumn, readFoot } from "./columns_file.ts";
import { DataError } from "./error.ts";
import { readOptions } from "./options.ts";
import { readDatabase } from "./reader.ts";
import type { DataRequest, Description, FilterRange, ReadJob } from "./types.ts";

const TESTDATA = new URL("./testdata/", import.meta.url).pathname;

type Values = (string | number | boolean | null)[];
interface Reading {
  description: Description;
  /** Name, type, values. */
  columns: [string, string, ...Values][];
}

async function read(
  path: string,
  { options = {}, steps = [], type = "csv", sheet, query }: {
    options?: unknown;
    steps?: DataRequest["steps"];
    type?: ReadJob["type"];
    sheet?: string;
    query?: string;
  } = {},
): Promise<Reading> {
  const scratch = await temporaryFolder();
  try {
    const target = `${scratch.path}/columns`;
    const description = await readDatabase({
      type,
      path,
      options: readOptions.parse(options),
      request: { steps, sheet, query },
      target,
      scratch: scratch.path,
      namesMayLeave: true,
      memoryMiB: 1024,
      timeoutSeconds: 600,
    });
    const bytes = await Deno.readFile(target);
    const at = (offset: number, length: number) => bytes.slice(offset, offset + length);
    const foot = readFoot(at, bytes.length);
    const columns = foot.columns.map((one): Reading["columns"][number] => {
      const { name, type, values } = readColumn(at, foot.length, one);
      return [name, type, ...values];
    });
    return { description, columns };
  } finally {
    await scratch.remove();
  }
}

async function withText(text: string, use: (path: string) => Promise<void>) {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  try {
    await Deno.writeTextFile(path, text);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

interface Answer {
  /** Why v6's tools make another table of it: what tests/same_table_test.ts looks at. */
  v6?: string;
  options?: unknown;
  error?: string;
  separator?: string;
  doubtful?: boolean;
  blankLines?: number;
  columns?: unknown[][];
}
const answers: Record<string, Answer> = JSON.parse(
  await Deno.readTextFile(`${TESTDATA}answers.json`),
);

Deno.test("readDatabase() reads a table of many columns within its memory", async () => {
  const names = Array.from({ length: 300 }, (_, i) => `c${i}`);
  const rows = [1, 2, 3].map((row) =>
    names.map((_, i) => row === 2 && i % 2 ? " NA" : ` ${row * i}`)
  );
  await withText([names, ...rows].map((cells) => cells.join()).join("\n"), async (path) => {
    const { description, columns } = await read(path);
    assert.equal(description.rows, 3);
    assert.deepEqual(
      columns,
      names.map((name, i) => [name, "number", i, i % 2 ? null : 2 * i, 3 * i]),
    );
  });
});

Deno.test("readDatabase() has an answer for every file of testdata", async () => {
  const files = (await Array.fromAsync(Deno.readDir(TESTDATA))).map(({ name }) => name)
    .filter((name) => name.endsWith(".csv"));
  assert.deepEqual(files.sort(), Object.keys(answers).sort());
  assert.ok(files.length >= 40);
});

for (const [name, answer] of Object.entries(answers)) {
  Deno.test(`readDatabase() reads testdata/${name} rightly, or says why not`, async () => {
    const reading = await read(TESTDATA + name, { options: answer.options }).catch((error) => {
      assert.ok(error instanceof DataError, error);
      return error.message as string;
    });
    if (typeof reading === "string" || answer.error !== undefined) {
      return assert.equal(reading, answer.error);
    }
    const { columns, description: { csv, rows, columns: described } } = reading;
    // JSON has one zero.
    assert.deepEqual(JSON.parse(JSON.stringify(columns)), answer.columns);
    assert.equal(csv!.separator, answer.separator);
    assert.equal(csv!.doubtfulHeader, answer.doubtful ?? false);
    assert.equal(csv!.blankLines, answer.blankLines ?? 0);
    assert.equal(rows, columns[0]!.length - 2);
    const missing = columns.map(([, , ...values]) => values.filter((one) => one === null).length);
    assert.deepEqual(described.map((column) => column.missing), missing);
  });
}

Deno.test("readDatabase() keeps rows together and in their order, in files of many pieces", async () => {
  const rows = 300_000;
  const lines = Array.from(
    { length: rows },
    (_, i) => `${i},${i % 7 ? i / 2 : "NA"},word${i % 1000},${i % 2 ? "true" : "false"}`,
  );
  await withText(`id,half,word,odd\n${lines.join("\n")}\n`, async (path) => {
    const { columns: [id, half, word, odd] } = await read(path);
    assert.equal(id!.length, rows + 2);
    for (let i = 0; i < rows; i += 37) {
      assert.equal(id![i + 2], i);
      assert.equal(half![i + 2], i % 7 ? i / 2 : null);
      assert.equal(word![i + 2], `word${i % 1000}`);
      assert.equal(odd![i + 2], i % 2 === 1);
    }
  });
});

Deno.test("readDatabase() reads a cell that is longer than a usual line may be", async () => {
  const long = "x".repeat(300_000);
  await withText(`a,b\n"${long}",1\n`, async (path) => {
    assert.deepEqual((await read(path)).columns, [["a", "text", long], ["b", "number", 1]]);
  });
});

const range: Omit<FilterRange, "column"> = {
  min: undefined,
  max: undefined,
  includeMin: false,
  includeMax: false,
};

Deno.test("readDatabase() filters as v6's filter_range does: bounds are left out unless said, and so is what is missing", async () => {
  await withText("age,born\n59,1960-01-01\n60,1961-05-05\nNA,1962-01-01\n61,\n", async (path) => {
    const ages = async (step: Partial<FilterRange>) => {
      const steps = [{ column: "age", ...range, ...step }];
      return (await read(path, { steps })).columns[0]!.slice(2);
    };
    assert.deepEqual(await ages({ min: 60 }), [61]);
    assert.deepEqual(await ages({ min: 60, includeMin: true }), [60, 61]);
    assert.deepEqual(await ages({ max: 60 }), [59]);
    assert.deepEqual(await ages({ min: 59, max: 61, includeMax: true }), [60, 61]);
    assert.deepEqual(await ages({}), [59, 60, null, 61], "no bound, no filter");
    const born = [{ column: "born", ...range, min: "1960-06-01" }];
    assert.deepEqual((await read(path, { steps: born })).columns[0]!.slice(2), [60, null]);
  });
});

Deno.test("readDatabase() refuses a filter that it cannot apply", async () => {
  await withText("age,sex\n59,m\n", async (path) => {
    const filter = (column: string, min: number | string) =>
      read(path, { steps: [{ column, ...range, min }] });
    await assert.rejects(filter("agee", 1), /no column "agee", which its preprocessing filters by/);
    await assert.rejects(filter("sex", 1), /"sex" is text, so it cannot be filtered by a bound/);
    await assert.rejects(filter("age", "60"), /"age" is number, .* a bound that is text/);
  });
});

async function parquet(sql: string, use: (path: string) => Promise<void>) {
  const folder = await temporaryFolder();
  try {
    await writeParquet(`${folder.path}/data.parquet`, sql);
    await use(`${folder.path}/data.parquet`);
  } finally {
    await folder.remove();
  }
}

Deno.test("readDatabase() keeps the types and values of Parquet: infinity is a number, NaN is missing, wide integers are text", async () => {
  const sql = `select * from (values
    (1.5::double, '01', 1::bigint, true, date '1984-02-29', 9007199254740993::bigint, 1.25::decimal(9,2), timestamp '2026-01-02 03:04:05.678'),
    ('inf'::double, '02', 2, false, null, 9007199254740992, 2.5, null),
    ('nan'::double, null, null, null, date '1970-01-01', null, null, timestamp '2026-01-02 03:04:05')
  ) as t(x, code, n, smokes, born, id, price, seen)`;
  await parquet(sql, async (path) => {
    assert.deepEqual((await read(path, { type: "parquet" })).columns, [
      ["x", "number", 1.5, Infinity, null],
      ["code", "text", "01", "02", null],
      ["n", "number", 1, 2, null],
      ["smokes", "boolean", true, false, null],
      ["born", "date", "1984-02-29", null, "1970-01-01"],
      ["id", "text", "9007199254740993", "9007199254740992", null],
      ["price", "number", 1.25, 2.5, null],
      ["seen", "date", "2026-01-02T03:04:05.678", null, "2026-01-02T03:04:05.000"],
    ]);
  });
});

Deno.test("readDatabase() refuses what is no Parquet file, or holds lists", async () => {
  await withText("a,b\n1,2\n", async (path) => {
    await assert.rejects(read(path, { type: "parquet" }), /^DataError: It is not a valid Parquet/);
  });
  await parquet("select [1, 2] as list", async (path) => {
    await assert.rejects(read(path, { type: "parquet" }), /column 1 holds lists, groups or bytes/);
  });
});

const SHEETS = `${TESTDATA}sheets.xlsx`;

Deno.test("readDatabase() reads the first sheet of a workbook, or the one that is named", async () => {
  assert.deepEqual((await read(SHEETS, { type: "excel" })).columns, [
    ["id", "text", "007", "8", "9"],
    ["age", "number", 34, null, 57.5],
    ["born", "date", "1984-02-29", "1970-01-01", null],
    ["smoker", "boolean", true, false, null],
    ["note", "text", "a", null, null],
    ["mixed", "number", 1, null, 3],
  ]);
  assert.deepEqual((await read(SHEETS, { type: "excel", sheet: "May" })).columns, [
    ["n", "number", 1],
  ]);
});

Deno.test("readDatabase() refuses a sheet that is not there, and what is no workbook", async () => {
  await assert.rejects(read(SHEETS, { type: "excel", sheet: "June" }), /It has no sheet "June"/);
  await withText("a,b\n1,2\n", async (path) => {
    await assert.rejects(read(path, { type: "excel" }), /It is not a workbook of Excel/);
  });
});

Deno.test("readDatabase() runs a query on an SQLite file that only reads", async () => {
  const folder = await temporaryFolder();
  const path = `${folder.path}/clinic.sqlite`;
  const database = new DatabaseSync(path);
  database.exec(`
    create table patient (id integer, name text, bmi real, photo blob);
    insert into patient values (1, '07', 22.5, x'00'), (9007199254740993, null, null, null)`);
  database.close();
  const ask = (query: string) => read(path, { type: "sqlite", query });
  try {
    assert.deepEqual((await ask("select id, name, bmi from patient order by id")).columns, [
      ["id", "text", "1", "9007199254740993"],
      ["name", "text", "07", null],
      ["bmi", "number", 22.5, null],
    ]);
    assert.deepEqual((await ask("select id from patient where id < 5")).columns, [
      ["id", "number", 1],
    ]);
    await assert.rejects(ask("select agee from patient"), /cannot be run: no such column: agee/);
    await assert.rejects(ask("delete from patient"), /must be a select|readonly/);
    await assert.rejects(ask(`attach '${path}2' as x`), /must be a select/);
    await assert.rejects(ask("select photo from patient"), /Column 1 of its query holds bytes/);
    await assert.rejects(read(SHEETS, { type: "sqlite", query: "select 1" }), /not an SQLite file/);
    const writer = new DatabaseSync(path);
    writer.exec("begin exclusive; delete from patient");
    await assert.rejects(ask("select id from patient"), /It is locked by another program/);
    writer.exec("rollback");
    writer.close();
  } finally {
    await folder.remove();
  }
});
