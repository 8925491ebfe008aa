import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type OwnPostgres, startOwnPostgres } from "../../tests/support/postgres.ts";
import { asUnavailable, databaseAnswers, type Db, openDatabase } from "./db.ts";
import { createConnections } from "./connections.ts";
import { serversOf } from "./primary.ts";
import { createDb } from "./statements.ts";
import { SextantError } from "../service/errors.ts";
import { silentLogger } from "../service/log.ts";

// Not shared with other files: it is killed and frozen.
let postgres: OwnPostgres;
let url: string;
Deno.test.beforeAll(async () => {
  postgres = await startOwnPostgres();
  url = await postgres.newDatabase("task");
});
Deno.test.afterAll(() => postgres.stop());

const PLACES = 4;
/** So soon after trouble the pool must be of use again. */
const AGAIN_WITHIN_MS = 5000;
const FROZEN_MS = 30_000;

function open(schema = "task"): Db {
  return openDatabase(url, { schema, log: silentLogger, max: PLACES });
}

/** What a statement came to: its rows' number, or what a client of a service would be told. */
async function outcomeOf(work: Promise<unknown>): Promise<"done" | "unavailable"> {
  try {
    await work;
    return "done";
  } catch (error) {
    const told = asUnavailable(error);
    assert.ok(told instanceof SextantError && told.code === "unavailable", String(error));
    return "unavailable";
  }
}

/** Transactions on every place, and single statements that wait for one or share it. */
function busy(db: Db): Promise<("done" | "unavailable")[]> {
  const transactions = Array.from({ length: PLACES + 2 }, () =>
    db.begin(async (tx) => {
      await Promise.all([tx`select 1`, tx`select pg_sleep(0.003)`]);
      await tx`select ${1}::integer`;
    }));
  const single = Array.from({ length: 3 * PLACES }, (_, n) => db`select ${n}::integer`);
  const copy = db.copyOut("copy (select 1) to stdout");
  return Promise.all([...transactions, ...single, copy].map(outcomeOf));
}

/**
 * Resolves when every place in the pool does transactions again; rejects when one does not in time.
 */
async function assertAllPlacesWork(db: Db): Promise<void> {
  const giveUpAt = Date.now() + AGAIN_WITHIN_MS;
  for (;;) {
    const outcome = await within(AGAIN_WITHIN_MS, outcomeOf(useAllPlaces(db)), "every place");
    if (outcome === "done") return;
    assert.ok(Date.now() < giveUpAt, "The pool is of no use yet");
  }
}

async function useAllPlaces(db: Db): Promise<void> {
  const all = Promise.withResolvers<void>();
  all.promise.catch(() => {}); // those who wait for it tell
  let there = 0;
  await Promise.all(Array.from({ length: PLACES }, async () => {
    try {
      await db.begin(async (tx) => {
        if (++there === PLACES) all.resolve();
        await all.promise; // so that each has a place of its own
        const [row] = await tx<{ n: number }[]>`select ${7}::integer as n`;
        assert.equal(row!.n, 7);
      });
    } catch (error) {
      all.reject(error);
      throw error;
    }
  }));
}

async function within<Result>(ms: number, work: Promise<Result>, what: string): Promise<Result> {
  const timer = new AbortController();
  const late = delay(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`Waited in vain for ${what} (${ms} ms)`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}

Deno.test("a pool whose backends are ended at any moment, 200 times, loses no place", async () => {
  const db = open();
  const killer = open();
  let failed = 0;
  for (let round = 0; round < 200; round++) {
    const work = busy(db);
    // From the first byte of a log-in to the last of an answer.
    await delay(round % 12);
    await killer`
      select pg_terminate_backend(pid) from pg_stat_activity
      where usename = current_user and pid <> pg_backend_pid()`;
    const outcomes = await within(AGAIN_WITHIN_MS, work, "every statement to end");
    failed += outcomes.filter((one) => one === "unavailable").length;
    await assertAllPlacesWork(db);
  }
  assert.ok(failed > 200, `only ${failed} statements were hit`);
  await db.end();
  await killer.end();
});

/** The processes of the server behind `db`, the first one first. */
async function serverProcesses(db: Db): Promise<number[]> {
  const [row] = await db<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const first = await parentOf(row!.pid);
  const found = [first!];
  for await (const { name } of Deno.readDir("/proc")) {
    if (/^\d+$/.test(name) && await parentOf(Number(name)) === first) found.push(Number(name));
  }
  return found;
}

async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
  const parent = /\) \S (\d+)/.exec(stat)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

