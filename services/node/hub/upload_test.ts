import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { upload } from "./upload.ts";

Deno.test("upload() gives up a connection on which nothing moves any more", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const piece = new Uint8Array(1000);
    const sending = upload(`http://127.0.0.1:${port}/`, {
      content: {
        size: 1000,
        async *pieces() {
          yield piece;
        },
      },
      way: {},
      headers: {},
      signal: new AbortController().signal,
      silenceMs: 100,
    });
    await assert.rejects(sending, /nothing moved for 0\.1 s/);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
