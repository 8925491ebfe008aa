import assert from "node:assert/strict";
import { createApp } from "../../../shared/contract/app.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { limitBody, limitSecrets } from "./body_limit.ts";

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
  assert.throws(() => limitBody(post("x", { "content-length": "2000000" }), 1_000_000), {
    status: 413,
  });
});

Deno.test("limitBody() stops a body that does not say how long it is", async () => {
  const limited = limitBody(post(stream(20, 100_000)), 1_000_000);
  await assert.rejects(limited.arrayBuffer(), { status: 413 });
});

Deno.test("limitBody() lets a body of the allowed length pass unchanged", async () => {
  const limited = limitBody(post(stream(10, 100_000)), 1_000_000);
  assert.equal((await limited.arrayBuffer()).byteLength, 1_000_000);
});

Deno.test("limitSecrets() takes 16 KiB, declared or not, and leaves the body to the handler", async () => {
  const app = createApp(silentLogger);
  app.use(limitSecrets);
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
