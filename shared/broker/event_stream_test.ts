import assert from "node:assert/strict";
import { startOwnNats, startTestNats } from "../../tests/support/nats.ts";
import { ensureEventStream, EVENT_LIMITS, lower } from "./event_stream.ts";

Deno.test("ensureEventStream() bounds the stream, also one from before it had bounds", async () => {
  const nats = await startTestNats();
  const { nc } = await nats.service("task");
  const manager = await nc.jetstreamManager();
  const bounds = async () => {
    const { max_age, max_bytes, max_msgs_per_subject } = (await manager.streams.info("EVENTS"))
      .config;
    return { max_age, max_bytes, max_msgs_per_subject };
  };
  await manager.streams.add({ name: "EVENTS", subjects: ["event.>"] });
  await nc.jetstream().publish("event.task.created", "{}");
  await ensureEventStream(nc);
  assert.deepEqual(await bounds(), EVENT_LIMITS);
  assert.equal((await manager.streams.info("EVENTS")).state.messages, 1);
  // What an operator has set lower stays.
  await manager.streams.update("EVENTS", { max_bytes: 2 ** 20 });
  await ensureEventStream(nc);
  assert.deepEqual(await bounds(), { ...EVENT_LIMITS, max_bytes: 2 ** 20 });
  await nats.stop();
});

Deno.test("ensureEventStream() takes less of a broker that has less room", async () => {
  const nats = await startOwnNats({ maxFileStore: "300MB" });
  const { nc } = await nats.service("identity");
  const told: unknown[] = [];
  await ensureEventStream(nc, { warn: (_, fields) => void told.push(fields) });
  const manager = await nc.jetstreamManager();
  assert.equal((await manager.streams.info("EVENTS")).config.max_bytes, 2 ** 28);
  assert.equal(told.length, 2);
  await nats.stop();
});

Deno.test("lower() takes no bound for the highest", () => {
  const none = { max_age: 0, max_bytes: -1, max_msgs_per_subject: -1 };
  assert.deepEqual(lower(EVENT_LIMITS, none), EVENT_LIMITS);
  const less = { max_age: 1, max_bytes: 2, max_msgs_per_subject: 2 ** 40 };
  assert.deepEqual(lower(EVENT_LIMITS, less), {
    max_age: 1,
    max_bytes: 2,
    max_msgs_per_subject: EVENT_LIMITS.max_msgs_per_subject,
  });
});
