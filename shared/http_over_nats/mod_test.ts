import assert from "node:assert/strict";
import { memoryUsed } from "../../tests/support/memory.ts";
import { type OwnNats, startOwnNats } from "../../tests/support/nats.ts";
import { waitFor } from "../../tests/harness.ts";
import { SextantError } from "../service/errors.ts";
import { createHttpClient, type HttpClientOptions, serveHttp } from "./mod.ts";
import type { ServeHttpOptions } from "./mod.ts";
import { CHUNK, encodeFrame, encodeMeta, encodeText, KIND, WINDOW } from "./frames.ts";
import { silentLogger } from "../service/log.ts";
import type { BrokerConnection } from "../broker/connection.ts";

const MEBIBYTE = 2 ** 20;
const SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, MEBIBYTE, 3 * MEBIBYTE + 5];

let nats: OwnNats;
Deno.test.beforeAll(async () => {
  nats = await startOwnNats();
});
Deno.test.afterAll(() => nats.stop());

type Fetch = ServeHttpOptions["fetch"];
type Timing = Pick<HttpClientOptions, "aliveEveryMs" | "silenceMs" | "timeoutMs">;

/** A client, and the task service answering with `fetch`; both end with the test. */
async function pair(fetch: Fetch, timing: Timing = {}) {
  const gateway = await nats.service("gateway");
  const task = await nats.service("task");
  const { timeoutMs: _, ...serverTiming } = timing;
  const server = serveHttp({
    nc: task.nc,
    service: "task",
    replica: "one",
    fetch,
    log: silentLogger,
    ...serverTiming,
  });
  const client = createHttpClient({ nc: gateway.nc, ...timing });
  await Promise.all([task.nc.flush(), gateway.nc.flush()]);
  return {
    gateway: gateway.nc,
    task: task.nc,
    client,
    server,
    ask: (path: string, init: RequestInit = {}) =>
      client.request("task", new Request(`http://hub${path}`, init)),
    async [Symbol.asyncDispose]() {
      client.close();
      await gateway.nc.close();
      if (!task.nc.isClosed()) await server.stop();
      await task.nc.close();
    },
  };
}

const isUnavailable = (text: RegExp) => (error: unknown) =>
  error instanceof SextantError && error.code === "unavailable" && text.test(error.message);

/** `size` bytes whose content tells their place, in pieces; `onPiece` hears how many were taken. */
function source(size: number, onPiece: (taken: number) => void = () => {}, piece = 64 * 1024) {
  let at = 0;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at === size) return controller.close();
      const bytes = new Uint8Array(Math.min(piece, size - at));
      for (let i = 0; i < bytes.length; i += 512) bytes[i] = place(at + i);
      at += bytes.length;
      onPiece(at);
      controller.enqueue(bytes);
    },
  }, { highWaterMark: 0 });
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const place = (at: number) => (at >> 9) % 251;

/** Reads a body to its end; returns its size, and throws when a byte is not in its place. */
async function measure(body: ReadableStream<Uint8Array> | null): Promise<number> {
  let at = 0;
  for await (const bytes of body ?? []) {
    for (let i = (512 - at % 512) % 512; i < bytes.length; i += 512) {
      if (bytes[i] !== place(at + i)) throw new Error(`byte ${at + i} is out of place`);
    }
    at += bytes.length;
  }
  return at;
}

Deno.test("a request and its answer arrive as they were sent", async () => {
  await using hub = await pair(async (request, { principal, requestId }) => {
    const { method, url } = request;
    const headers = new Headers({ "x-got": request.headers.get("x-sent") ?? "" });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    const text = await request.text();
    return Response.json({ method, url, principal, requestId, text }, { status: 201, headers });
  });
  const request = new Request("http://hub/api/task?q=a%20b&q=ü", {
    method: "PATCH",
    headers: { "x-sent": "yes" },
    body: "grüße",
  });
  const response = await hub.client.request("task", request, {
    principal: { id: 7 },
    requestId: "r-1",
  });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("x-got"), "yes");
  assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
  assert.deepEqual(await response.json(), {
    method: "PATCH",
    url: "http://task/api/task?q=a%20b&q=%C3%BC",
    principal: { id: 7 },
    requestId: "r-1",
    text: "grüße",
  });
});

