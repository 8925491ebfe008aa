import assert from "node:assert/strict";
import { silentLogger } from "../../../../shared/service/log.ts";
import { temporaryFolder, waitFor } from "../../../../tests/harness.ts";
import { GRANT, openRunProxy } from "../../../../tests/support/run_proxy.ts";
import { FormatError } from "../../encryption/formats.ts";
import { createHub } from "../../hub/hub.ts";
import { type PayloadCodec, plainPayloads } from "../payload_codec.ts";
import { TooManyWaitError } from "../../run/waiting_places.ts";
import { carriesToken, createProxyToken } from "./token.ts";

const grant = { ...GRANT, databases: [{ label: "d", query: "q" }] };
const token = createProxyToken(grant);

type Answer = [status: number, body: unknown];
interface Asked {
  path: string;
  token: string | undefined;
  key: string | null;
}

interface ProxyOfRun {
  /** Asks the proxy as a container does. */
  ask(
    method: string,
    path: string,
    options?: { body?: unknown; token?: string; lost?: boolean; signal?: AbortSignal },
  ): Promise<Answer>;
  asked: Asked[];
  waits: number;
  /** Why the run may not wait for its subtasks. */
  refusal?: Error;
}

async function withProxy(
  script: Record<string, (count: number) => Answer>,
  use: (proxy: ProxyOfRun) => Promise<void>,
  { codec = plainPayloads, maySend = true }: { codec?: PayloadCodec; maySend?: boolean } = {},
): Promise<void> {
  const asked: Asked[] = [];
  const folder = await temporaryFolder();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const url = new URL(request.url);
    const path = url.pathname.replace("/api", "") + url.search;
    await request.text();
    if (path === "/token/node") {
      const claims = new TextEncoder().encode(JSON.stringify({ sub: 7, exp: 4e9 })).toBase64();
      return Response.json({ access_token: `e30.${claims}.x` });
    }
    const name = `${request.method} ${path}`;
    asked.push({
      path: name,
      token: request.headers.get("authorization")?.slice(7),
      key: request.headers.get("idempotency-key"),
    });
    const [status, body] = script[name]?.(asked.filter((one) => one.path === name).length) ??
      [404, { msg: `no ${name}` }];
    return Response.json(body, { status });
  });
  const proxyOfRun: ProxyOfRun = { asked, waits: 0, ask };
  const api = `http://127.0.0.1:${server.addr.port}/api`;
  const proxy = await openRunProxy({
    folder: folder.path,
    hub: createHub({ api, apiKey: "k", payloadFormats: [], log: silentLogger }),
    token,
    grant,
    codec,
    maySend,
    whileWaiting(work) {
      proxyOfRun.waits++;
      return proxyOfRun.refusal ? Promise.reject(proxyOfRun.refusal) : work();
    },
  });
  async function ask(
    method: string,
    path: string,
    { body, token: given = token, lost = false, signal }: {
      signal?: AbortSignal;
      body?: unknown;
      token?: string;
      lost?: boolean;
    } = {},
  ): Promise<Answer> {
    const delivered = Promise.withResolvers<void>();
    const response = await proxy(
      new Request(`http://127.0.0.1${path}`, {
        method,
        ...(signal ? { signal } : {}),
        headers: given ? { authorization: `Bearer ${given}` } : {},
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
      { completed: delivered.promise },
    );
    const text = await response.text();
    const answer: Answer = [response.status, text === "" ? null : JSON.parse(text)];
    if (lost) delivered.reject(new Error("the connection broke"));
    else delivered.resolve();
    await delivered.promise.catch(() => {});
    return answer;
  }
  try {
    await use(proxyOfRun);
  } finally {
    await server.shutdown();
    await folder.remove();
  }
}

const task = { name: "sub", organizations: [{ id: 3, input: "e30=" }] };

Deno.test("createProxyToken() makes what published clients can take apart, and different for each run", () => {
  const [head, claims, secret] = token.split(".");
  const read = (part: string) =>
    JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(part, { alphabet: "base64url" })));
  assert.equal(read(head!).typ, "JWT");
  assert.deepEqual(read(claims!).sub, { ...grant, client_type: "container" });
  assert.equal(secret!.length, 43);
  const other = createProxyToken(grant);
  const request = new Request("http://x", { headers: { authorization: `Bearer ${token}` } });
  assert.ok(carriesToken(request, token));
  assert.ok(!carriesToken(request, other));
});

