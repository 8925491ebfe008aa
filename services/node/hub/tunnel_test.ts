import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { openTunnel } from "./tunnel.ts";

/** A forward proxy that answers whatever it hears with the same bytes. */
async function startAnswering(answer: string) {
  const heard: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.once("data", (data) => {
      heard.push(new TextDecoder().decode(data));
      socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    proxy: new URL(`http://reader:p%40ss@127.0.0.1:${port}`),
    heard,
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

Deno.test("openTunnel() loses nothing of what the other side says at once", async () => {
  const { proxy, heard, stop } = await startAnswering("HTTP/1.1 200 OK\r\n\r\nSSH-2.0-first\r\n");
  try {
    const socket = await openTunnel("gate.test:22", { proxy });
    const first = await new Promise((resolve) => socket.once("data", resolve));
    assert.equal(new TextDecoder().decode(first as Uint8Array), "SSH-2.0-first\r\n");
    socket.destroy();
    assert.match(heard[0]!, /^CONNECT gate\.test:22 HTTP\/1\.1\r\n/);
    assert.ok(heard[0]!.includes(`proxy-authorization: Basic ${btoa("reader:p@ss")}`));
  } finally {
    await stop();
  }
});

Deno.test("openTunnel() says what a proxy answers that lets nothing through, and gives up when asked to", async () => {
  const refusing = await startAnswering("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
  const silent = await startAnswering("");
  try {
    const { proxy } = refusing;
    await assert.rejects(openTunnel("gate.test:22", { proxy }), /response: 403 Forbidden/);
    const signal = AbortSignal.timeout(50);
    await assert.rejects(openTunnel("gate.test:22", { proxy: silent.proxy, signal }), {
      name: "TimeoutError",
    });
  } finally {
    await refusing.stop();
    await silent.stop();
  }
});
