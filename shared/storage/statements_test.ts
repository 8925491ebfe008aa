import assert from "node:assert/strict";
import { useTestPostgres } from "../../tests/harness.ts";
import { type Db, openDatabase, uniqueViolation } from "./db.ts";
import { silentLogger } from "../service/log.ts";

const postgres = useTestPostgres();
let db: Db;
Deno.test.beforeAll(async () => {
  db = openDatabase(await postgres.newDatabase("task"), { schema: "task", log: silentLogger });
  await db`create table thing (id integer primary key, text text)`;
});
Deno.test.afterAll(() => db.end());

Deno.test("values come as what they are: small numbers, text for those that may not fit, times, bytes", async () => {
  const at = new Date("2026-02-03T04:05:06.789Z");
  const bytes = new Uint8Array(70_000).map((_, n) => n % 251);
  const [row] = await db`
    select 1::integer as i, 2::bigint as l, 1.10::numeric as n, 1.5::float8 as d, true as b,
      ${at} as at, ${bytes} as bytes, ${null}::text as nothing, '1 day'::interval as span,
      '2026-02-03'::date as day, ${"12345678901234567890"}::numeric as big,
      array[1, 2] as numbers, array[3::bigint] as longs, array['a"b', 'c,d', null] as texts,
      array[${at}] as times, array['x'::name] as names`;
  assert.deepEqual({ ...row, bytes: undefined }, {
    i: 1,
    l: "2",
    n: "1.10",
    d: 1.5,
    b: true,
    at,
    bytes: undefined,
    nothing: null,
    span: "1 day",
    day: new Date("2026-02-03"),
    big: "12345678901234567890",
    numbers: [1, 2],
    longs: ["3"],
    texts: ['a"b', "c,d", null],
    times: [at],
    names: ["x"],
  });
  assert.deepEqual(new Uint8Array(row!.bytes), bytes);
});

Deno.test("arrays and JSON go in as they are", async () => {
  const texts = ['a"b', "c,d", "\\", "", "null", "{}"];
  const [row] = await db`
    select ${texts}::text[] as texts, ${[
    1,
    2,
  ]}::integer[] as numbers, ${[] as number[]}::integer[] as none,
      ${db.json({ a: [1, "x"], b: null })} as object, ${db.json("text")} as text,
      ${db.json([1])} as list, ${2} = any(${[1, 2]}::integer[]) as among`;
  assert.deepEqual({ ...row }, {
    texts,
    numbers: [1, 2],
    none: [],
    object: { a: [1, "x"], b: null },
    text: "text",
    list: [1],
    among: true,
  });
});

Deno.test("an answer tells how many rows were changed, and of which columns they are", async () => {
  const rows = Array.from({ length: 3 }, (_, n) => ({ id: 100 + n, text: `${n}` }));
  const inserted = await db`insert into thing ${db(rows)}`;
  assert.deepEqual([inserted.count, inserted.command, [...inserted]], [3, "INSERT", []]);
  const found = await db`select id, 1 as one from thing where id >= 100 order by id`;
  assert.deepEqual(found.map(({ id }) => id), [100, 101, 102]);
  assert.deepEqual(found.columns.map(({ name, number }) => [name, number]), [["id", 1], [
    "one",
    0,
  ]]);
  assert.equal(found.columns[1]!.table, 0);
  assert.equal((await db`delete from thing where id >= 100`).count, 3);
});

Deno.test("a statement runs once, when it is first awaited, and pieces do not run", async () => {
  const piece = db`id + ${1}`;
  const insert = db`insert into thing (id) values (${200}) returning ${piece} as next`;
  assert.equal((await db`select from thing where id = 200`).length, 0);
  assert.deepEqual([...await insert, ...await insert], [{ next: 201 }, { next: 201 }]);
  await db`delete from thing`;
});

Deno.test("Db.begin() commits what worked, and takes back what threw", async () => {
  assert.equal(
    await db.begin(async (tx) => {
      await tx`insert into thing (id) values (${1})`;
      return "result";
    }),
    "result",
  );
  await assert.rejects(
    db.begin(async (tx) => {
      await tx`insert into thing (id) values (${2})`;
      throw new Error("changed my mind");
    }),
    /changed my mind/,
  );
  assert.deepEqual([...await db`select id from thing`], [{ id: 1 }]);
});

Deno.test("Db.begin() rejects when one of its statements failed, even if that was caught", async () => {
  const caught = db.begin(async (tx) => {
    await tx`insert into thing (id) values (${1})`.catch(() => {});
    return "as if nothing had been";
  });
  await assert.rejects(caught, (error: unknown) => uniqueViolation(error) === "thing_pkey");
  assert.deepEqual([...await db`select id from thing`], [{ id: 1 }]);
});