Deno.test("Proxy serves its own run only, and what is listed only", async () => {
  const script = { "GET /version": (): Answer => [200, { version: "4.14.0" }] };
  await withProxy(script, async ({ ask, asked }) => {
    for (const wrong of ["", createProxyToken(grant), token.slice(0, -1)]) {
      assert.equal((await ask("GET", "/organization/3", { token: wrong }))[0], 401);
    }
    assert.deepEqual(await ask("GET", "/version", { token: "" }), [200, { version: "4.14.0" }]);
    for (
      const [method, path] of [
        ["GET", "/user"],
        ["GET", "/node/7"],
        ["DELETE", "/task/5"],
        ["PATCH", "/organization/3"],
        ["POST", "/token/container"],
        ["GET", "/organization/../user"],
        ["GET", "/task/5/../../user"],
      ] as const
    ) {
      const [status, body] = await ask(method, path);
      assert.equal(status, 403, `${method} ${path}`);
      assert.match((body as { msg: string }).msg, /may not ask/);
    }
    assert.deepEqual(asked.map(({ path }) => path), ["GET /version"]);
  });
});

Deno.test("Proxy passes nothing on of a run that may send nothing, nor tells that it asked", async () => {
  const script = { "GET /version": (): Answer => [200, { version: "4.14.0" }] };
  await withProxy(script, async ({ ask, asked }) => {
    for (
      const path of [
        "/organization/3?about=70425",
        "/organization/70425",
        "/organization/3",
        "/organization?name=p7",
        "/collaboration/2",
        "/study/70425",
        "/run/70425",
        "/run?task_id=5&state=70425",
        "/task/70425",
        "/task/5/status",
        "/result?task_id=70425",
        "/result/70425",
        "/vpn/algorithm/addresses?label=70425",
        "/blobstream/status",
        "/blobstream/00000000-0000-4000-8000-000000070425",
      ]
    ) {
      for (const method of ["GET", "HEAD"]) {
        const [status, body] = await ask(method, path);
        assert.equal(status, 403, `${method} ${path}`);
        if (method === "GET") assert.match((body as { msg: string }).msg, /nothing of the hub/);
      }
    }
    const [status, body] = await ask("POST", "/task", { body: task });
    assert.deepEqual([status, /no subtasks/.test((body as { msg: string }).msg)], [403, true]);
    for (let count = 0; count < 7; count++) {
      assert.deepEqual(await ask("GET", "/version?value=70425"), [200, { version: "4.14.0" }]);
      assert.deepEqual(await ask("GET", "/health"), [200, { ok: true }]);
    }
    // Once, before it can have seen anything.
    assert.deepEqual(asked.map(({ path }) => path), ["GET /version"]);
  }, { maySend: false });
});

Deno.test("Proxy gives lists in one page, with the hub's token and without the pages asked for", async () => {
  const script = {
    "GET /organization?collaboration_id=2": (): Answer => [200, {
      data: [{ id: 3 }],
      links: { next: "/organization?page=2" },
    }],
    "GET /result?task_id=9": (): Answer => [200, { data: [{ id: 1, result: "MQ==" }], links: {} }],
    "GET /blobstream/status": (): Answer => [200, { blob_store_enabled: false }],
    "GET /result/1": (): Answer => [200, { id: 1, result: "MQ==" }],
  };
  await withProxy(script, async ({ ask, asked }) => {
    assert.deepEqual(await ask("GET", "/organization?collaboration_id=2&page=1&per_page=10"), [
      200,
      { data: [{ id: 3 }], links: {} },
    ]);
    const item = { id: 1, result: "MQ==", blob_storage_used: false };
    assert.deepEqual(await ask("GET", "/result?task_id=9&page=1"), [200, {
      data: [item],
      links: {},
    }]);
    assert.deepEqual(await ask("GET", "/result/1"), [200, item]);
    assert.equal((await ask("GET", "/result"))[0], 400);
    assert.deepEqual(await ask("GET", "/blobstream/status"), [200, { blob_store_enabled: false }]);
    assert.ok(asked.every(({ token }) => token === "hub-token"));
  });
});

