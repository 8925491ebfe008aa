import assert from "node:assert/strict";
import { createHttpClient, serveHttp } from "../../../shared/http_over_nats/mod.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { ensureEventStream } from "../../../shared/broker/event_stream.ts";
import type { Principal } from "../../../shared/contract/permissions.ts";
import { startTestNats, type TestNats } from "../../../tests/support/nats.ts";
import { waitFor } from "../../../tests/harness.ts";
import { createGatewayApp } from "../app.ts";
import { closeDoor } from "./closing.ts";
import { createFeed } from "../live/feed.ts";

let nats: TestNats;
Deno.test.beforeAll(async () => {
  nats = await startTestNats();
});
Deno.test.afterAll(() => nats.stop());

const ANYBODY: Principal = {
  kind: "user",
  id: 1,
  username: "anybody",
  organization_id: 1,
  rules: [],
  collaborations: [],
};

/** A gateway on a port of its own, before a task service that answers with `fetch`. */
async function openDoor(fetch: () => Response | Promise<Response>) {
  const { nc: taskNc } = await nats.service("task");
  await ensureEventStream(taskNc);
  serveHttp({ nc: taskNc, service: "task", fetch, log: silentLogger });
  const { nc } = await nats.service("gateway");
  await Promise.all([taskNc.flush(), nc.flush()]);
  const feed = createFeed({ nc, log: silentLogger });
  const http = createHttpClient({ nc });
  const app = createGatewayApp({
    http,
    feed,
    principals: { of: () => Promise.resolve(ANYBODY), hear() {}, forget() {} },
    health: () => Promise.resolve({ database: true, services: {} }),
    log: silentLogger,
    corsOrigins: ["*"],
    maxBody: 2 ** 20,
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
  return {
    port: server.addr.port,
    close: (graceMs: number) => closeDoor({ server, feed, http, graceMs }),
    async [Symbol.asyncDispose]() {
      await Promise.all([nc.close(), taskNc.close()]);
    },
  };
}

Deno.test("closing waits for a request under way, and takes no new one", async () => {
  const { promise: answer, resolve } = Promise.withResolvers<Response>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  await using door = await openDoor(() => (begin(), answer));
  const url = `http://127.0.0.1:${door.port}/api/task`;
  const asked = fetch(url);
  await begun;
  const closing = door.close(60_000);
  await waitFor(() => fetch(url).then(() => false, () => true), { what: "the door to be shut" });
  resolve(new Response("done"));
  assert.equal(await (await asked).text(), "done");
  await closing;
});

Deno.test("closing breaks off a request that is held, and says so", async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  await using door = await openDoor(() => (begin(), new Promise<Response>(() => {})));
  const held = fetch(`http://127.0.0.1:${door.port}/api/task`);
  await begun;
  await door.close(50);
  const answer = await held;
  assert.equal(answer.status, 503);
  assert.match((await answer.json()).msg, /the gateway is closing/);
});

Deno.test("closing does not wait for a client that does not read", async () => {
  const chunk = new Uint8Array(64 * 1024);
  const endless = { pull: (it: ReadableStreamDefaultController) => it.enqueue(chunk) };
  await using door = await openDoor(() => new Response(new ReadableStream(endless)));
  const line = await Deno.connect({ hostname: "127.0.0.1", port: door.port });
  await line.write(new TextEncoder().encode("GET /api/task HTTP/1.1\r\nHost: x\r\n\r\n"));
  await line.read(new Uint8Array(1));
  await door.close(50);
  line.close();
});