Deno.test("Db.begin() takes all back when a statement fails whose answer nobody waits for", async () => {
  const write = (id: number) =>
    db.begin(async (tx) => {
      await tx`insert into thing values (${id}, 'first')`;
      const second = tx.soon(tx`insert into thing values (${id + 1}, 'second') returning id`);
      tx.soon(tx`insert into thing values (${10}, 'third')`);
      return { second };
    });
  const { second } = await write(10).then(() => assert.fail("committed"), (error) => {
    assert.equal(uniqueViolation(error), "thing_pkey");
    return db.begin((tx) =>
      Promise.resolve({ second: tx.soon(tx`insert into thing values (12, 'x') returning id`) })
    );
  });
  assert.deepEqual([...await second], [{ id: 12 }]);
  const rows = await db`select id from thing where id between 10 and 12`;
  assert.deepEqual([...rows], [{ id: 12 }]);
  await db`delete from thing where id = 12`;
  // The connection is good for others.
  await Promise.all(Array.from({ length: 20 }, () => db`select 1`));
});

Deno.test("Db.begin() keeps what is sent together in its order, between begin and commit", async () => {
  await db.begin(async (tx) => {
    tx.soon(tx`insert into thing values (20, 'a')`);
    tx.soon(tx`update thing set text = text || 'b' where id = 20`);
    const [[read]] = await Promise.all([
      tx`select text from thing where id = 20`,
      tx`update thing set text = text || 'c' where id = 20`,
    ]);
    assert.equal(read!.text, "ab");
    assert.equal((await db`select from thing where id = 20`).length, 0);
  });
  const [written] = await db`delete from thing where id = 20 returning text`;
  assert.equal(written!.text, "abc");
});

Deno.test("a value of a row may be a piece of SQL", async () => {
  await db`insert into thing ${db({ id: db`20 + ${1}::integer`, text: "sum" })}`;
  const [written] = await db`delete from thing where id = 21 returning text`;
  assert.equal(written!.text, "sum");
});

Deno.test("Db.begin() passes on how the transaction is isolated", async () => {
  const writing = db.begin("read only", (tx) => tx`insert into thing (id) values (${9})`);
  await assert.rejects(writing, { code: "25006" });
});

Deno.test("statements that a transaction makes together are all part of it", async () => {
  await assert.rejects(db.begin(async (tx) => {
    await Promise.all([11, 12, 1, 13].map((id) => tx`insert into thing (id) values (${id})`));
  }));
  assert.deepEqual([...await db`select id from thing`], [{ id: 1 }]);
});

Deno.test("a prepared statement is prepared anew when a migration has changed what it answers", async () => {
  const all = () => db`select * from thing where id = ${1}`;
  await Promise.all(Array.from({ length: 30 }, all));
  await db`alter table thing add column more integer default 5`;
  const answers = await Promise.all(Array.from({ length: 30 }, all));
  for (const [row] of answers) assert.equal(row!.more, 5);
});

Deno.test("statements of many texts: the server keeps a limited number, and new ones are prepared still", async () => {
  const alone = openDatabase(await postgres.newDatabase("task"), {
    schema: "task",
    log: silentLogger,
    max: 1,
  });
  const texts = () =>
    alone<{ statement: string }[]>`
      select statement from pg_prepared_statements order by prepare_time, name`;
  try {
    for (let n = 0; n < 2500; n++) {
      const [row] = await alone`select ${n}::integer as ${alone(`column_${n}`)}`;
      assert.equal(row![`column_${n}`], n);
      if (n % 250 === 0) {
        const kept = await texts();
        assert.ok(kept.length <= 1001, `${kept.length} statements are prepared`);
        assert.ok(kept.some(({ statement }) => statement.includes(`"column_${n}"`)));
      }
    }
  } finally {
    await alone.end();
  }
});

Deno.test("Db.unsafe() runs several statements, and answers with the last one's rows", async () => {
  const rows = await db.unsafe("create table other (id integer); select 1 as one; select 2 as two");
  assert.deepEqual([...rows], [{ two: 2 }]);
});

Deno.test("an error says which statement's it was, and what Postgres said", async () => {
  await assert.rejects(
    async () => await db`select no_such_column from thing`,
    (error: Error & { code?: string }) =>
      error.name === "PostgresError" && error.code === "42703" &&
      /no_such_column/.test(error.message),
  );
  await assert.rejects(async () => await db`select ${undefined as unknown as null}`, TypeError);
});
