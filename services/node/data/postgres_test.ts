import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
// @ts-types="../../../shared/storage/pg.d.ts"
import pg from "pg";
import { startTestPostgres, temporaryFolder, waitFor } from "../../../tests/harness.ts";
import { CannotStart } from "../run/cannot_start.ts";
import { forSandbox, type NodeDatabase, sourceOf, type WantedDatabase } from "./databases.ts";
import { readPostgresAddress, withLogin } from "./postgres_address.ts";
import type { Rows } from "./load_rows.ts";
import { readPostgres } from "./postgres.ts";
import { openTable } from "./table.ts";
import { createTables, removeUnfinished, type Tables } from "./tables.ts";
import { DEFAULT_READ } from "./options.ts";
import type { Description, ReadJob } from "./types.ts";

interface Server {
  /** By its socket, as its owner. */
  address: string;
  /** The same by TCP. */
  tcp: string;
  sql(text: string): Promise<void>;
}

const PATIENT = { timeoutSeconds: 600 };

const OF_READERS = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`;

async function withServer(use: (server: Server) => Promise<void>): Promise<void> {
  const postgres = await startTestPostgres();
  const address = await postgres.newDatabase("task");
  const { host, port, database, user, password } = readPostgresAddress(address);
  const open = new Set<Socket>();
  const bridge = createServer((inside) => {
    const outside = connect(`${host}/.s.PGSQL.${port}`);
    for (const one of [inside, outside]) {
      open.add(one);
      one.on("error", () => one.destroy());
    }
    inside.pipe(outside);
    outside.pipe(inside);
  });
  await new Promise<void>((resolve) => bridge.listen(0, "127.0.0.1", resolve));
  const client = new pg.Client({ host, port, database, user, password });
  await client.connect();
  try {
    const { port } = bridge.address() as AddressInfo;
    await use({
      address,
      tcp: `postgresql+psycopg2://${user}:${password}@127.0.0.1:${port}/${database}`,
      sql: (text) =>
        new Promise((resolve, reject) =>
          client.query(new pg.Query(text), (error) => error ? reject(error) : resolve())
        ),
    });
  } finally {
    // The server goes on with what a reader that was killed had asked.
    await new Promise<void>((done) => client.query(new pg.Query(OF_READERS), () => done()));
    await client.end();
    for (const one of open) one.destroy();
    await new Promise((resolve) => bridge.close(resolve));
    await postgres.stop();
  }
}

const PATIENTS = `
  create table task.patients (
    id int8, age int4, height numeric(5,1), weight float8, smoker bool, born date,
    seen timestamp, told timestamptz, name text, key uuid, notes jsonb, rest int4);
  insert into task.patients values
    (9007199254740993, 34, 1.7, 'NaN', true, '1990-02-03', '2020-01-02 03:04:05.123456',
      '2020-01-02 03:04:05+01', 'Müller', '00000000-0000-0000-0000-000000000001', '{"a":1}', null),
    (9007199254740992, null, 180.0, 81.25, false, null, '2020-01-02', null, 'NA', null, null, null)`;

/** All batches as one. */
async function allOf(batches: AsyncIterable<Rows>): Promise<Rows> {
  const [first, ...others] = await Array.fromAsync(batches);
  const rows = [first!, ...others].flatMap(({ rows }) => rows);
  return { ...first!, rows };
}

Deno.test("readPostgres() keeps every type and every digit", async () => {
  await withServer(async ({ address, sql }) => {
    await sql(PATIENTS);
    const { names, types, rows } = await allOf(
      readPostgres(address, "select * from task.patients", PATIENT),
    );
    assert.deepEqual(
      names.map((name, index) => [name, types![index], ...rows.map((r) => r[index])]),
      [
        ["id", undefined, 9007199254740993n, 9007199254740992n],
        ["age", "number", 34, null],
        ["height", undefined, 1.7, 180],
        ["weight", "number", NaN, 81.25],
        ["smoker", "boolean", true, false],
        ["born", "date", "1990-02-03", null],
        ["seen", "date", "2020-01-02T03:04:05.123456", "2020-01-02T00:00:00"],
        ["told", "date", "2020-01-02T02:04:05Z", null],
        ["name", "text", "Müller", "NA"],
        ["key", "text", "00000000-0000-0000-0000-000000000001", null],
        ["notes", "text", '{"a": 1}', null],
        ["rest", "number", null, null],
      ],
    );
  });
});

