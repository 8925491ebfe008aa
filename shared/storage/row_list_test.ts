import assert from "node:assert/strict";
import { useTestPostgres } from "../../tests/harness.ts";
import { memoryUsed } from "../../tests/support/memory.ts";
import { silentLogger } from "../service/log.ts";
import { type Db, openDatabase } from "./db.ts";
import { rowList } from "./row_list.ts";

const postgres = useTestPostgres();

interface Row {
  id: number;
  name: string;
}

/** A table with so many rows: 1 is called n1. */
async function withRows(count: number, use: (db: Db) => Promise<void>): Promise<void> {
  const url = await postgres.newDatabase("identity");
  const db = openDatabase(url, { schema: "identity", log: silentLogger });
  try {
    await db`create table thing (id integer primary key, name text not null)`;
    await db`insert into thing select n, 'n' || n from generate_series(1, ${count}) as n`;
    await use(db);
  } finally {
    await db.end();
  }
}

const things = (db: Db, batch: number) =>
  rowList<Row>(db, { columns: db`id, name`, from: db`thing`, batch });
const BY_ID = [{ column: "id", descending: false }];

async function taken(batches: AsyncIterable<Row[]>): Promise<number[][]> {
  return (await Array.fromAsync(batches)).map((rows) => rows.map(({ id }) => id));
}

Deno.test("rowList() gives few rows as they are, and more of them in batches, in the order asked for", async () => {
  await withRows(7, async (db) => {
    const few = await things(db, 7).all({ where: [], order: BY_ID });
    assert.ok("rows" in few);
    assert.deepEqual([few.rows.length, few.total], [7, 7]);
    const many = await things(db, 3).all({
      where: [db`id <> ${4}`],
      order: [{ column: "name", descending: true }],
    });
    assert.ok("batches" in many);
    assert.equal(many.total, 6);
    assert.deepEqual(await taken(many.batches), [[7, 6, 5], [3, 2, 1]]);
    const page = await things(db, 3).page({
      where: [],
      order: BY_ID,
      window: { limit: 2, offset: 2 },
    });
    assert.ok("rows" in page);
    assert.deepEqual([page.rows.map(({ id }) => id), page.total], [[3, 4], 7]);
    const wide = await things(db, 3).page({
      where: [],
      order: BY_ID,
      window: { limit: 4, offset: 2 },
    });
    assert.ok("batches" in wide);
    assert.deepEqual([await taken(wide.batches), wide.total], [[[3, 4, 5], [6]], 7]);
  });
});

Deno.test("rowList() reads a batch when the one before it was taken, and nothing that is not asked for any more", async () => {
  await withRows(9, async (db) => {
    const list = await things(db, 3).all({ where: [db`name like 'n%'`], order: BY_ID });
    assert.ok("batches" in list);
    const first = await list.batches.next();
    assert.deepEqual(first.value?.map(({ id }: Row) => id), [1, 2, 3]);
    await db`delete from thing where id = 5`;
    await db`update thing set name = 'other' where id = 6`;
    await db`update thing set name = 'new' where id = 7`;
    const second = await list.batches.next();
    assert.deepEqual(second.value, [{ id: 4, name: "n4" }]);
    await db`delete from thing`;
    assert.deepEqual(await taken(list.batches), [[]]);
  });
});

Deno.test("rowList() holds a small part of a long list in memory", async () => {
  await withRows(0, async (db) => {
    await db`insert into thing select n, repeat('x', 4000) from generate_series(1, 40000) as n`;
    const list = await things(db, 500).all({ where: [], order: BY_ID });
    assert.ok("batches" in list);
    const before = memoryUsed();
    // What is no longer used counts until it is collected.
    let most = 0;
    let rows = 0;
    for await (const batch of list.batches) {
      rows += batch.length;
      most = Math.max(most, memoryUsed() - before);
    }
    assert.equal(rows, 40_000);
    assert.ok(most < 100 * 2 ** 20, `${Math.round(most / 2 ** 20)} MiB for 160 MB of rows`);
  });
});

Deno.test("rowList() has no more bytes in a batch than it may, but for a row that is more alone", async () => {
  await withRows(6, async (db) => {
    // 2 has 20 MiB, the others 6 MiB each.
    const bytes = db`case id when 2 then 20 else 6 end * 1048576`;
    const list = rowList<Row>(db, { columns: db`id, name`, from: db`thing`, bytes });
    const asked = { where: [], order: BY_ID };
    const all = await list.all(asked);
    assert.ok("batches" in all);
    assert.deepEqual([await taken(all.batches), all.total], [[[1], [2], [3, 4], [5, 6]], 6]);
    const page = await list.page({ ...asked, window: { limit: 3, offset: 3 } });
    assert.ok("batches" in page);
    assert.deepEqual([await taken(page.batches), page.total], [[[4, 5], [6]], 6]);
    const few = await list.page({ ...asked, window: { limit: 2, offset: 2 } });
    assert.ok("rows" in few);
    assert.deepEqual([few.rows.map(({ id }) => id), few.total], [[3, 4], 6]);
  });
});

Deno.test("rowList() shows a page as it is at one moment, while rows come and go", async () => {
  await withRows(2, async (db) => {
    // One of the two is open at every moment.
    await db`alter table thing add open boolean`;
    await db`update thing set open = (id = 1)`;
    const list = rowList<Row>(db, { columns: db`id, name`, from: db`thing`, bytes: db`1` });
    const request = { where: [db`open`], order: BY_ID };
    let asking = true;
    const changing = (async () => {
      let changes = 0;
      for (; asking; changes++) await db`update thing set open = not open`;
      return changes;
    })();
    try {
      for (let count = 0; count < 300; count++) {
        const page = await list.page({ ...request, window: { limit: 1, offset: 0 } });
        const all = await list.all(request);
        assert.ok("rows" in page && "rows" in all);
        assert.deepEqual([page.rows.length, page.total], [1, 1]);
        assert.deepEqual([all.rows.length, all.total], [1, 1]);
      }
    } finally {
      asking = false;
      await changing;
    }
    assert.ok(await changing > 50);
  });
});
