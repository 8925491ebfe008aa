import assert from "node:assert/strict";
import { z } from "zod";
import { startTestNats, type TestNats } from "../../tests/support/nats.ts";
import { SextantError } from "../service/errors.ts";
import { callRpc, serveRpc } from "./rpc.ts";

let nats: TestNats;
Deno.test.beforeAll(async () => {
  nats = await startTestNats();
});
Deno.test.afterAll(() => nats.stop());

const double = { input: z.object({ n: z.number() }), handler: ({ n }: { n: number }) => n * 2 };
const code = (expected: string) => (error: unknown) =>
  error instanceof SextantError && error.code === expected;

Deno.test("callRpc() brings the answer of any replica, and all of them answer", async () => {
  const { nc: gateway } = await nats.service("gateway");
  const asked = [0, 0];
  const servers = await Promise.all(asked.map(async (_, replica) => {
    const { nc } = await nats.service("identity");
    const server = serveRpc(nc, "identity", {
      double: { ...double, handler: ({ n }) => (asked[replica]!++, n * 2) },
    });
    await nc.flush();
    return server;
  }));
  for (let n = 0; n < 60; n++) {
    assert.equal(await callRpc(gateway, "identity", "double", { n }, z.number()), n * 2);
  }
  assert.ok(asked.every((count) => count > 5), `shares: ${asked}`);
  await Promise.all(servers.map((server) => server.stop()));
});

Deno.test("callRpc() throws what the handler threw, and hides what is not for others", async () => {
  const { nc } = await nats.service("task");
  const server = serveRpc(nc, "task", {
    expected: {
      input: z.unknown(),
      handler: () => {
        throw new SextantError("not_found", "There is no task 5.");
      },
    },
    unexpected: {
      input: z.unknown(),
      handler: () => {
        throw new Error("password is 123");
      },
    },
    double,
  });
  const ask = (method: string, input: unknown = {}) =>
    callRpc(nc, "task", method, input, z.unknown());
  await assert.rejects(ask("expected"), { code: "not_found", message: "There is no task 5." });
  await assert.rejects(ask("unexpected"), (error: SextantError) => {
    return error.code === "internal" && !error.message.includes("123");
  });
  await assert.rejects(ask("double", { n: "x" }), code("invalid_request"));
  await assert.rejects(ask("toString"), code("not_found"));
  await assert.rejects(callRpc(nc, "task", "double", { n: 1 }, z.string()), code("internal"));
  await server.stop();
});

Deno.test("callRpc() waits for a replica to appear, and says so when none does", async () => {
  const { nc } = await nats.service("collaboration");
  const early = callRpc(nc, "collaboration", "double", { n: 4 }, z.number());
  const server = serveRpc(nc, "collaboration", { double });
  assert.equal(await early, 8);
  await server.stop();
  const began = performance.now();
  await assert.rejects(
    callRpc(nc, "collaboration", "double", { n: 4 }, z.number()),
    (error: SextantError) =>
      error.code === "unavailable" && error.message.includes("collaboration service"),
  );
  assert.ok(performance.now() - began < 4000);
});

Deno.test("callRpc() gives up on a silent handler after its time", async () => {
  const { nc } = await nats.service("task");
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = serveRpc(nc, "task", { slow: { input: z.unknown(), handler: () => promise } });
  const asked = callRpc(nc, "task", "slow", {}, z.number(), { timeoutMs: 50 });
  await assert.rejects(asked, code("timeout"));
  resolve(1);
  await server.stop();
});

Deno.test("serveRpc() answers into inboxes of services only, and lives on after malformed questions", async () => {
  const { nc } = await nats.service("task");
  const heard: string[] = [];
  const server = serveRpc(nc, "task", { double });
  // A right that the task service has, and so what an answer there would reach.
  nc.subscribe("event.>", { callback: (_, message) => heard.push(message.subject) });
  nc.publish("rpc.task.double", '{"n":1}', { reply: "event.task.created" });
  nc.publish("rpc.task.double", '{"n":1}');
  nc.publish("rpc.task.double", new Uint8Array([0xff, 0xfe]), { reply: "_INBOX.task.x" });
  assert.equal(await callRpc(nc, "task", "double", { n: 3 }, z.number()), 6);
  await nc.flush();
  assert.deepEqual(heard, []);
  await server.stop();
});

Deno.test("stop() waits for the answers under way", async () => {
  const { nc } = await nats.service("task");
  const { promise, resolve } = Promise.withResolvers<number>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const server = serveRpc(nc, "task", {
    slow: { input: z.unknown(), handler: () => (begin(), promise) },
  });
  const asked = callRpc(nc, "task", "slow", {}, z.number());
  await begun;
  const stopped = server.stop();
  resolve(7);
  assert.equal(await asked, 7);
  await stopped;
});

Deno.test("callRpc() brings answers of any size, each whole, side by side", async () => {
  const { nc: asker } = await nats.service("gateway");
  const { nc } = await nats.service("collaboration");
  let asked = 0;
  const list = {
    input: z.object({ nodes: z.number(), name: z.string() }),
    handler: ({ nodes, name }: { nodes: number; name: string }) => {
      asked++;
      return Array.from(
        { length: nodes },
        (_, id) => ({ id, name: `${name} ü ${id}`, status: null }),
      );
    },
  };
  const server = serveRpc(nc, "collaboration", { list });
  const output = z.array(z.object({ id: z.number(), name: z.string(), status: z.null() }));
  const sizes = [10, 5500, 100_000];
  const answers = await Promise.all(
    sizes.map((nodes, index) =>
      callRpc(asker, "collaboration", "list", { nodes, name: `hub ${index}` }, output)
    ),
  );
  for (const [index, answer] of answers.entries()) {
    const last = sizes[index]! - 1;
    assert.equal(answer.length, last + 1);
    assert.deepEqual(answer[last], { id: last, name: `hub ${index} ü ${last}`, status: null });
  }
  assert.ok(asked < 2 * sizes.length, "what fits is asked for once");
  await server.stop();
});
