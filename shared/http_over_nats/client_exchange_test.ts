import assert from "node:assert/strict";
import { ClientExchange } from "./client_exchange.ts";
import { decodeFrame, encodeFrame, encodeMeta, encodeText, KIND } from "./frames.ts";

const REQUEST = encodeText("request");

/** An exchange that has begun, with a record of what went out and a clock to set. */
function begin({ repeatable = true } = {}) {
  const sent: string[] = [];
  const signal = new AbortController();
  let forgotten = 0;
  let now = 0;
  const exchange = new ClientExchange({
    wire: {
      sendRequest: ({ number }) => void sent.push(`request ${number}`),
      sendFrame(exchange, frame, askBack) {
        const kind = Object.entries(KIND).find(([, it]) => it === decodeFrame(frame)?.kind)?.[0];
        sent.push(`${kind} to ${exchange.replica ?? "all"}${askBack ? ", asking back" : ""}`);
      },
      renumber: ({ number }) => String(Number(number) + 1),
      forget: () => void forgotten++,
    },
    number: "1",
    service: "task",
    request: REQUEST,
    repeatable,
    body: undefined,
    limits: { aliveEveryMs: 5000, silenceMs: 15_000, timeoutMs: 120_000 },
    clock: () => now,
  });
  exchange.start([signal.signal]);
  return {
    exchange,
    sent,
    signal,
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

Deno.test("ClientExchange asks once more, under another number, when nothing was heard", () => {
  const { exchange, sent, tickAt } = begin();
  tickAt(3000);
  assert.deepEqual(sent, ["request 1"]);
  tickAt(3001);
  tickAt(6000);
  assert.equal(exchange.number, "2");
  assert.deepEqual(sent, ["request 1", "request 2"]);
});

Deno.test("ClientExchange asks only once what changes something", () => {
  const { sent, tickAt } = begin({ repeatable: false });
  tickAt(3001);
  assert.deepEqual(sent, ["request 1"]);
});

Deno.test("ClientExchange speaks to the replica that it has heard of, and asks nobody else", () => {
  const { sent, tickAt, hear } = begin();
  assert.ok(hear(KIND.alive, {}, encodeText("one")));
  tickAt(3001);
  tickAt(5000);
  assert.deepEqual(sent, ["request 1", "alive to one, asking back"]);
});

Deno.test("ClientExchange ends once: it tells the service why, and is forgotten", async () => {
  const { exchange, sent, signal, forgotten } = begin();
  const reason = new Error("the reader left");
  signal.abort(reason);
  exchange.breakOff(new Error("again"));
  exchange.fail(new Error("and again"));
  await assert.rejects(exchange.answer, reason);
  assert.deepEqual(sent, ["request 1", "abort to all"]);
  assert.equal(forgotten(), 1);
});

Deno.test("ClientExchange gives up on a replica that is gone, and on one that is silent", async () => {
  const gone = begin();
  gone.hear(KIND.alive, {}, encodeText("one"));
  gone.exchange.hearNobody();
  await assert.rejects(gone.exchange.answer, /the replica that had begun is gone/);
  const silent = begin({ repeatable: false });
  silent.tickAt(15_001);
  await assert.rejects(silent.exchange.answer, /nothing was heard of it for 15 s/);
});

Deno.test("ClientExchange ends with an answer that is whole", async () => {
  const { exchange, sent, forgotten, hear } = begin();
  const meta = encodeMeta({ status: 200, headers: [["x", "1"]], replica: "one" });
  assert.ok(hear(KIND.head, { complete: true }, ...meta, encodeText("body")));
  const answer = await exchange.answer;
  assert.equal(await answer.text(), "body");
  assert.equal(answer.headers.get("x"), "1");
  assert.equal(forgotten(), 1);
  assert.deepEqual(sent, ["request 1"]);
});

Deno.test("ClientExchange says when a message has no place in an answer", () => {
  assert.equal(begin().hear(KIND.request, {}), false);
});