Deno.test("bodies of any size arrive whole, both ways", async () => {
  await using hub = await pair((request) => new Response(request.body));
  for (const size of SIZES) {
    const response = await hub.ask("/", { method: "POST", body: source(size) });
    assert.equal(await measure(response.body), size);
  }
  const empty = await hub.ask("/");
  assert.equal((await empty.arrayBuffer()).byteLength, 0);
});

Deno.test("answers without a body may not have one", async () => {
  await using hub = await pair(() => new Response(null, { status: 204 }));
  const response = await hub.ask("/", { method: "DELETE" });
  assert.equal(response.status, 204);
  assert.equal(response.body, null);
});

Deno.test("200 MiB pass in both directions in bounded memory", async () => {
  const size = 200 * MEBIBYTE;
  await using hub = await pair(async (request) => {
    if (request.method === "GET") return new Response(source(size));
    return Response.json(await measure(request.body));
  });
  let most = 0;
  const watch = setInterval(() => most = Math.max(most, memoryUsed()), 20);
  // Both ends and the client library are in this one process; a first transfer brings it to its
  // working size.
  await hub.ask("/", { method: "POST", body: source(20 * MEBIBYTE) });
  const before = memoryUsed();
  most = before;
  const upload = await hub.ask("/", { method: "POST", body: source(size) });
  assert.equal(await upload.json(), size);
  const download = await hub.ask("/");
  assert.equal(await measure(download.body), size);
  clearInterval(watch);
  const grown = (most - before) / MEBIBYTE;
  assert.ok(grown < 96, `grew by ${grown.toFixed(0)} MiB`);
});

Deno.test("a reader that stops holds the sender back", async () => {
  let taken = 0;
  await using hub = await pair(() => new Response(source(100 * MEBIBYTE, (n) => taken = n)));
  const response = await hub.ask("/");
  const reader = response.body!.getReader();
  await reader.read();
  await waitFor(() => taken >= WINDOW * CHUNK, { what: "the window to fill" });
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 300); // nothing can be waited for: that nothing more happens is the point
  await promise;
  assert.ok(taken <= (WINDOW + 3) * CHUNK, `${taken / CHUNK} chunks were taken`);
  await reader.cancel();
});

Deno.test("an answer that trickles arrives as it is written", async () => {
  const { promise: goOn, resolve } = Promise.withResolvers<void>();
  await using hub = await pair(() => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    (async () => {
      const writer = writable.getWriter();
      await writer.write(encodeText("first"));
      await goOn;
      await writer.write(encodeText("second"));
      await writer.close();
    })();
    return new Response(readable);
  });
  const reader = (await hub.ask("/")).body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, "first");
  resolve();
  assert.equal((await reader.read()).value, "second");
  assert.equal((await reader.read()).done, true);
});

Deno.test("an asker that goes away before the answer aborts the service's request", async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
  await using hub = await pair(async (request) => {
    request.signal.addEventListener("abort", () => abort());
    begin();
    await aborted;
    return new Response();
  });
  const controller = new AbortController();
  const asked = hub.ask("/", { signal: controller.signal });
  await begun;
  controller.abort(new Error("gone"));
  await assert.rejects(asked, /gone/);
  await aborted;
});

Deno.test("an asker that goes away in the middle of an answer stops the service's source", async () => {
  const { promise: cancelled, resolve: cancel } = Promise.withResolvers<void>();
  const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
  await using hub = await pair((request) => {
    request.signal.addEventListener("abort", () => abort());
    return new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)),
        cancel: () => cancel(),
      }),
    );
  });
  const response = await hub.ask("/");
  const reader = response.body!.getReader();
  await reader.read();
  await reader.cancel("enough");
  await Promise.all([cancelled, aborted]);
});

