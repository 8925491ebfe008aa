import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { waitFor } from "../../../tests/harness.ts";
import type { GatewayDeps } from "../deps.ts";
import { createGatewayApp } from "../app.ts";

/** A gateway on a port of its own, which no request may get past unless a service is given. */
function openDoor(
  { known, request = () => assert.fail("a body that is not whole was passed on") }: {
    known: boolean;
    request?: GatewayDeps["http"]["request"];
  },
) {
  const app = createGatewayApp({
    http: { request, close() {} },
    principals: {
      of: () => Promise.resolve(known ? {} : undefined),
      hear() {},
      forget() {},
    } as unknown as GatewayDeps["principals"],
    health: () => Promise.resolve({ database: true, services: {} }),
    log: silentLogger,
    corsOrigins: ["*"],
    maxBody: 2 ** 20,
    bodyPatienceMs: 100,
  });
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
}

/** The answer to a request of which only a part of the body is sent. */
async function answerToPart(port: number, path: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const text = `POST /api${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"name":`;
  await connection.write(new TextEncoder().encode(text));
  let answer = "";
  const buffer = new Uint8Array(4096);
  while (!answer.includes("}")) {
    const count = await connection.read(buffer);
    if (count === null) break;
    answer += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return answer;
}

Deno.test("a body that does not come is answered 408, with what to do, on every kind of route", async () => {
  await using door = openDoor({ known: true });
  for (const path of ["/organization", "/token/user", "/recover/lost"]) {
    const answer = await answerToPart(door.addr.port, path);
    assert.match(answer, /^HTTP\/1\.1 408 /, path);
    assert.match(answer, /did not arrive in time/);
    assert.match(answer, /"code":"request_timeout"/);
  }
});

Deno.test("an upload that does not come on is answered 408", async () => {
  await using door = openDoor({
    known: true,
    request: async (_service, request) => new Response(await request.text()),
  });
  const answer = await answerToPart(door.addr.port, "/blobstream");
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.match(answer, /did not arrive in time/);
});

Deno.test("of strangers no body is waited for", async () => {
  await using door = openDoor({ known: false });
  for (const path of ["/organization", "/blobstream"]) {
    assert.match(await answerToPart(door.addr.port, path), /^HTTP\/1\.1 401 /, path);
  }
});

Deno.test("many large bodies that stop before their end turn nobody else away", async () => {
  const app = createGatewayApp({
    http: {
      async request(_service, request) {
        return new Response(String((await request.arrayBuffer()).byteLength));
      },
      close() {},
    },
    principals: {
      of: (sent: string) => Promise.resolve({ kind: "user", id: +sent, organization_id: +sent }),
      hear() {},
      forget() {},
    } as unknown as GatewayDeps["principals"],
    health: () => Promise.resolve({ database: true, services: {} }),
    log: silentLogger,
    corsOrigins: ["*"],
    maxBody: 2 ** 20,
  });
  const ends = new Set<() => void>();
  async function send(path: string, user: number, body: BodyInit) {
    const headers = { authorization: String(user) };
    return await app.request(path, { method: "POST", headers, body }, {});
  }
  function stalledBody() {
    let end: () => void;
    return new ReadableStream({
      start(to) {
        to.enqueue(new Uint8Array(2 ** 20 - 16));
        ends.add(end = () => to.close());
      },
      cancel: () => void ends.delete(end),
    });
  }
  const stalled = Array.from({ length: 20 }, () => send("/api/task", 1, stalledBody()));
  let refused = 0;
  for (const one of stalled) one.then(({ status }) => refused += Number(status === 503));
  // So many do not fit into the room of one sender.
  await waitFor(() => refused === 18, { what: "all but two refused" });

  assert.equal((await send("/api/token/user", 1, "x".repeat(100))).status, 200);
  assert.equal((await send("/api/task", 1, "x".repeat(64 * 1024))).status, 200);
  const others = await send("/api/task", 2, new Uint8Array(2 ** 20));
  assert.equal(await others.text(), String(2 ** 20));
  for (const end of ends) end();
  assert.equal((await Promise.all(stalled)).filter(({ status }) => status === 200).length, 2);
});