Deno.test("a pool whose server stands still for a while works again when it goes on", async () => {
  const db = open();
  await assertAllPlacesWork(db);
  const processes = await serverProcesses(db);
  for (const pid of processes) Deno.kill(pid, "SIGSTOP");
  const work = busy(db);
  try {
    assert.equal(await databaseAnswers(db, 500), false);
    await delay(FROZEN_MS);
  } finally {
    for (const pid of processes) Deno.kill(pid, "SIGCONT");
  }
  await within(AGAIN_WITHIN_MS, work, "every statement to end");
  await assertAllPlacesWork(db);
  await db.end();
});

Deno.test("a statement that a standing server does not answer fails in time, and costs no place", async () => {
  const address = new URL(url.replace("@/", "@localhost/"));
  const db = createDb(createConnections({
    servers: serversOf(address.searchParams.get("host")!, address.searchParams.get("port")!),
    database: address.pathname.slice(1),
    user: address.username,
    password: address.password,
    applicationName: "impatient",
    searchPath: "task",
    max: PLACES,
    answerWithinMs: 400,
    onNotice: () => {},
  }));
  await assertAllPlacesWork(db);
  const processes = await serverProcesses(db);
  for (const pid of processes) Deno.kill(pid, "SIGSTOP");
  try {
    const work = Array.from({ length: PLACES }, () => outcomeOf(db`select 1`));
    const outcomes = await within(2000, Promise.all(work), "every statement to fail");
    assert.deepEqual(outcomes, Array(PLACES).fill("unavailable"));
  } finally {
    for (const pid of processes) Deno.kill(pid, "SIGCONT");
  }
  await assertAllPlacesWork(db);
  // What may take its time, may.
  await db.unsafe("select pg_sleep(1)");
  await db.end();
});

Deno.test("a pool finds the server that has taken the place of a killed one", async () => {
  const db = open();
  for (let round = 0; round < 3; round++) {
    await assertAllPlacesWork(db);
    const work = busy(db);
    await postgres.kill9();
    await within(AGAIN_WITHIN_MS, work, "every statement to end");
    assert.equal(await outcomeOf(db`select 1`), "unavailable");
    await postgres.start();
    await assertAllPlacesWork(db);
  }
  await db.end();
});

Deno.test("single statements beyond the pool's places do not wait behind a slow one", async () => {
  const db = open();
  let slowDone = false;
  const slow = db`select pg_sleep(1)`.then(() => slowDone = true);
  for (let n = 0; n < 20; n++) {
    await Promise.all(Array.from({ length: 5 * PLACES }, () => db`select ${n}::integer`));
  }
  assert.equal(slowDone, false);
  await slow;
  const [row] = await db<{ count: number }[]>`
    select count(*)::integer as count from pg_stat_activity
    where usename = current_user and application_name = 'sextant-task'`;
  assert.equal(row!.count, PLACES);
  await db.end();
});

Deno.test("Db.end() waits for what is under way, and with a time-out cuts it off", async () => {
  const patient = open();
  const answer = outcomeOf(patient`select pg_sleep(0.2)`);
  await patient`select 1`;
  await patient.end();
  assert.equal(await answer, "done");
  const hasty = open();
  const cut = outcomeOf(hasty`select pg_sleep(60)`);
  await hasty`select 1`;
  await hasty.end({ timeout: 0.1 });
  assert.equal(await within(1000, cut, "the statement to be cut off"), "unavailable");
});
