import assert from "node:assert/strict";
import { limitBody } from "./body_limit.ts";

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