Deno.test("an upload that fails reaches the service as a failure, and the asker as its own error", async () => {
  const { promise: failed, resolve: fail } = Promise.withResolvers<unknown>();
  await using hub = await pair(async (request) => {
    await request.arrayBuffer().catch(fail);
    return new Response();
  });
  const body = source(10 * MEBIBYTE).pipeThrough(
    new TransformStream({
      transform(bytes, controller) {
        if (bytes.length > 0 && (limit -= bytes.length) < 0) {
          controller.error(new SextantError("payload_too_large", "The body is larger than 5 MiB."));
        } else controller.enqueue(bytes);
      },
    }),
  );
  let limit = 5 * MEBIBYTE;
  await assert.rejects(hub.ask("/", { method: "POST", body }), { code: "payload_too_large" });
  assert.match(String(await failed), /larger than 5 MiB/);
});

Deno.test("a service may answer without reading the body", async () => {
  let taken = 0;
  await using hub = await pair(() => new Response("no", { status: 401 }));
  const body = source(100 * MEBIBYTE, (n) => taken = n);
  const response = await hub.ask("/", { method: "POST", body });
  assert.equal(response.status, 401);
  assert.equal(await response.text(), "no");
  assert.ok(taken < 10 * MEBIBYTE);
});

Deno.test("a handler that throws gives 500 with the request id and none of the error's text", async () => {
  await using hub = await pair(() => {
    throw new Error("secret");
  });
  const request = new Request("http://hub/");
  const response = await hub.client.request("task", request, { requestId: "r-9" });
  assert.equal(response.status, 500);
  const body = await response.json();
  assert.equal(body.request_id, "r-9");
  assert.ok(!JSON.stringify(body).includes("secret"));
});

Deno.test("an answer that breaks off in the middle fails the asker's read", async () => {
  await using hub = await pair(() => {
    let left = 20;
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (left-- === 0) throw new Error("disk gone");
          controller.enqueue(new Uint8Array(CHUNK));
        },
      }),
    );
  });
  const response = await hub.ask("/");
  await assert.rejects(response.arrayBuffer(), isUnavailable(/broke off/));
});

Deno.test("without a replica the asker gets `unavailable`, and a replica in time serves it", async () => {
  const gateway = await nats.service("gateway");
  const client = createHttpClient({ nc: gateway.nc });
  const request = () => client.request("identity", new Request("http://hub/"));
  const began = performance.now();
  await assert.rejects(request(), isUnavailable(/identity service is not answering/));
  assert.ok(performance.now() - began < 4000);
  const early = request();
  const { nc } = await nats.service("identity");
  const server = serveHttp({
    nc,
    service: "identity",
    fetch: () => new Response("here"),
    log: silentLogger,
  });
  assert.equal(await (await early).text(), "here");
  await server.stop();
  client.close();
});

Deno.test("two replicas share the load, also of large bodies", async () => {
  const gateway = await nats.service("gateway");
  const client = createHttpClient({ nc: gateway.nc });
  const served = [0, 0];
  const servers = await Promise.all(served.map(async (_, replica) => {
    const { nc } = await nats.service("task");
    const server = serveHttp({
      nc,
      service: "task",
      fetch: (request) => (served[replica]!++, new Response(request.body)),
      log: silentLogger,
    });
    await nc.flush();
    return server;
  }));
  await Promise.all(Array.from({ length: 40 }, async (_, n) => {
    const size = n % 4 === 0 ? MEBIBYTE : 10;
    const request = new Request("http://hub/", { method: "POST", body: source(size) });
    assert.equal(await measure((await client.request("task", request)).body), size);
  }));
  assert.ok(served.every((count) => count > 5), `shares: ${served}`);
  await Promise.all(servers.map((server) => server.stop()));
  client.close();
});

