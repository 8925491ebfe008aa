import assert from "node:assert/strict";
import { useTestPostgres, waitFor } from "../../tests/harness.ts";
import { startTestNats } from "../../tests/support/nats.ts";
import { MAX_PAYLOAD } from "../broker/limits.ts";
import { migrate, openDatabase } from "./db.ts";
import { createLogger, silentLogger } from "../service/log.ts";
import { ensureEventStream } from "../broker/event_stream.ts";
import { recordOperatorChanges } from "./audit.ts";
import { parseEvent } from "../messages/events.ts";
import type { BrokerConnection } from "../broker/connection.ts";
import { createEventOutbox, createOutbox, openChange } from "./outbox.ts";
import { createOutboxOrder, type OutboxRow, SWEEP_BATCH } from "./outbox_order.ts";
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
    warnings: () => written.filter((line) => JSON.parse(line).level === "warn").length,
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

Deno.test("sweep() publishes what is left of a noun when one of another noun is refused", async () => {
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

/** The roles and users that events tell of from now on, in the order in which they come. */
function hearEvents(nc: BrokerConnection): string[] {
  const heard: string[] = [];
  nc.subscribe(subjects.allEvents(), {
    callback(_error, { subject, data }) {
      const event = parseEvent(subject, data)!;
      if (event.name === "role.changed") heard.push(`role ${event.data.role_id}`);
      if (event.name === "user.changed") heard.push(`user ${event.data.user_id}`);
    },
  });
  return heard;
}

Deno.test("what follows a message that could not be published waits for it; another noun does not", async () => {
  const { db, nc, log, warnings, stop } = await startTest();
  const jetstream = nc.jetstream();
  const outbox = createOutbox({ db, jetstream, log, service: "identity", sweepEveryMs: 1e9 });
  const tellRole = (role_id: number) =>
    outbox.change(({ emit }) => Promise.resolve(emit("role.changed", { role_id })));
  // There is no stream yet that takes the first one.
  const before = warnings();
  await tellRole(1);
  await waitFor(() => warnings() === before + 1, { what: "the refusal" });
  await ensureEventStream(nc);
  const heard = hearEvents(nc);
  await tellRole(2);
  await outbox.change(({ emit }) =>
    Promise.resolve(emit("user.changed", { user_id: 7, organization_id: 1 }))
  );
  await waitFor(async () => await outbox.backlog() === 2, { what: "the user's event" });
  assert.deepEqual(heard, ["user 7"]);
  assert.equal(await outbox.sweep(), 2);
  await waitFor(() => heard.length === 3, { what: "the roles' events" });
  assert.deepEqual(heard, ["user 7", "role 1", "role 2"]);
  // And from then on they go at once.
  await tellRole(3);
  await waitFor(() => heard.length === 4, { what: "the last event" });
  assert.equal(heard[3], "role 3");
  await outbox.stop();
  await stop();
});

Deno.test("a message that the broker never takes holds up its noun for a time, and stays", async () => {
  const { db, nc, stop } = await startTest();
  await ensureEventStream(nc);
  const manager = await nc.jetstreamManager();
  await manager.streams.update(STREAMS.events, { max_msg_size: 500 });
  let now = 0;
  const refused: string[] = [];
  const order = createOutboxOrder({
    db,
    clock: () => now,
    async publish({ id, subject, payload }) {
      await nc.jetstream().publish(subject, payload, { msgID: id }).catch((error) => {
        refused.push(subject);
        throw error;
      });
    },
  });
  const subject = (verb: string) => subjects.event("role", verb);
  const tell = async (verb: string, payload: string) => {
    const [row] = await db<OutboxRow[]>`
      insert into outbox ${db({ subject: subject(verb), payload })} returning id, subject, payload`;
    return await order.publishNew(row!);
  };
  await assert.rejects(tell("large", JSON.stringify("x".repeat(1000))), /message size/);
  assert.equal(await tell("second", "{}"), false);
  await assert.rejects(order.sweep(), /message size/);
  now = 59_000;
  await assert.rejects(order.sweep(), /message size/);
  const size = async () => (await manager.streams.info(STREAMS.events)).state.messages;
  assert.equal(await size(), 0);
  now = 61_000;
  await assert.rejects(order.sweep(), /message size/);
  assert.equal(await size(), 1);
  assert.equal(await tell("third", "{}"), true, "goes at once");
  assert.equal(await size(), 2);
  const left = await db<{ subject: string }[]>`select subject from outbox order by id`;
  assert.deepEqual(left.map((row) => row.subject), [subject("large"), subject("third")]);
  assert.equal(refused.length, 4);
  // Once the broker takes it, it goes.
  await manager.streams.update(STREAMS.events, { max_msg_size: -1 });
  await db`delete from outbox where subject = ${subject("third")}`;
  await db`update outbox set created_at = now() - interval '1 minute'`;
  assert.equal(await order.sweep(), 1);
  assert.equal(await size(), 3);
  await stop();
});

Deno.test("what a sweep leaves of a noun goes first, also when another noun's is refused", async () => {
  const { db, stop } = await startTest();
  const order = createOutboxOrder({
    db,
    publish: ({ subject }) =>
      subject === subjects.event("user", "changed")
        ? Promise.reject(new Error("not this one"))
        : Promise.resolve(),
  });
  const insert = async (noun: string, count: number) => {
    const rows = Array.from({ length: count }, () => ({
      subject: subjects.event(noun, "changed"),
      payload: "{}",
    }));
    return await db<OutboxRow[]>`
      insert into outbox ${db(rows)} returning id, subject, payload`;
  };
  await insert("role", SWEEP_BATCH + 1);
  await insert("user", 1);
  await db`update outbox set created_at = now() - interval '1 minute'`;
  await assert.rejects(order.sweep(), /not this one/);
  const [newer] = await insert("role", 1);
  assert.equal(await order.publishNew(newer!), false, "one is before it");
  await assert.rejects(order.sweep(), /not this one/);
  const left = await db<OutboxRow[]>`select subject from outbox`;
  assert.deepEqual(left.map(({ subject }) => subject), [subjects.event("user", "changed")]);
  await stop();
});

Deno.test("what is committed after the connection was lost waits for what was on its way", async () => {
  const { db, stop } = await startTest();
  const sent: string[] = [];
  const answers: (() => void)[] = [];
  const order = createOutboxOrder({
    db,
    publish({ id }) {
      sent.push(id);
      return new Promise<void>((resolve) => answers.push(resolve));
    },
  });
  const insert = async () => {
    const payload = { subject: subjects.event("role", "changed"), payload: "{}" };
    const [row] = await db<OutboxRow[]>`
      insert into outbox ${db(payload)} returning id, subject, payload`;
    return row!;
  };
  const [first, second] = [await insert(), await insert()];
  const underWay = order.publishNew(first);
  order.lost();
  assert.equal(await order.publishNew(second), false);
  assert.deepEqual(sent, [first.id]);
  const swept = order.sweep();
  for (const times of [2, 3]) {
    await waitFor(() => sent.length === times, { what: "the next message" });
    answers[times - 1]!();
  }
  assert.equal(await swept, 2);
  assert.deepEqual(sent, [first.id, first.id, second.id]);
  answers[0]!();
  assert.equal(await underWay, true);
  const third = order.publishNew(await insert());
  await waitFor(() => sent.length === 4, { what: "the third" });
  answers[3]!();
  assert.equal(await third, true);
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
