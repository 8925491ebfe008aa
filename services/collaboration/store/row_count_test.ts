import assert from "node:assert/strict";
import { type Db, migrate, openDatabase } from "../../../shared/storage/db.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import type { HubService } from "../../../shared/broker/subjects.ts";
import { useTestPostgres } from "../../../tests/harness.ts";
import { collaborationRows } from "./collaboration.ts";

const postgres = useTestPostgres();

async function open(service: HubService): Promise<Db> {
  const log = silentLogger;
  const db = openDatabase(await postgres.newDatabase(service), { schema: service, log, max: 12 });
  await migrate(db, new URL(`../../${service}/schema/`, import.meta.url), log);
  return db;
}

async function kept(db: Db, table: string): Promise<number> {
  const [row] = await db<{ rows: string }[]>`
    select coalesce(sum(rows), 0) as rows from row_count where table_name = ${table}`;
  return Number(row!.rows);
}

async function counted(db: Db, table: string): Promise<number> {
  const [row] = await db<{ rows: string }[]>`select count(*) as rows from ${db(table)}`;
  return Number(row!.rows);
}

Deno.test("the numbers of rows that are kept are exact when many change at once", async () => {
  const db = await open("collaboration");
  let next = 0;
  async function work(worker: number) {
    for (let turn = 0; turn < 60; turn++) {
      const number = ++next;
      await db.begin(async (tx) => {
        await tx`
          insert into collaboration (name)
          select ${`c${number} `} || generate_series(1, ${1 + (number % 3)})`;
        if (number % 4 === 0) await tx`delete from collaboration where id % 7 = ${worker % 7}`;
        if (number % 5 === 0) throw new Error("rolled back");
      }).catch((error) => {
        if (error.message !== "rolled back") throw error;
      });
    }
  }
  await Promise.all(Array.from({ length: 10 }, (_, worker) => work(worker)));
  const exact = await counted(db, "collaboration");
  assert.ok(exact > 0);
  assert.equal(await kept(db, "collaboration"), exact);
  const [{ pieces }] = await db`select count(*) as pieces from row_count` as [{ pieces: string }];
  assert.ok(Number(pieces) < 300, `${pieces} differences were not added up`);
  const { total } = await collaborationRows(db).page({
    where: [],
    order: [{ column: "id", descending: false }],
    window: { limit: 1, offset: 0 },
  });
  assert.equal(total, exact);
  await db`truncate collaboration cascade`;
  assert.equal(await kept(db, "collaboration"), 0);
  await db.end();
});

Deno.test("rows that go with others are counted too", async () => {
  const db = await open("collaboration");
  await db`insert into collaboration (id, name) values (1, 'one'), (2, 'two')`;
  await db`insert into study (name, collaboration_id) values ('a', 1), ('b', 1), ('c', 2)`;
  assert.equal(await kept(db, "study"), 3);
  await db`delete from collaboration where id = 1`;
  assert.equal(await kept(db, "study"), 1);
  await db.end();
});

Deno.test("identity keeps the numbers of its organizations, users and roles", async () => {
  const db = await open("identity");
  await db`insert into organization (name) select 'o' || generate_series(1, 5)`;
  await db`
    insert into "user" (username, password_hash, organization_id)
    select 'u' || id, 'x', id from organization`;
  await db`delete from organization where name in ('o1', 'o2')`;
  for (const table of ["organization", "user", "role"]) {
    assert.equal(await kept(db, table), await counted(db, table), table);
  }
  assert.equal(await kept(db, "user"), 3);
  await db.end();
});

Deno.test("a page knows how long the list is: full, short, past the end, filtered", async () => {
  const db = await open("collaboration");
  await db`insert into collaboration (name) select 'c' || generate_series(1, 25)`;
  const totalOf = async (limit: number, offset: number, filtered = false) => {
    const list = await collaborationRows(db).page({
      where: filtered ? [db`id <= 12`] : [],
      order: [{ column: "id", descending: false }],
      window: { limit, offset },
    });
    assert.ok("rows" in list);
    return [list.rows.length, list.total];
  };
  assert.deepEqual(await totalOf(10, 0), [10, 25]);
  assert.deepEqual(await totalOf(10, 20), [5, 25]);
  assert.deepEqual(await totalOf(25, 0), [25, 25]);
  assert.deepEqual(await totalOf(10, 30), [0, 25]);
  assert.deepEqual(await totalOf(30, 0, true), [12, 12]);
  assert.deepEqual(await totalOf(10, 10, true), [2, 12]);
  assert.deepEqual(await totalOf(10, 20, true), [0, 12]);
  await db.end();
});