Deno.test("a replica that dies fails what it had begun, and the others go on", async () => {
  const fast = { aliveEveryMs: 200, silenceMs: 1000 };
  const hub = await pair((request) => {
    const silent = new URL(request.url).pathname === "/silent";
    return silent ? new Promise<Response>(() => {}) : new Response(source(100 * MEBIBYTE));
  }, fast);
  const half = await hub.ask("/");
  const reader = half.body!.getReader();
  await reader.read();
  const gone = isUnavailable(/task service is not answering/);
  const failures = Promise.all([
    assert.rejects(hub.ask("/silent"), gone),
    assert.rejects(hub.ask("/silent", { method: "POST", body: source(100 * MEBIBYTE) }), gone),
  ]);
  await hub.gateway.flush();
  await hub.task.close(); // what the broker sees of a kill -9
  await failures;
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  }, gone);
  hub.client.close();
});

Deno.test("what only reads is asked of another replica when one was killed with it, what changes is not", async () => {
  await using hub = await pair(() => new Response("live"), { aliveEveryMs: 200, silenceMs: 1000 });
  const other = await nats.service("task");
  /**
   * Asks until a request was given to a replica that took it along; resolves with how that one
   * ended.
   */
  async function killedWith(method: string): Promise<PromiseSettledResult<Response>> {
    let killed = false;
    other.nc.subscribe("http.task", {
      queue: "task",
      max: 1,
      callback: () => void (killed = true),
    });
    await other.nc.flush();
    for (;;) {
      const [end] = await Promise.allSettled([hub.ask("/", { method })]);
      if (killed) return end;
    }
  }
  for (let round = 0; round < 3; round++) {
    assert.equal((await killedWith("GET")).status, "fulfilled");
  }
  const end = await killedWith("POST");
  assert.ok(end.status === "rejected" && isUnavailable(/nothing was heard/)(end.reason));
  await other.nc.close();
});

Deno.test("a handler may take longer than the silence that is allowed", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await using hub = await pair(() => promise, { aliveEveryMs: 50, silenceMs: 300 });
  setTimeout(() => resolve(new Response("late")), 1000);
  assert.equal(await (await hub.ask("/")).text(), "late");
});

Deno.test("an answer that does not begin in time is given up, and the service told", async () => {
  const { promise: aborted, resolve: abort } = Promise.withResolvers<Response>();
  await using hub = await pair((request) => {
    request.signal.addEventListener("abort", () => abort(new Response()));
    return aborted;
  }, { aliveEveryMs: 50, timeoutMs: 200 });
  await assert.rejects(hub.ask("/"), { code: "timeout" });
  await aborted;
});

Deno.test("an upload may take longer than an answer, as long as it moves on", async () => {
  const timing = { aliveEveryMs: 50, timeoutMs: 1000 };
  await using hub = await pair(
    async (request) => Response.json(await measure(request.body)),
    timing,
  );
  const size = 40 * 512;
  const slow = source(size, () => {}, 512).pipeThrough(
    new TransformStream({
      async transform(bytes, controller) {
        await pause(50); // a slow line: 2 s for all
        controller.enqueue(bytes);
      },
    }),
  );
  const response = await hub.ask("/", { method: "POST", body: slow });
  assert.equal(await response.json(), size);
});

Deno.test("an upload that stands still is given up, whichever side holds it back, and the service told", async () => {
  const aborted: string[] = [];
  await using hub = await pair(async (request) => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    request.signal.addEventListener("abort", () => resolve(new Response()));
    const path = new URL(request.url).pathname;
    const reader = request.body!.getReader();
    // One wants more than comes; the other takes nothing.
    if (path === "/hungry") { while (!(await reader.read().catch(() => ({ done: true }))).done); }
    await promise;
    aborted.push(path);
    return new Response();
  }, { aliveEveryMs: 50, timeoutMs: 300 });
  const stalled = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(CHUNK)),
  });
  const gaveUp = { code: "timeout", message: /body did not move on for 0.3 s/ };
  await assert.rejects(hub.ask("/hungry", { method: "POST", body: stalled }), gaveUp);
  const endless = source(100 * MEBIBYTE);
  await assert.rejects(hub.ask("/full", { method: "POST", body: endless }), gaveUp);
  await waitFor(() => aborted.length === 2, { what: "both to be told" });
});

