import assert from "node:assert/strict";
import { temporaryFolder, waitFor } from "../../../tests/harness.ts";
import { makeHeldFolder } from "../record/held_folder.ts";
import { DataError } from "./error.ts";
import { DEFAULT_READ, readOptions } from "./options.ts";
import { openTable, TableError } from "./table.ts";
import { createTables, type Source, type Tables, type TablesOptions } from "./tables.ts";

interface Place {
  tables: Tables;
  source: Source;
  write(text: string): Promise<void>;
  files(): Promise<string[]>;
}

async function withSource(
  text: string,
  use: (place: Place) => Promise<void>,
  options: Partial<TablesOptions> = {},
) {
  const folder = await temporaryFolder();
  try {
    const path = `${folder.path}/data.csv`;
    const kept = `${folder.path}/tables`;
    await Deno.writeTextFile(path, text);
    await use({
      tables: createTables({ folder: kept, namesMayLeave: true, ...options }),
      source: { type: "csv", path, options: DEFAULT_READ },
      write: (text) => Deno.writeTextFile(path, text),
      files: async () => (await Array.fromAsync(Deno.readDir(kept))).map(({ name }) => name),
    });
  } finally {
    await folder.remove();
  }
}

const EVERYTHING = { steps: [] };
const isColumns = (name: string) => name.endsWith(".columns");

/** What makes a reading another one: the place of the file it has made. */
async function inodeOf(path: string) {
  return (await Deno.stat(path)).ino;
}

Deno.test("Tables.read() reads a source once, also for those who ask at the same time", async () => {
  await withSource("age\n34\n57\n", async ({ tables, source, files }) => {
    const [one, other] = await Promise.all([
      tables.read(source, EVERYTHING),
      tables.read(source, EVERYTHING),
    ]);
    const inode = await inodeOf(one);
    assert.equal(one, other);
    assert.equal(await tables.read(source, EVERYTHING), one);
    assert.equal(await inodeOf(one), inode, "not made again");
    assert.deepEqual(openTable("d", one).numeric("age"), [34, 57]);
    assert.deepEqual([...openTable("d", one).floats("age")], [34, 57]);
    assert.equal((await files()).filter((name) => name.startsWith("reading-")).length, 0);
  });
});

Deno.test("Tables.read() reads anew what was changed, within the same moment and in the same length too", async () => {
  await withSource("age\n34\n", async ({ tables, source, write }) => {
    assert.deepEqual(openTable("d", await tables.read(source, EVERYTHING)).numeric("age"), [34]);
    await write("age\n35\n");
    assert.deepEqual(openTable("d", await tables.read(source, EVERYTHING)).numeric("age"), [35]);
  });
});

Deno.test("Tables.read() keeps apart what is asked for and how it is read, and keeps no more than some of it", async () => {
  await withSource("age\n34\n57\n", async ({ tables, source, files }) => {
    const over = (min: number) => ({
      steps: [{ column: "age", min, max: undefined, includeMin: false, includeMax: false }],
    });
    const filtered = await tables.read(source, over(40));
    assert.deepEqual(openTable("d", filtered).numeric("age"), [57]);
    assert.equal(openTable("d", await tables.read(source, EVERYTHING)).length, 2);
    const options = readOptions.parse({ columns: { age: "text" } });
    const asText = await tables.read({ ...source, options }, EVERYTHING);
    assert.equal(openTable("d", asText).column("age").type, "text");
    for (let min = 0; min < 17; min++) await tables.read(source, over(min));
    // Sixteen of the source as it is, and the one that is read in another way.
    assert.equal((await files()).filter(isColumns).length, 17);
  });
});

Deno.test("Tables say what is wrong with a source, and keep nothing of it", async () => {
  await withSource("a,b\n1,2,3\n", async ({ tables, source, files }) => {
    await assert.rejects(tables.read(source, EVERYTHING), (error: Error) => {
      assert.ok(error instanceof DataError);
      assert.match(error.message, /^Line 2 has 3 cells/);
      return true;
    });
    await assert.rejects(tables.describe(source), /^DataError: Line 2 has 3 cells/);
    const gone = { ...source, path: `${source.path}x` };
    await assert.rejects(tables.read(gone, EVERYTHING), /^DataError: Its file is not there/);
    assert.deepEqual(await waitFor(files, { what: "the folder" }), []);
  });
});

