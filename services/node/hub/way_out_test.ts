import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { startForwardProxy } from "../../../tests/support/forward_proxy.ts";
import { createWayOut, type WayOutSettings } from "./way_out.ts";

const settings: WayOutSettings = {
  secureProxy: new URL("http://reader:secret@secure.example:3128"),
  plainProxy: new URL("http://plain.example:3128"),
  noProxy: ["hub.example"],
  authorities: [],
};

Deno.test("WayOut.proxyOf() goes by the scheme and what is reached directly, and tells no password", () => {
  const { proxyOf } = createWayOut(settings);
  assert.equal(proxyOf("https://a.example"), "http://reader@secure.example:3128");
  assert.equal(proxyOf("wss://a.example/x"), "http://reader@secure.example:3128");
  assert.equal(proxyOf("ws://a.example"), "http://plain.example:3128");
  assert.equal(proxyOf("https://hub.example/api"), undefined);
  assert.equal(createWayOut().proxyOf("https://a.example"), undefined);
});

Deno.test("WayOut adds authorities to the public ones, and takes none of those away", () => {
  const { ca } = createWayOut({ ...settings, authorities: ["mine"] }).socketOptions("wss://x");
  assert.ok(ca!.length > 50);
  assert.equal(ca!.at(-1), "mine");
  assert.equal(createWayOut(settings).socketOptions("https://hub.example").ca, undefined);
});

Deno.test("WayOut sends plain HTTP through a proxy in the form that proxies know, over either stack", async () => {
  const server = createServer((incoming, answer) => answer.end(`for ${incoming.url}`));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = await startForwardProxy({ login: "reader:p@ss" });
  proxy.routes.set("hub.test:80", (server.address() as AddressInfo).port);
  const plainProxy = new URL(`http://reader:p%40ss@${proxy.address}`);
  const wayOut = createWayOut({ ...settings, plainProxy });
  try {
    assert.equal(await (await wayOut.fetch("http://hub.test/a")).text(), "for /a");
    const text = await new Promise<string>((resolve, reject) => {
      const asked = request(
        "http://hub.test/b",
        wayOut.socketOptions("http://hub.test/b"),
        (answer) => {
          let text = "";
          answer.setEncoding("utf8");
          answer.on("data", (piece: string) => text += piece);
          answer.on("end", () => resolve(text));
        },
      );
      asked.on("error", reject);
      asked.end();
    });
    assert.equal(text, "for /b");
    assert.deepEqual(proxy.passed, ["GET http://hub.test/a", "GET http://hub.test/b"]);
  } finally {
    wayOut.close();
    await proxy.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
