import assert from "node:assert/strict";
import { createApp } from "../../../shared/contract/app.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { createHeldBytes, limitBody, limitSecrets, readBody, withBody } from "./body_limit.ts";

const MEGABYTE = { bytes: 1_000_000, setting: "SEXTANT_MAX" };

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
  assert.throws(() => limitBody(post("x", { "content-length": "2000000" }), MEGABYTE), {
    status: 413,
  });
});

Deno.test("limitBody() stops a body that does not say how long it is", async () => {
  const limited = limitBody(post(stream(20, 100_000)), MEGABYTE);
  await assert.rejects(limited.arrayBuffer(), { status: 413 });
});

Deno.test("limitBody() lets a body of the allowed length pass unchanged", async () => {
  const limited = limitBody(post(stream(10, 100_000)), MEGABYTE);
  assert.equal((await limited.arrayBuffer()).byteLength, 1_000_000);
});

Deno.test("limitBody() fails at the end of a body whose sender lost the right to send it", async () => {
  const atEnd = () => Promise.reject(new SextantError("unauthenticated", "Gone."));
  const limited = limitBody(post(stream(2, 10)), MEGABYTE, atEnd);
  await assert.rejects(limited.arrayBuffer(), { status: 401 });
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

Deno.test("readBody() does not wait for a body that comes too slowly, whatever it has sent", async () => {
  const stalled = new ReadableStream({ start: (to) => to.enqueue(new Uint8Array(100)) });
  const held = createHeldBytes(150);
  await assert.rejects(readBody(post(stalled), { limit: MEGABYTE, patienceMs: 20, held }), {
    status: 408,
    message: /within 0.02 seconds/,
  });
  held.take(150); // all was given back
});

Deno.test("readBody() refuses what there is no room for, until others are done", async () => {
  const held = createHeldBytes(150);
  const first = await readBody(post(stream(1, 100)), { limit: MEGABYTE, held });
  await assert.rejects(readBody(post(stream(2, 30)), { limit: MEGABYTE, held }), { status: 503 });
  held.giveBack(first.size);
  assert.equal((await readBody(post(stream(5, 30)), { limit: MEGABYTE, held })).size, 150);
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