Deno.test("Tables.describe() tells rows, columns and dialect", async () => {
  await withSource("age;sex\n34;m\nNA;f\n", async ({ tables, source }) => {
    assert.deepEqual(await tables.describe(source), {
      rows: 2,
      columns: [
        { name: "age", type: "number", missing: 1, different: 1 },
        { name: "sex", type: "text", missing: 0, numbers: 0, different: 2 },
      ],
      csv: { encoding: "utf-8", separator: ";", blankLines: 0, doubtfulHeader: false },
    });
  });
});

Deno.test("Tables.describe() sets data aside in the folder of tables, and makes no data folder", async () => {
  await withSource("age\n34\n", async ({ tables, source, files }) => {
    assert.equal((await tables.describe(source)).rows, 1);
    assert.deepEqual(await files(), [], "there, and empty again");
    const dataFolder = `${source.path}-data`;
    const early = createTables({ folder: `${dataFolder}/tables`, namesMayLeave: true });
    assert.equal((await early.describe(source)).rows, 1);
    await assert.rejects(Deno.stat(dataFolder), Deno.errors.NotFound);
  });
});

Deno.test({
  name: "what a command that root runs reads into an agent's folder is the agent's to remove",
  // Nobody else can give files away.
  ignore: Deno.uid() !== 0,
  async fn() {
    await withSource("age\n34\n", async ({ source }) => {
      const dataFolder = `${source.path}-data`;
      await Deno.mkdir(dataFolder);
      await Deno.chown(dataFolder, 12345, 12346);
      const tables = createTables({ folder: `${dataFolder}/tables`, namesMayLeave: true });
      await tables.describe(source);
      const { uid, gid } = await Deno.stat(`${dataFolder}/tables`);
      assert.deepEqual([uid, gid], [12345, 12346]);
      const held = await makeHeldFolder(`${dataFolder}/tables`, "reading-");
      for (const path of [held.path, `${held.path}/lock`]) {
        assert.equal((await Deno.stat(path)).uid, 12345, path);
      }
      await held.remove();
    });
  },
});

Deno.test("openTable() names other columns only where their names may leave", async () => {
  const text = "species,body_mass\nAdelie,3750\n";
  await withSource(text, async ({ tables, source }) => {
    const table = openTable("penguins", await tables.read(source, EVERYTHING));
    assert.throws(
      () => table.column("body_mas"),
      /no column "body_mas"; did you mean "body_mass"\? It has: species, body_mass\./,
    );
    assert.throws(() => table.numeric("zzzzzzzz"), /no column "zzzzzzzz"\. It has: species/);
  });
  await withSource(text, async ({ tables, source }) => {
    const table = openTable("penguins", await tables.read(source, EVERYTHING));
    assert.throws(() => table.column("body_mas"), (error: Error) => {
      assert.ok(error instanceof TableError);
      assert.equal(error.message, 'The database "penguins" has no column "body_mas".');
      return true;
    });
  }, { namesMayLeave: false });
});

Deno.test("Table.numeric() names the first row that is no number, but not what stands there", async () => {
  for (const bad of ["secret", "0x10", "Infinity", "1e999", "12 kg", "true"]) {
    await withSource(`x,y\n1,1\nNA,1\n"${bad}",1\nworse,1\n`, async ({ tables, source }) => {
      const table = openTable("penguins", await tables.read(source, EVERYTHING));
      assert.throws(() => table.numeric("x"), (error: Error) => {
        assert.ok(error instanceof TableError);
        assert.match(error.message, /"x" of the database "penguins" is not numeric: row 3 below/);
        assert.ok(!error.message.includes(bad), error.message);
        return true;
      });
    });
  }
});

Deno.test("Table.booleans() and dates() give what columns of those types hold, and refuse others", async () => {
  const text = "alive,born,age\ntrue,1984-02-29,3\nNA,1990-01-01,4\n";
  await withSource(text, async ({ tables, source }) => {
    const table = openTable("d", await tables.read(source, EVERYTHING));
    assert.deepEqual(table.booleans("alive"), [true, null]);
    assert.deepEqual(table.dates("born"), ["1984-02-29", "1990-01-01"]);
    assert.throws(
      () => table.booleans("born"),
      /"born" of the database "d" holds no booleans: it holds dates\./,
    );
    assert.throws(
      () => table.dates("age"),
      /"age" of the database "d" holds no dates: it holds numbers\./,
    );
    assert.throws(() => table.dates("x"), /no column "x"/);
  });
});
