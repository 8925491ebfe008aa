import assert from "node:assert/strict";
import { useTestPostgres, waitFor } from "../../tests/harness.ts";
import { startTestNats } from "../../tests/support/nats.ts";
import { MAX_PAYLOAD } from "../broker/limits.ts";
import { migrate, openDatabase } from "./db.ts";
import { createLogger, silentLogger } from "../service/log.ts";
import { ensureEventStream } from "../broker/event_stream.ts";
import { recordOperatorChanges } from "./audit.ts";
import { createEventOutbox, createOutbox, openChange } from "./outbox.ts";
import { countRoundTrips } from "../../tests/support/round_trips.ts";
import { STREAMS, subjects } from "../broker/subjects.ts";

const postgres = useTestPostgres();
const TOO_LARGE = { text: "x".repeat(MAX_PAYLOAD) };

async function startTest() {
  const url = await postgres.newDatabase("identity");
  const db = openDatabase(url, { schema: "identity", log: silentLogger });
  await migrate(db, new URL("../../services/identity/schema/", import.meta.url), silentLogger);
  const nats = await startTestNats();
  const { nc } = await nats.service("identity");
  const written: string[] = [];
  const log = createLogger("identity", { write: (line) => written.push(line) });
  return {
    db,
    nc,
    log,
    errors: () => written.map((line) => JSON.parse(line)).filter((one) => one.level === "error"),
    async stop() {
      await nats.stop();
      await db.end({ timeout: 5 });
    },
  };
}

Deno.test("a message too large for the broker is dropped with an error in the log", async () => {
  const { db, nc, log, errors, stop } = await startTest();
  const outbox = await createEventOutbox({ db, nc, log, service: "identity", sweepEveryMs: 1e9 });
  const ids = {
    result_id: 1,
    task_id: 1,
    run_id: 1,
    collaboration_id: 1,
    organization_id: 1,
    init_org_id: 1,
    init_user_id: 1,
  };
  const log_piece = { ...ids, attempt: 1, seq: 0, lines: [TOO_LARGE.text] };
  await outbox.change(({ emit }) => Promise.resolve(emit("result.log", log_piece)));
  await waitFor(async () => await outbox.backlog() === 0, { what: "the end of the message" });
  assert.equal(errors().length, 1);
  assert.equal(errors()[0].subject, "event.result.log");
  assert.ok(errors()[0].bytes > MAX_PAYLOAD);
  await outbox.stop();
  await stop();
});

Deno.test("sweep() goes on after a message that is too large or refused by the broker", async () => {
  const { db, nc, log, stop } = await startTest();
  await ensureEventStream(nc);
  const jetstream = nc.jetstream();
  const outbox = createOutbox({ db, jetstream, log, service: "identity", sweepEveryMs: 1e9 });
  const rows = [
    { subject: subjects.event("a", "large"), payload: JSON.stringify(TOO_LARGE) },
    // Not this service's to publish.
    { subject: "dispatch.1", payload: "{}" },
    { subject: subjects.event("a", "good"), payload: "{}" },
  ];
  for (const row of rows) {
    await db`insert into outbox ${db({ ...row, created_at: new Date(Date.now() - 60_000) })}`;
  }
  await assert.rejects(outbox.sweep(), /Permissions Violation/i);
  const left = await db<{ subject: string }[]>`select subject from outbox`;
  assert.deepEqual(left.map((row) => row.subject), ["dispatch.1"]);
  const manager = await nc.jetstreamManager();
  assert.equal((await manager.streams.info(STREAMS.events)).state.messages, 1);
  await outbox.stop();
  await stop();
});

Deno.test("a change with a thousand events writes them and their records by one statement each, with the commit", async () => {
  const { db, stop } = await startTest();
  const operator = { name: "operator", uid: 0, host: "here" };
  let took = 0;
  const { count, statements } = await countRoundTrips(async () => {
    await db.begin(async (tx) => {
      const { change, store } = openChange(tx, () => new Date());
      await tx`select 1`;
      for (let role_id = 1; role_id <= 1000; role_id++) change.emit("role.changed", { role_id });
      took = performance.now();
      void store((tx, told) => recordOperatorChanges(tx, operator, told));
    });
    took = performance.now() - took;
  }, /^(?!begin|select 1|insert|commit)/);
  console.log(`1,000 events and records: ${Math.round(took)} ms until the locks are given back`);
  assert.deepEqual(
    statements.map((text) => text.split(" ").slice(0, 3).join(" ")),
    ["begin", "select 1", "insert into audit", "insert into outbox", "commit"],
  );
  assert.equal(count, 2);
  const [row] = await db`
    select count(*)::int as records, count(distinct id)::int as ids, min(object_id) as first,
      (select count(*)::int from outbox) as messages from audit where what = 'role.changed'`;
  assert.deepEqual({ ...row }, { records: 1000, ids: 1000, first: 1, messages: 1000 });
  await stop();
});
