import assert from "node:assert/strict";
import { decodeFrame, encodeFrame, encodeText, type Frame, KIND } from "./frames.ts";
import { ServerExchange } from "./server_exchange.ts";

/** An exchange that has begun, with a record of what went out and a clock to set. */
function begin() {
  const sent: Frame[] = [];
  let forgotten = 0;
  let now = 0;
  const exchange = new ServerExchange({
    wire: {
      send: (_, frame) => void sent.push(decodeFrame(frame)!),
      forget: () => void forgotten++,
    },
    id: "asker-1",
    reply: "_INBOX.gateway.asker.1",
    replica: "one",
    limits: { aliveEveryMs: 5000, silenceMs: 15_000 },
    clock: () => now,
  });
  return {
    exchange,
    kinds: () => sent.map(({ kind }) => kind),
    forgotten: () => forgotten,
    /** Looks at it at this time. */
    tickAt(ms: number) {
      now = ms;
      exchange.tick();
    },
    hear(...[kind, fields, ...parts]: Parameters<typeof encodeFrame>) {
      return exchange.hear(decodeFrame(encodeFrame(kind, fields, ...parts))!);
    },
  };
}

Deno.test("ServerExchange tells its asker that it is at work, and gives up on a silent one", () => {
  const { exchange, kinds, forgotten, tickAt } = begin();
  tickAt(999);
  assert.deepEqual(kinds(), []);
  tickAt(1000);
  assert.deepEqual(kinds(), [KIND.alive]);
  tickAt(16_000);
  assert.ok(exchange.open);
  tickAt(16_001);
  assert.equal(exchange.open, false);
  assert.match(String(exchange.signal.reason), /silent/);
  assert.equal(forgotten(), 1);
});

Deno.test("ServerExchange ends with the whole answer, without aborting it", async () => {
  const { exchange, kinds, forgotten } = begin();
  await exchange.respond(new Response("short"));
  assert.deepEqual(kinds(), [KIND.head]);
  assert.equal(exchange.open, false);
  assert.equal(exchange.signal.aborted, false);
  assert.equal(forgotten(), 1);
});

Deno.test("ServerExchange aborts the handler when the asker breaks off, and answers no more", async () => {
  const { exchange, kinds, hear } = begin();
  assert.ok(hear(KIND.abort, {}, encodeText("gone")));
  assert.match(String(exchange.signal.reason), /The asker broke off: gone/);
  await exchange.respond(new Response("too late"));
  assert.deepEqual(kinds(), []);
});

Deno.test("ServerExchange breaks off when a part of the request's body was lost", async () => {
  const { exchange, kinds, hear } = begin();
  const body = exchange.openBody(encodeText("first"));
  hear(KIND.data, { seq: 1 }, encodeText("third"));
  assert.deepEqual(kinds(), [KIND.alive, KIND.abort]);
  const text = new Response(body).text();
  await assert.rejects(text, /1 message\(s\) of the body were lost/);
});

Deno.test("ServerExchange says when a message has no place in a request", () => {
  assert.equal(begin().hear(KIND.head, {}), false);
});
