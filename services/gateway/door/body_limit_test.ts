import assert from "node:assert/strict";
import { createApp } from "../../../shared/contract/app.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { limitBody, limitSecrets, readBody, withBody } from "./body_limit.ts";
import { createHeldBytes } from "./held_bytes.ts";

const MEGABYTE = { bytes: 1_000_000, setting: "SEXTANT_MAX" };
const OPTIONS = { limit: MEGABYTE, atEnd: () => Promise.resolve() };

function post(body: BodyInit, headers: HeadersInit = {}) {
  return new Request("http://hub/api/task", { method: "POST", body, headers });
}

function stream(chunks: number, size: number) {
  let left = chunks;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new Uint8Array(size));
      else controller.close();
    },
  });
}

Deno.test("limitBody() refuses a declared length at once", () => {
  assert.throws(() => limitBody(post("x", { "content-length": "2000000" }), OPTIONS), {
    status: 413,
  });
});

Deno.test("limitBody() stops a body that does not say how long it is", async () => {
  const limited = limitBody(post(stream(20, 100_000)), OPTIONS);
  await assert.rejects(limited.arrayBuffer(), { status: 413 });
});

Deno.test("limitBody() lets a body of the allowed length pass unchanged", async () => {
  const limited = limitBody(post(stream(10, 100_000)), OPTIONS);
  assert.equal((await limited.arrayBuffer()).byteLength, 1_000_000);
});

Deno.test("limitBody() fails at the end of a body whose sender lost the right to send it", async () => {
  const atEnd = () => Promise.reject(new SextantError("unauthenticated", "Gone."));
  const limited = limitBody(post(stream(2, 10)), { ...OPTIONS, atEnd });
  await assert.rejects(limited.arrayBuffer(), { status: 401 });
});

Deno.test("limitBody() ends what comes too slowly, and waits for whoever takes it", async () => {
  let cancelled = false;
  const stalled = new ReadableStream({
    start: (to) => to.enqueue(new Uint8Array(10)),
    cancel: () => void (cancelled = true),
  });
  const limited = limitBody(post(stalled), { ...OPTIONS, patienceMs: 100 });
  await assert.rejects(limited.arrayBuffer(), {
    status: 408,
    message: /did not arrive in time: within 0.1 seconds, .* 8 KiB in each further second/,
  });
  assert.ok(cancelled);
  const whole = limitBody(post(stream(5, 10)), { ...OPTIONS, patienceMs: 100 });
  let passed = 0;
  for await (const piece of whole.body!) {
    passed += piece.length;
    // As a service does that has much to do.
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  assert.equal(passed, 50);
});

Deno.test("readBody() keeps what came and passes it on unchanged", async () => {
  for (const [chunks, size] of [[10, 100_000], [1, 5], [0, 0]] as const) {
    const request = post(stream(chunks, size));
    const body = await readBody(request, { limit: MEGABYTE });
    assert.equal(body.size, chunks * size);
    assert.equal((await withBody(request, body).arrayBuffer()).byteLength, chunks * size);
  }
});

Deno.test("readBody() refuses what is too large, declared or not, and names the setting", async () => {
  for (const body of [stream(11, 100_000), "x".repeat(1_000_001)]) {
    const headers = typeof body === "string" ? { "content-length": String(body.length) } : {};
    await assert.rejects(readBody(post(body, headers), { limit: MEGABYTE }), {
      status: 413,
      message: /SEXTANT_MAX/,
    });
  }
});

/** A body that pauses for good after so many bytes. */
function stalled(bytes: number) {
  return new ReadableStream({ start: (to) => to.enqueue(new Uint8Array(bytes)) });
}

Deno.test("readBody() does not wait for a body that comes too slowly, whatever it has sent", async () => {
  const held = createHeldBytes({ maxBody: 100, small: 0 });
  const body = held.bodyOf({ kind: "user", id: 1, organization_id: 1 });
  const slow = readBody(post(stalled(100)), { limit: MEGABYTE, patienceMs: 20, held: body });
  await assert.rejects(slow, { status: 408, message: /within 0.02 seconds/ });
  body.giveBack();
  held.bodyOf({ kind: "user", id: 1, organization_id: 1 }).take(200); // all was given back
});

Deno.test("readBody() gives up whoever stops, however much came before", async () => {
  const limit = { bytes: 8 * 2 ** 20 };
  const began = performance.now();
  // What came is worth two minutes at the slowest rate there may be.
  const much = readBody(post(stalled(limit.bytes - 16)), { limit, patienceMs: 50 });
  await assert.rejects(much, { status: 408 });
  assert.ok(performance.now() - began < 30_000);
});

Deno.test("readBody() takes a body that comes for longer than its patience, but fast enough", async () => {
  let left = 60;
  const steady = new ReadableStream({
    async pull(to) {
      await new Promise((next) => setTimeout(next, 10));
      if (left-- > 0) to.enqueue(new Uint8Array(16_000));
      else to.close();
    },
  });
  const began = performance.now();
  const body = await readBody(post(steady), { limit: MEGABYTE, patienceMs: 500 });
  assert.equal(body.size, 960_000);
  assert.ok(performance.now() - began > 500);
});

Deno.test("readBody() refuses what there is no room for, until others are done", async () => {
  const limit = { bytes: 100 };
  const held = createHeldBytes({ maxBody: limit.bytes, small: 0 });
  const bodies = Array.from({ length: 8 }, (_, n) => (
    held.bodyOf({ kind: "user", id: n, organization_id: n })
  ));
  for (const body of bodies) await readBody(post(stream(1, 100)), { limit, held: body });
  const ninth = held.bodyOf({ kind: "user", id: 9, organization_id: 9 });
  await assert.rejects(readBody(post(stream(2, 30)), { limit, held: ninth }), { status: 503 });
  ninth.giveBack();
  bodies[0]!.giveBack();
  const last = held.bodyOf({ kind: "user", id: 9, organization_id: 9 });
  assert.equal((await readBody(post(stream(3, 30)), { limit, held: last })).size, 90);
});

Deno.test("readBody() says that a body broke off", async () => {
  const broken = new ReadableStream({ start: (to) => to.error(new Error("reset")) });
  await assert.rejects(readBody(post(broken), { limit: MEGABYTE }), { status: 400 });
});

Deno.test("limitSecrets() takes 16 KiB, declared or not, and leaves the body to the handler", async () => {
  const app = createApp(silentLogger);
  app.use(limitSecrets());
  app.post("/api/*", async (c) => c.json((await c.req.arrayBuffer()).byteLength));
  const send = (path: string, body: BodyInit) => app.request(path, { method: "POST", body });
  for (const path of ["/api/token/user", "/api/recover/lost", "/api/password/change"]) {
    assert.equal(await (await send(path, stream(16, 1024))).json(), 16 * 1024);
    for (const body of [stream(17, 1024), "x".repeat(17 * 1024)]) {
      const refused = await send(path, body);
      assert.equal(refused.status, 413);
      assert.match((await refused.json()).msg, /16 KiB/);
    }
  }
  assert.equal((await send("/api/task", stream(17, 1024))).status, 200);
});