Deno.test("an answer that does not begin in time after an upload is given up, too", async () => {
  const { promise: aborted, resolve: abort } = Promise.withResolvers<Response>();
  await using hub = await pair(async (request) => {
    request.signal.addEventListener("abort", () => abort(new Response()));
    await measure(request.body);
    return await aborted;
  }, { aliveEveryMs: 50, timeoutMs: 300 });
  const body = source(3 * MEBIBYTE);
  const answer = hub.ask("/", { method: "POST", body });
  await assert.rejects(answer, { code: "timeout", message: /did not answer within 0.3 s/ });
  await aborted;
});

Deno.test("an asker that goes away before the request is sent is noticed, too", async () => {
  let asked = 0;
  await using hub = await pair(() => {
    asked++;
    return new Promise<Response>(() => {});
  });
  const gone = new AbortController();
  // The first bytes are waited for a moment.
  const body = new ReadableStream<Uint8Array>();
  const answer = hub.ask("/", { method: "POST", body, signal: gone.signal });
  gone.abort(new Error("gone"));
  await assert.rejects(answer, /gone/);
  assert.equal(asked, 0);
});

Deno.test("a service gives up on an asker that died", async () => {
  const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
  const hub = await pair((request) => {
    request.signal.addEventListener("abort", () => abort());
    return new Response(source(100 * MEBIBYTE));
  }, { aliveEveryMs: 50, silenceMs: 300 });
  await hub.ask("/");
  await hub.gateway.close(); // what the broker sees of a kill -9
  await aborted;
  await hub.server.stop();
});

Deno.test("malformed messages are dropped and harm nothing", async () => {
  await using hub = await pair(() => new Response("fine"));
  const bad = [
    new Uint8Array(),
    encodeText("x"),
    crypto.getRandomValues(new Uint8Array(100)),
    encodeFrame(KIND.request, { complete: true }, new Uint8Array([255, 255, 255, 255])),
    encodeFrame(KIND.request, { complete: true }, ...encodeMeta({ path: "//" } as never)),
    encodeFrame(KIND.data, {}),
    encodeFrame(KIND.head, {}),
  ];
  const reply = "_INBOX.gateway.x.1";
  for (const bytes of bad) {
    hub.gateway.publish("http.task", bytes, { reply });
    hub.gateway.publish("http.task.one.x-1", bytes);
    hub.gateway.publish("http.task.all.x-1", bytes);
  }
  assert.equal(await (await hub.ask("/")).text(), "fine");
  // Methods and headers that HTTP does not know.
  const headers: [string, string][] = [["a b\n", "c"]];
  for (const meta of [{ method: "A B", headers: [] }, { method: "GET", headers }]) {
    const bytes = encodeFrame(
      KIND.request,
      { complete: true },
      ...encodeMeta({ path: "/", ...meta }),
    );
    hub.gateway.publish("http.task", bytes, { reply });
  }
  assert.equal(await (await hub.ask("/")).text(), "fine");
});

Deno.test("a service answers into inboxes of those who may ask only", async () => {
  let asked = 0;
  await using hub = await pair(() => (asked++, new Response()));
  const meta = encodeMeta({ method: "GET", path: "/", headers: [] });
  const bytes = encodeFrame(KIND.request, { complete: true }, ...meta);
  for (
    const reply of ["event.task.created", "dispatch.1", "_INBOX.identity.x", "_INBOX.gatewayx.y"]
  ) {
    hub.gateway.publish("http.task", bytes, { reply });
  }
  hub.gateway.publish("http.task", bytes);
  await hub.ask("/");
  assert.equal(asked, 1);
});

