import assert from "node:assert/strict";
import { requestJudged } from "./http_request.ts";
import { createStoreClient } from "./client.ts";

const request = { method: "GET", headers: {}, timeoutMs: 5000 };

function serve(answer: (request: Request) => Response | Promise<Response>) {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, answer);
}

Deno.test("requestJudged() connects to the judged address, whatever the host's name leads to", async () => {
  const server = serve(({ headers }) => new Response(headers.get("host")));
  const url = new URL(`http://no-such-host.invalid:${server.addr.port}/api`);
  const answer = await requestJudged({ ...request, url, addresses: ["127.0.0.1"] });
  assert.deepEqual(answer, { status: 200, text: url.host });
  await server.shutdown();
});

Deno.test("a store's name is resolved once: what it leads to afterwards is never asked", async () => {
  const server = serve(() => Response.json({ id: 1 }, { status: 201 }));
  let asked = 0;
  const client = createStoreClient({
    // Nobody answers at the first address, which is fit; a second look would find the machine
    // itself.
    resolve: () => Promise.resolve([asked++ === 0 ? "198.51.100.1" : "127.0.0.1"]),
    timeoutMs: 300,
  });
  const call = {
    storeUrl: `http://localhost.example:${server.addr.port}/api`,
    serverUrl: "https://sextant.example/api",
    authorization: "Bearer abc",
    force: false,
  };
  await assert.rejects(client.register(call), /cannot be reached/);
  assert.equal(asked, 1);
  await assert.rejects(client.register(call), /on the server's own machine/);
  await server.shutdown();
});

Deno.test("requestJudged() sends a body whole, and follows no redirect", async () => {
  const text = "é".repeat(10_000);
  const server = serve(async (given) =>
    new Response(`${given.method} ${(await given.text()).length}`, {
      status: 307,
      headers: { location: "/elsewhere" },
    })
  );
  const url = new URL(`http://127.0.0.1:${server.addr.port}/api`);
  const sent = { ...request, method: "POST", body: text, url, addresses: ["127.0.0.1"] };
  assert.deepEqual(await requestJudged(sent), { status: 307, text: "POST 10000" });
  await server.shutdown();
});

Deno.test("requestJudged() gives up when an answer is not finished in time", async () => {
  const held = Promise.withResolvers<void>();
  const server = serve(() =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          controller.enqueue(new TextEncoder().encode("begun"));
          await held.promise;
          controller.close();
        },
      }),
    )
  );
  const url = new URL(`http://127.0.0.1:${server.addr.port}/api`);
  const slow = { ...request, url, addresses: ["127.0.0.1"], timeoutMs: 200 };
  await assert.rejects(requestJudged(slow));
  held.resolve();
  await server.shutdown();
});
