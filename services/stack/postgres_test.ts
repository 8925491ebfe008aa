import assert from "node:assert/strict";
import { openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { canReach } from "./account.ts";
import { type Postgres, POSTGRES_ADMIN, type PostgresOptions, startPostgres } from "./postgres.ts";
import { findPostgresBinaries } from "./postgres_binaries.ts";

const PASSWORD = "it's a / p@ssword";

async function inFolder(body: (options: PostgresOptions) => Promise<void>, below = "") {
  const root = await Deno.makeTempDir({ prefix: "sextant-test-" });
  await Deno.chmod(root, 0o711);
  try {
    await body({
      folder: `${root}${below}/postgres`,
      cacheFolder: `${root}/cache`,
      adminPassword: PASSWORD,
      syncInit: false,
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function query<T>(server: Postgres, statement: string, password = PASSWORD): Promise<T[]> {
  const url = server.url(POSTGRES_ADMIN, password, "postgres");
  const db = openDatabase(url, { schema: "public", log: silentLogger, max: 1 });
  try {
    return await db.unsafe(statement) as unknown as T[];
  } finally {
    await db.end();
  }
}

Deno.test("startPostgres() keeps its data over a stop, a kill and a start", () =>
  inFolder(async (options) => {
    const first = await startPostgres(options);
    await query(first, "create table kept (n int); insert into kept values (1)");
    await first.stop();

    const second = await startPostgres(options);
    await query(second, "insert into kept values (2)");
    second.process.signal("SIGKILL");
    await second.process.exited;

    const third = await startPostgres(options);
    assert.deepEqual([...await query(third, "select n from kept order by n")], [{ n: 1 }, {
      n: 2,
    }]);
    await third.stop();
  }));

Deno.test("startPostgres() syncs, asks for the password and opens no TCP port", () =>
  inFolder(async (options) => {
    const server = await startPostgres(options);
    try {
      const rows = await query(
        server,
        "select current_setting('fsync') fsync, current_setting('listen_addresses') listen",
      );
      assert.deepEqual([...rows], [{ fsync: "on", listen: "" }]);
      await assert.rejects(query(server, "select 1", "wrong"), /password authentication failed/);
    } finally {
      await server.stop();
    }
  }));

Deno.test("startPostgres() stops an orphan that still holds the folder", () =>
  inFolder(async (options) => {
    const orphan = await startPostgres(options);
    const heir = await startPostgres(options);
    try {
      assert.equal((await orphan.process.exited).success, true);
      assert.equal((await query(heir, "select 1")).length, 1);
    } finally {
      await heir.stop();
    }
  }));

Deno.test("startPostgres() ignores a lock file whose number belongs to another process", () =>
  inFolder(async (options) => {
    await (await startPostgres(options)).stop();
    await Deno.writeTextFile(`${options.folder}/postmaster.pid`, `${Deno.pid}\n`);
    const server = await startPostgres(options);
    await server.stop();
  }));

Deno.test("startPostgres() begins again when the first set-up was interrupted", () =>
  inFolder(async (options) => {
    await Deno.mkdir(`${options.folder}.new/base`, { recursive: true });
    await Deno.writeTextFile(`${options.folder}.new/PG_VERSION`, "15\n");
    const server = await startPostgres(options);
    await server.stop();
  }));

Deno.test("startPostgres() works in a folder whose path is too long for a socket", () =>
  inFolder(async (options) => {
    const server = await startPostgres(options);
    assert.ok(server.socketFolder.length < 100);
    assert.equal((await query(server, "select 1")).length, 1);
    await server.stop();
    await assert.rejects(Deno.stat(server.socketFolder), Deno.errors.NotFound);
  }, `/${"long".repeat(20)}/${"long".repeat(20)}`));

Deno.test("startPostgres() says what is wrong with SEXTANT_POSTGRES_BIN", () => {
  assert.throws(
    () => findPostgresBinaries({ SEXTANT_POSTGRES_BIN: "/nowhere" }),
    /SEXTANT_POSTGRES_BIN is \/nowhere, where postgres and initdb are not/,
  );
});

Deno.test("canReach() is false below a folder that is closed to the account", async () => {
  const root = await Deno.makeTempDir();
  try {
    const nobody = { uid: 65534, gid: 65534 };
    assert.equal(canReach(nobody, `${root}/deeper/file`), false);
    await Deno.chmod(root, 0o711);
    assert.equal(canReach(nobody, `${root}/deeper/file`), true);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