Deno.test("readPostgres() lets a query do nothing but read, and no second statement", async () => {
  await withServer(async ({ address, sql }) => {
    await sql("create table task.t (x int4); create sequence task.s");
    const cases: [string, RegExp][] = [
      [
        "insert into task.t values (1) returning x",
        /cannot execute INSERT in a read-only transaction/,
      ],
      [
        "with w as (delete from task.t returning x) select * from w",
        /cannot execute (DELETE|SELECT) in a read-only/,
      ],
      ["select nextval('task.s')", /cannot execute nextval\(\) in a read-only transaction/],
      [
        "select 1; commit; drop table task.t",
        /cannot insert multiple commands into a prepared stat/,
      ],
      ["select x from tt", /relation "tt" does not exist/],
      ["selec", /syntax error at or near "selec"/],
      ["set transaction read write", /the server reports 25001/],
      ["set work_mem = '1MB'", /gives no rows: it must be a select/],
      ["select 1 as a, 2 as a", /two columns the name "a"/],
      ["select 'x'::bytea as b", /Column 1 of its query holds bytes/],
    ];
    for (const [query, message] of cases) {
      await assert.rejects(allOf(readPostgres(address, query, PATIENT)), (error: Error) => {
        assert.equal(error.name, "DataError", String(error));
        assert.match(error.message, message);
        return true;
      });
    }
    await sql("insert into task.t values (1)");
    assert.deepEqual(
      (await allOf(readPostgres(address, "select count(*)::int4 as n from task.t", PATIENT))).rows,
      [
        [
          1,
        ],
      ],
    );
  });
});

Deno.test("readPostgres() does not pass on what the server says of values, of names or of the log-in", async () => {
  await withServer(async ({ address, sql }) => {
    await sql(PATIENTS);
    await assert.rejects(
      allOf(readPostgres(address, "select name::int4 from task.patients", PATIENT)),
      /^DataError: Its query cannot be run: the server reports 22P02\.$/,
    );
    const wrong = address.replace(/:[^:@]+@/, ":wrong@");
    await assert.rejects(
      allOf(readPostgres(wrong, "select 1", PATIENT)),
      /lets this node not in: 28P01\.$/,
    );
    const gone = "postgresql://u:p@127.0.0.1:1/d";
    await assert.rejects(
      allOf(readPostgres(gone, "select 1", PATIENT)),
      /lets this node not in: ECONNREFUSED\.$/,
    );
  });
});

const IN_TIME = { timeoutSeconds: 600, signal: new AbortController().signal };