Deno.test("Proxy holds a question about a task until it is over, through failures of the hub", async () => {
  const path = "GET /task/9/status?wait=25";
  const statuses: Answer[] = [
    [200, { status: "pending" }],
    [503, { msg: "restarting" }],
    [200, { status: "active" }],
    [200, { status: "completed" }],
  ];
  const script = {
    [path]: (count: number) => statuses[count - 1]!,
    "POST /task": (): Answer => [201, { id: 9 }],
  };
  await withProxy(script, async (proxy) => {
    await proxy.ask("POST", "/task", { body: task });
    assert.deepEqual(await proxy.ask("GET", "/task/9/status"), [200, { status: "completed" }]);
    assert.equal(proxy.waits, 1);
  });
});

Deno.test("Proxy holds a question no longer than the asker", async () => {
  const script = {
    "GET /task/9/status?wait=25": (): Answer => [200, { status: "active" }],
    "POST /task": (): Answer => [201, { id: 9 }],
  };
  await withProxy(script, async (proxy) => {
    await proxy.ask("POST", "/task", { body: task });
    const asker = new AbortController();
    const asked = proxy.ask("GET", "/task/9/status", { signal: asker.signal });
    await waitFor(() => proxy.asked.length > 2, { what: "the hub to be asked again" });
    asker.abort(new Error("gone"));
    assert.equal((await asked)[0], 500);
  });
});

Deno.test("Proxy takes a run to be waiting for its own subtasks only", async () => {
  const script = {
    "GET /task/5/status?wait=25": (): Answer => [200, { status: "completed" }],
    "GET /task/5": (): Answer => [200, { id: 5 }],
  };
  await withProxy(script, async (proxy) => {
    assert.deepEqual(await proxy.ask("GET", "/task/5/status"), [200, { status: "completed" }]);
    assert.deepEqual(await proxy.ask("GET", "/task/5"), [200, { id: 5 }]);
    assert.equal(proxy.waits, 0);
  });
});

Deno.test("Proxy says to a run that too many wait already", async () => {
  const script = {
    "GET /task/5/status?wait=25": (): Answer => [200, { status: "completed" }],
    "POST /task": (): Answer => [201, { id: 9 }],
  };
  await withProxy(script, async (proxy) => {
    await proxy.ask("POST", "/task", { body: task });
    proxy.refusal = new TooManyWaitError("as many as may");
    for (const path of ["/task/9/status", "/task/9"]) {
      assert.deepEqual(await proxy.ask("GET", path), [503, { msg: "as many as may" }]);
    }
    assert.equal((await proxy.ask("GET", "/task/5/status"))[0], 200);
  });
});

Deno.test("Proxy makes a subtask once per delivered answer, however often it is asked", async () => {
  const script = { "POST /task": (count: number): Answer => [201, { id: 40 + count }] };
  await withProxy(script, async ({ ask, asked }) => {
    assert.deepEqual(await ask("POST", "/task", { body: task, lost: true }), [201, { id: 41 }]);
    assert.deepEqual(await ask("POST", "/task", { body: task }), [201, { id: 41 }]);
    assert.deepEqual(await ask("POST", "/task", { body: task }), [201, { id: 42 }]);
    const keys = asked.map(({ key }) => key!);
    assert.equal(keys.length, 2);
    assert.notEqual(keys[0], keys[1]);
  });
});

Deno.test("Proxy passes the hub's refusal on with its status and words", async () => {
  const script = { "POST /task": (): Answer => [403, { msg: "not this image" }] };
  await withProxy(script, async ({ ask }) => {
    assert.deepEqual(await ask("POST", "/task", { body: task }), [403, { msg: "not this image" }]);
    for (const body of [{}, { organizations: [] }, { organizations: ["x"] }]) {
      assert.equal((await ask("POST", "/task", { body }))[0], 400);
    }
  });
});

Deno.test("Proxy says to the algorithm why nothing can be written for an organization, and posts nothing", async () => {
  const refusing: PayloadCodec = {
    ...plainPayloads,
    encode: (_, organizationId) =>
      Promise.reject(new FormatError(`organization ${organizationId} does not read that`)),
  };
  const body = { image: "x", organizations: [{ id: 3, input: "e30=" }] };
  await withProxy({}, async ({ ask, asked }) => {
    const msg = "organization 3 does not read that";
    assert.deepEqual(await ask("POST", "/task", { body }), [400, { msg }]);
    assert.deepEqual(asked, []);
  }, { codec: refusing });
});