/** Answers the next requests by hand, as a service with a fault would. */
function answerWith(nc: BrokerConnection, frames: () => Uint8Array[]) {
  return nc.subscribe("http.task", {
    queue: "task",
    callback(_, message) {
      for (const frame of frames()) nc.publish(message.reply!, frame);
    },
  });
}

Deno.test("an answer of which a message was lost fails, and is never shortened", async () => {
  const gateway = await nats.service("gateway");
  const { nc } = await nats.service("task");
  const client = createHttpClient({ nc: gateway.nc });
  const head = encodeFrame(
    KIND.head,
    {},
    ...encodeMeta({ status: 200, headers: [], replica: "f" }),
  );
  const data = (seq: number) => encodeFrame(KIND.data, { seq }, encodeText("x"));
  const faults: Record<string, [Uint8Array[], RegExp]> = {
    "a chunk": [[head, data(0), data(2)], /1 message\(s\) of the body were lost/],
    "the last chunk": [[head, data(0), encodeFrame(KIND.end, { seq: 2 })], /were lost/],
    "the end, which the next sign of life shows": [
      [head, data(0), encodeFrame(KIND.alive, { seq: 3 })],
      /were lost/,
    ],
    "the head": [[data(0)], /its beginning was lost/],
    "all restraint": [
      [head, ...Array.from({ length: WINDOW + 2 }, (_, n) => data(n))],
      /more of the body came than was asked for/,
    ],
  };
  for (const [what, [frames, expected]] of Object.entries(faults)) {
    const subscription = answerWith(nc, () => frames);
    await nc.flush();
    const answer = client.request("task", new Request("http://hub/")).then((it) => it.text());
    await assert.rejects(answer, isUnavailable(expected), what);
    subscription.unsubscribe();
  }
  const twice = answerWith(nc, () => [
    head,
    head,
    data(0),
    data(0),
    data(1),
    encodeFrame(KIND.end, { seq: 2 }),
  ]);
  await nc.flush();
  assert.equal(await (await client.request("task", new Request("http://hub/"))).text(), "xx");
  twice.unsubscribe();
  client.close();
});

Deno.test("a transfer goes on while both sides renew their credentials", async () => {
  const size = 60 * MEBIBYTE;
  await using hub = await pair((request) => new Response(request.body));
  let done = false;
  const transfer = hub.ask("/", { method: "POST", body: source(size) })
    .then((response) => measure(response.body))
    .finally(() => done = true);
  let renewals = 0;
  async function renew() {
    while (!done) {
      await Promise.all([hub.gateway.renew(), hub.task.renew()]);
      renewals++;
    }
  }
  const [arrived] = await Promise.all([transfer, renew()]);
  assert.equal(arrived, size);
  assert.ok(renewals > 1);
});

Deno.test("stop() waits for what is under way, and takes nothing new", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  await using hub = await pair(() => (begin(), promise));
  const asked = hub.ask("/");
  await begun;
  let stopped = false;
  const stopping = hub.server.stop().then(() => stopped = true);
  await hub.task.flush(); // the broker has heard that it takes no more
  await assert.rejects(hub.ask("/"), isUnavailable(/not answering/));
  assert.equal(stopped, false);
  resolve(new Response(source(MEBIBYTE)));
  assert.equal(await measure((await asked).body), MEBIBYTE);
  await stopping;
});

Deno.test("a broker that is killed fails what was under way at once, and serves again after its restart", async () => {
  await using hub = await pair((request) =>
    new URL(request.url).pathname === "/slow" ? new Promise(() => {}) : new Response("fine")
  );
  const slow = assert.rejects(hub.ask("/slow"), isUnavailable(/connection to NATS was lost/));
  await hub.gateway.flush();
  const began = performance.now();
  await nats.kill9();
  await slow;
  await assert.rejects(hub.ask("/"), isUnavailable(/NATS is not reachable/));
  assert.ok(performance.now() - began < 5000);
  await nats.start();
  const response = await waitFor(() => hub.ask("/"), { what: "an answer after the restart" });
  assert.equal(await response.text(), "fine");
  await hub.task.close();
});