/** The mean of the column `x`, as a run finds it. */
async function meanOf(wanted: WantedDatabase, tables: Tables): Promise<number> {
  const [found] = await forSandbox([wanted], tables, IN_TIME);
  const values = openTable("d", found!.path).floats("x");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

Deno.test("a run in the sandbox reads a PostgreSQL database by its query, by socket and by TCP, anew each time", async () => {
  const folder = await temporaryFolder();
  try {
    const tables = createTables({ folder: folder.path, namesMayLeave: false });
    await withServer(async ({ address, tcp, sql }) => {
      await sql(
        "create table task.t (x int4, s text); insert into task.t values (20, 'a'), (40, 'b')",
      );
      for (const uri of [address, tcp]) {
        const database: NodeDatabase = { label: "d", type: "sql", uri, reach: [] };
        const mean = (query: string) => meanOf({ database, wanted: { query } }, tables);
        assert.equal(await mean("select x, s from task.t order by x"), 30);
        await sql("update task.t set x = x + 10");
        assert.equal(await mean("select x, s from task.t order by x"), 40);
        assert.equal(await mean("select x from task.t where s = 'a'"), 30);
        await sql("update task.t set x = x - 10");
        assert.equal((await tables.describe(sourceOf(database))).rows, 1, "as check asks");
        await assert.rejects(
          forSandbox([{ database, wanted: {} }], tables, IN_TIME),
          (error: Error) =>
            error instanceof CannotStart && /must give it a query/.test(error.message),
        );
      }
    });
  } finally {
    await folder.remove();
  }
});

Deno.test("a reading whose process is killed ends, and leaves nothing that is not removed", async () => {
  const folder = await temporaryFolder();
  const tables = new URL("./tables.ts", import.meta.url).href;
  const namesIn = async () =>
    (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name);
  try {
    await withServer(async ({ address, sql }) => {
      const source = { type: "postgres", path: address, options: DEFAULT_READ };
      // The reader sets the first of its rows aside, and would read for minutes yet.
      const query = "select i, pg_sleep(case when i < 20000 then 0 else 600 end)::text as slept " +
        "from generate_series(1, 20001) as i";
      const agent = new Deno.Command(Deno.execPath(), {
        args: [
          "eval",
          "--no-check",
          `import { createTables } from ${JSON.stringify(tables)};
          const tables = createTables({ folder: ${
            JSON.stringify(folder.path)
          }, namesMayLeave: true });
          await tables.read(${JSON.stringify(source)}, ${JSON.stringify({ query, steps: [] })});`,
        ],
        stdout: "inherit",
        stderr: "inherit",
      }).spawn();
      const others = "from pg_stat_activity where query like '%pg_sleep(case%' " +
        "and pid <> pg_backend_pid()";
      await waitFor(
        () =>
          sql(`select 1 / (select count(*) ${others} and wait_event = 'PgSleep')`)
            .then(() => true),
        { what: "the reader to read" },
      );
      const [reading] = await namesIn();
      assert.match(reading!, /^reading-/);
      await removeUnfinished(folder.path);
      assert.deepEqual(await namesIn(), [reading], "while it reads");

      agent.kill("SIGKILL");
      await agent.status;
      assert.deepEqual(await namesIn(), [reading], "left");
      await waitFor(async () => {
        await removeUnfinished(folder.path);
        return (await namesIn()).length === 0;
      }, { what: "nothing to be left" });
    });
  } finally {
    await folder.remove();
  }
});

Deno.test("a reading ends when nobody waits for it any more, and when it takes too long", async () => {
  const folder = await temporaryFolder();
  const reading = async () =>
    (await Array.fromAsync(Deno.readDir(folder.path))).filter(({ name }) => /^reading-/.test(name));
  try {
    const tables = createTables({ folder: folder.path, namesMayLeave: false });
    await withServer(async ({ address, sql }) => {
      const database: NodeDatabase = { label: "slow", type: "sql", uri: address, reach: [] };
      const wanted = { query: "select pg_sleep(600)::text as x" };
      const first = new AbortController();
      const second = new AbortController();
      const read = ({ signal }: AbortController, timeoutSeconds = 600) =>
        forSandbox([{ database, wanted }], tables, { timeoutSeconds, signal });
      const outcomes = [read(first), read(second)];
      const [one, other] = outcomes.map((outcome) =>
        outcome.catch((error: Error) => error.message)
      );
      const asked = `select 1 / (select count(*) from pg_stat_activity
        where query = '${wanted.query}' and wait_event = 'PgSleep')`;
      await waitFor(() => sql(asked).then(() => true), { what: "the reader to read" });
      assert.equal((await reading()).length, 1, "the two wait for one");
      first.abort(new Error("killed"));
      assert.equal(await one, "killed");
      assert.equal((await reading()).length, 1, "somebody waits for it yet");
      second.abort(new Error("killed, too"));
      assert.equal(await other, "killed, too");
      await waitFor(async () => (await reading()).length === 0, { what: "the reading to end" });

      const late = await read(new AbortController(), 1).catch((error) => error);
      assert.ok(late instanceof CannotStart);
      assert.equal(
        late.message,
        'To read the database "slow" took longer than the 1 seconds that this node gives a run.',
      );
      await waitFor(async () => (await reading()).length === 0, { what: "the reading to end" });
    });
  } finally {
    await folder.remove();
  }
});

Deno.test("readPostgres() waits for a locked table no longer than it may, nor for a slow query", async () => {
  await withServer(async ({ address, sql }) => {
    await sql("create table task.t (x int4)");
    await sql("begin; lock table task.t in access exclusive mode");
    const query = "select x from task.t";
    const limits = { timeoutSeconds: 600, lockSeconds: 1 };
    await assert.rejects(
      allOf(readPostgres(address, query, limits)),
      /^DataError: Its query waits for a table that somebody else at its server keeps/,
    );
    await sql("commit");
    assert.deepEqual((await allOf(readPostgres(address, query, limits))).rows, []);
    await assert.rejects(
      allOf(readPostgres(address, "select pg_sleep(600)::text as s", { timeoutSeconds: 1 })),
      /^DataError: Its server ended the query: it took longer than this node/,
    );
    // What the server's owner gives its role is not made more.
    await sql("alter role current_user set statement_timeout = '200ms'");
    const settings = "select current_setting('statement_timeout') as s, " +
      "current_setting('lock_timeout') as l";
    assert.deepEqual((await allOf(readPostgres(address, settings, PATIENT))).rows, [[
      "200ms",
      "1min",
    ]]);
    await sql("alter role current_user reset statement_timeout");
  });
});

Deno.test("a reading takes no longer than the owner gives it, and the server does not go on with it", async () => {
  const folder = await temporaryFolder();
  try {
    const tables = createTables({ folder: folder.path, namesMayLeave: false, timeoutSeconds: 1 });
    await withServer(async ({ address, sql }) => {
      const query = "select x from task.t";
      await sql("create table task.t (x int4)");
      await sql("begin; lock table task.t in access exclusive mode");
      const database: NodeDatabase = { label: "d", type: "sql", uri: address, reach: [] };
      await assert.rejects(
        forSandbox([{ database, wanted: { query } }], tables, IN_TIME),
        (error: Error) =>
          error instanceof CannotStart &&
          /^The database "d" cannot be used. Its server ended the query/.test(error.message),
      );
      await sql("commit");
      await sql(`do $$ begin if exists (select from pg_stat_activity
        where query = '${query}' and state = 'active') then raise 'it goes on'; end if; end $$`);
      // What asks for no table is not kept waiting by one that is locked.
      assert.equal((await tables.describe(sourceOf(database))).rows, 1);
    });
    const path = `${folder.path}/endless.db`;
    new DatabaseSync(path).close();
    const endless = "with recursive n(i) as (select 1 union all select i + 1 from n) " +
      "select max(i) as i from n";
    await assert.rejects(
      tables.read(
        { type: "sqlite", path, options: DEFAULT_READ },
        { query: endless, steps: [] },
      ),
      /^DataError: To read it takes longer than the 1 seconds .*\(read_timeout_seconds\)\.$/,
    );
  } finally {
    await folder.remove();
  }
});

/** Reads with a process that may take no more than this for objects and texts. */
async function readWithin(
  heapMiB: number,
  job: Pick<ReadJob, "path" | "request" | "target" | "scratch">,
): Promise<{ description: Description }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--allow-all",
      `--v8-flags=--max-old-space-size=${heapMiB}`,
      new URL("./reader_process.ts", import.meta.url).pathname,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const whole: ReadJob = {
    type: "postgres",
    options: DEFAULT_READ,
    namesMayLeave: true,
    memoryMiB: 512,
    timeoutSeconds: 600,
    ...job,
  };
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(`${JSON.stringify(whole)}\n`));
  const { stdout } = await child.output();
  await input.close();
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("a result of a query larger than the reader's memory is read, and its types are those of its last row, too", async () => {
  const folder = await temporaryFolder();
  try {
    await withServer(async ({ address }) => {
      const rows = 200_000;
      const last = `i = ${rows}`;
      const query = `select i, repeat('x', 800) || i % 3 as text,
        case when ${last} then 9007199254740993 else i end::int8 as wide,
        case when ${last} then null else i end::int8 as missing,
        case when ${last} then 'infinity' else timestamp '2020-01-02' end as odd
        from generate_series(1, ${rows}) as i`;
      const target = `${folder.path}/columns`;
      const scratch = `${folder.path}/scratch`;
      await Deno.mkdir(scratch);
      const { description } = await readWithin(48, {
        path: address,
        request: { query, steps: [] },
        target,
        scratch,
      });
      assert.equal(description.rows, rows);
      assert.deepEqual(
        description.columns.map(({ name, type, missing }) => [name, type, missing]),
        [
          ["i", "number", 0],
          ["text", "text", 0],
          ["wide", "text", 0],
          ["missing", "number", 1],
          ["odd", "text", 0],
        ],
      );
      const table = openTable("d", target);
      assert.equal(table.floats("i").at(-1), rows);
      assert.equal(table.floats("i").reduce((sum, value) => sum + value, 0), rows * (rows + 1) / 2);
      const ends = (name: string) => [0, rows - 1].map((row) => table.column(name).values[row]);
      assert.deepEqual(ends("wide"), ["1", "9007199254740993"]);
      assert.deepEqual(ends("missing"), [1, null]);
      assert.deepEqual(ends("odd"), ["2020-01-02T00:00:00", "infinity"]);
      assert.equal(table.levels("text").values.length, 3);
    });
  } finally {
    await folder.remove();
  }
});

Deno.test("sourceOf() says which SQL databases the sandbox reads", () => {
  const database: NodeDatabase = {
    label: "d",
    type: "sql",
    uri: "mysql://u:p@db.example/research",
    reach: [],
  };
  assert.throws(() => sourceOf(database), /sql from PostgreSQL and from an SQLite file/);
  assert.throws(
    () => sourceOf(database),
    /which algorithms in the sandbox cannot read from mysql:/,
  );
});

Deno.test("withLogin() takes name and password from the parameters where the address has none", () => {
  const env = { user: "reader", PASSWORD: "p@ss" };
  assert.equal(
    withLogin("postgres://db.example/r", env),
    "postgresql://reader:p%40ss@db.example/r",
  );
  assert.equal(withLogin("postgresql://a:b@db.example/r", env), "postgresql://a:b@db.example/r");
  assert.deepEqual(
    readPostgresAddress("postgresql://u:p%40@[::1]/r?sslmode=require&sslrootcert=/ca"),
    {
      host: "::1",
      port: 5432,
      database: "r",
      user: "u",
      password: "p@",
      tls: true,
      authority: "/ca",
    },
  );
});
