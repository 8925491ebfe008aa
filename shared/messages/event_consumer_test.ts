import assert from "node:assert/strict";
import { type OwnNats, startOwnNats } from "../../tests/support/nats.ts";
import { waitFor } from "../../tests/harness.ts";
import { consumeEvents, type EventConsumerOptions, retryAfterMs } from "./event_consumer.ts";
import type { SextantEvent } from "./events.ts";
import { silentLogger } from "../service/log.ts";
import { ensureEventStream } from "../broker/event_stream.ts";
import { subjects } from "../broker/subjects.ts";

async function startTest() {
  const nats: OwnNats = await startOwnNats();
  const { nc } = await nats.service("identity");
  await ensureEventStream(nc);
  let told = 0;
  return {
    nats,
    nc,
    /** Tells that an organization was deleted. */
    async tell(id: number) {
      const content = { at: new Date().toISOString(), data: { organization_id: id } };
      const subject = subjects.event("organization", "deleted");
      await nc.jetstream().publish(subject, JSON.stringify(content), { msgID: `t-${++told}` });
    },
  };
}

type Hearing = Partial<EventConsumerOptions> & { nc: EventConsumerOptions["nc"] };

/** A replica of collaboration that remembers which organizations it heard were deleted. */
function hear({ handle = async () => {}, ...options }: Hearing) {
  const heard: number[] = [];
  const consumer = consumeEvents({
    service: "collaboration",
    subject: "event.*.deleted",
    log: silentLogger,
    async handle(event: SextantEvent) {
      await handle(event);
      if (event.name === "organization.deleted") heard.push(event.data.organization_id);
    },
    ...options,
  });
  return { heard, stop: () => consumer.stop() };
}

Deno.test("consumeEvents() hears what was told while nobody listened, and nothing twice after an acknowledgement", async () => {
  const { nats, nc: _, tell } = await startTest();
  await tell(1);
  const { nc } = await nats.service("collaboration");
  const first = hear({ nc });
  await waitFor(() => first.heard.length === 1, { what: "the event from before" });
  await tell(2);
  await waitFor(() => first.heard.length === 2, { what: "the event of now" });
  await nc.flush();
  await first.stop();
  await tell(3);
  const second = hear({ nc });
  await waitFor(() => second.heard.length > 0, { what: "the event told meanwhile" });
  await second.stop();
  assert.deepEqual([first.heard, second.heard], [[1, 2], [3]]);
  await nats.stop();
});

Deno.test("consumeEvents() brings an event again when its handler failed", async () => {
  const { nats, tell } = await startTest();
  const { nc } = await nats.service("collaboration");
  let failures = 0;
  const replica = hear({
    nc,
    handle: () => failures++ < 1 ? Promise.reject(new Error("no database")) : Promise.resolve(),
  });
  await tell(7);
  await waitFor(() => replica.heard.length === 1, { what: "the second attempt" });
  assert.equal(failures, 2);
  await replica.stop();
  await nats.stop();
});

Deno.test("consumeEvents() gives an event to another replica when the one that took it is gone", async () => {
  const { nats, tell } = await startTest();
  const dying = await nats.service("collaboration");
  const taken = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const first = hear({
    nc: dying.nc,
    ackWaitMs: 1000,
    handle: () => (taken.resolve(), held.promise),
  });
  await tell(5);
  await taken.promise;
  await dying.nc.close();
  const { nc } = await nats.service("collaboration");
  const second = hear({ nc, ackWaitMs: 1000 });
  await waitFor(() => second.heard.length === 1, { what: "the other replica" });
  held.resolve();
  await Promise.all([first.stop(), second.stop()]);
  await nats.stop();
});

Deno.test("consumeEvents() shares events among replicas: each is heard once", async () => {
  const { nats, tell } = await startTest();
  const replicas = [
    hear({ nc: (await nats.service("collaboration")).nc }),
    hear({ nc: (await nats.service("collaboration")).nc }),
  ];
  const ids = Array.from({ length: 50 }, (_, index) => index + 1);
  for (const id of ids) await tell(id);
  const heard = () => replicas.flatMap((replica) => replica.heard);
  await waitFor(() => heard().length >= ids.length, { what: "all events" });
  assert.deepEqual(heard().sort((a, b) => a - b), ids);
  await Promise.all(replicas.map((replica) => replica.stop()));
  await nats.stop();
});

Deno.test("consumeEvents() passes over what it cannot read, and goes on", async () => {
  const { nats, nc: identity, tell } = await startTest();
  for (const garbage of ["", "{", '{"at":1}', '{"at":"x","data":{"organization_id":"1"}}']) {
    await identity.jetstream().publish(subjects.event("organization", "deleted"), garbage);
  }
  await identity.jetstream().publish("event.unheard.deleted", "{}");
  await tell(9);
  const replica = hear({ nc: (await nats.service("collaboration")).nc });
  await waitFor(() => replica.heard.length === 1, { what: "the event after the garbage" });
  await replica.stop();
  await nats.stop();
});

Deno.test("consumeEvents() goes on after the broker was killed, and catches up when its files are lost", async () => {
  const { nats, nc: identity, tell } = await startTest();
  let caughtUp = 0;
  const replica = hear({
    nc: (await nats.service("collaboration")).nc,
    catchUp: () => Promise.resolve(void caughtUp++),
  });
  await waitFor(() => caughtUp === 1, { what: "the look around at the start" });
  await nats.kill9();
  await nats.start();
  await waitFor(() => tell(1).then(() => true), { what: "the broker" });
  await waitFor(() => replica.heard.includes(1), { what: "an event", timeout: 20_000 });
  assert.equal(caughtUp, 1);

  await nats.kill9();
  await nats.loseStreams();
  await nats.start();
  await waitFor(() => caughtUp === 2, { what: "the second look around", timeout: 30_000 });
  await waitFor(() => ensureEventStream(identity).then(() => true), { what: "the stream" });
  await tell(2);
  await waitFor(() => replica.heard.includes(2), { what: "an event in the new stream" });
  await replica.stop();
  await nats.stop();
});

Deno.test("retryAfterMs() doubles with each failure, up to a minute", () => {
  assert.deepEqual([1, 2, 3, 6, 7, 1000].map(retryAfterMs), [
    1000,
    2000,
    4000,
    32_000,
    60_000,
    60_000,
  ]);
});
