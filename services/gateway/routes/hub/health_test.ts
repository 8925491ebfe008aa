import assert from "node:assert/strict";
import { waitFor } from "../../../../tests/harness.ts";
import { type OwnNats, startOwnNats } from "../../../../tests/support/nats.ts";
import { startTestServices, type TestServices } from "../../../../tests/support/services.ts";

interface Health {
  status: number;
  body: {
    database: boolean;
    msg: string;
    services: Record<string, { ok: boolean; reason?: string }>;
  };
}

async function withHub(
  options: Parameters<typeof startOwnNats>[0],
  use: (hub: { nats: OwnNats; services: TestServices; health: () => Promise<Health> }) => Promise<
    void
  >,
): Promise<void> {
  const nats = await startOwnNats(options);
  const services = await startTestServices({ nats });
  const { port } = services.gateway.address as Deno.NetAddr;
  async function health(): Promise<Health> {
    const response = await fetch(`http://127.0.0.1:${port}/api/health`);
    return { status: response.status, body: await response.json() };
  }
  try {
    await use({ nats, services, health });
  } finally {
    await services.stop();
    await nats.stop();
  }
}

/** Something happens that is to be told. */
async function change({ task }: TestServices): Promise<void> {
  const ids = { task_id: 1, collaboration_id: 1, init_org_id: 1, init_user_id: 1 };
  await task.deps.outbox.change(({ emit }) => Promise.resolve(emit("task.deleted", ids)));
  await task.deps.db`update outbox set created_at = now() - interval '1 minute'`;
}

Deno.test("GET /health says that JetStream is ill when the broker has it switched off", () =>
  withHub({}, async ({ nats, services, health }) => {
    assert.equal((await health()).status, 200);
    await nats.kill9();
    await nats.configure((config) => config.replace(/jetstream \{[^}]*\}/, ""));
    await nats.start();
    const { body } = await waitFor(async () => {
      const answer = await health();
      return answer.body.database && answer.status === 503 ? answer : undefined;
    }, { what: "the services to be back, without JetStream", timeout: 30_000 });
    assert.equal(body.services.task!.ok, true);
    assert.equal(body.services.jetstream!.ok, false);
    assert.match(body.msg, /jetstream: JetStream does not answer/);
    await change(services);
    const later = await waitFor(async () => {
      const { body: { services: { task } } } = await health();
      return task?.ok === false ? task : undefined;
    }, { what: "the outbox of task to be ill" });
    assert.match(later.reason!, /its outbox: 1 messages wait to be told, the oldest for \d+ s/);
  }));

Deno.test("GET /health says that the outbox is ill, and why, when the broker's store is full", () =>
  withHub({ maxFileStore: "70MB" }, async ({ nats, services, health }) => {
    assert.equal((await health()).status, 200);
    const { nc: fill } = await nats.owner();
    const manager = await fill.jetstreamManager();
    await manager.streams.add({ name: "FILL", subjects: ["fill"] });
    const jetstream = fill.jetstream();
    const piece = new Uint8Array(1_000_000);
    await assert.rejects(async () => {
      for (let n = 0; n < 200; n++) await jetstream.publish("fill", piece);
    });
    await change(services);
    const { body } = await waitFor(async () => {
      const answer = await health();
      return answer.body.services.task?.ok === false ? answer : undefined;
    }, { what: "the outbox to be ill" });
    assert.equal(body.database, true);
    assert.match(body.msg, /task: its outbox: \d+ messages wait to be told, the oldest for \d+ s/);
  }));
