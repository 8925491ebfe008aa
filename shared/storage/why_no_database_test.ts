import assert from "node:assert/strict";
import { freePort } from "../../services/stack/ports.ts";
import { useTestPostgres } from "../../tests/harness.ts";
import { ConfigError } from "../service/config.ts";
import { type Logger, silentLogger } from "../service/log.ts";
import { openDatabase, waitForDatabase } from "./db.ts";

const postgres = useTestPostgres();

/** What the log says once while the database at `url` is waited for. */
async function saidOf(url: string): Promise<Record<string, unknown>> {
  const stopping = new AbortController();
  const { promise: said, resolve } = Promise.withResolvers<Record<string, unknown>>();
  const log: Logger = { ...silentLogger, warn: (_message, fields) => resolve(fields ?? {}) };
  const db = openDatabase(url, { schema: "task", log, max: 1 });
  const waiting = waitForDatabase(db, log, stopping.signal).catch(() => {}); // it is aborted below
  const fields = await said;
  stopping.abort();
  await waiting;
  await db.end({ timeout: 1 });
  return fields;
}

Deno.test("waitForDatabase() says what to do about a wrong password, and about a database that is not there", async () => {
  const { task } = await postgres.newDatabases();
  const wrong = new URL(task.replace("@/", "@localhost/"));
  wrong.password = "wrong";
  const url = wrong.href.replace("@localhost/", "@/");
  const refused = await saidOf(url);
  assert.match(String(refused.reason), /password authentication failed/);
  assert.match(String(refused.advice), /run the set-up again/);
  const missing = await saidOf(task.replace(/@([^/]*)\/[^?]+/, "@$1/nothing"));
  assert.match(String(missing.reason), /database "nothing" does not exist/);
  assert.match(String(missing.advice), /run the set-up again/);
});

Deno.test("waitForDatabase() says what to do about a server that is not there", async () => {
  const gone = await saidOf(`postgres://role:password@127.0.0.1:${freePort()}/sextant`);
  assert.match(String(gone.reason), /ECONNREFUSED 127\.0\.0\.1/);
  assert.match(String(gone.advice), /start PostgreSQL, or correct SEXTANT_DATABASE_URL/);
  const unnamed = await saidOf("postgres://role:password@nobody.invalid:5432/sextant");
  assert.match(String(unnamed.advice), /correct the host/);
});

Deno.test("waitForDatabase() says that a server takes a connection and does not answer", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const { port } = listener.addr as Deno.NetAddr;
    const silent = await saidOf(`postgres://role:password@127.0.0.1:${port}/sextant`);
    assert.equal(silent.reason, `127.0.0.1:${port} does not answer within 5 s`);
    assert.match(String(silent.advice), /look at the network between/);
  } finally {
    listener.close();
  }
});

for (
  const [what, url] of [
    ["address", "postgres://role:password@127.0.0.1:5432/sextant"],
    ["name", "postgres://role:password@localhost:5432/sextant"],
    ["socket", "postgres://role:password@/sextant?host=/nowhere&port=5432"],
  ] as const
) {
  Deno.test({
    name:
      `waitForDatabase() ends, and says why, where Deno lets this process not reach the ${what}`,
    permissions: { net: false, read: false, write: false, env: true },
    async fn() {
      const db = openDatabase(url, { schema: "task", log: silentLogger, max: 1 });
      await assert.rejects(waitForDatabase(db, silentLogger), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /^Cannot start: .*\n {2}- Postgres: .*start this service with/);
        return true;
      });
      await db.end({ timeout: 1 });
    },
  });
}
