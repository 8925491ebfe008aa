import assert from "node:assert/strict";
import { z } from "zod";
import { silentLogger } from "../../../shared/service/log.ts";
import { createHub, HubError, WrongKeyError } from "./hub.ts";

type Answer = [status: number, body: unknown];
const never = new AbortController().signal;
const anything = z.unknown();

function tokenOf(seconds: number): string {
  const claims = JSON.stringify({ sub: 7, exp: Date.now() / 1000 + seconds });
  return `e30.${new TextEncoder().encode(claims).toBase64({ alphabet: "base64url" })}.x`;
}

/**
 * A hub that answers every path from a script: a function, or answers of which the last one stays.
 */
async function withHub(
  script: Record<string, Answer[] | ((request: Request) => Answer)>,
  use: (hub: ReturnType<typeof createHub>, asked: string[]) => Promise<void>,
  now?: () => number,
): Promise<void> {
  const asked: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const path = new URL(request.url).pathname.replace("/api", "");
    asked.push(path);
    const answers = script[path] ?? [[404, { msg: `no ${path}` }]];
    const [status, body] = typeof answers === "function"
      ? answers(request)
      : answers.length > 1
      ? answers.shift()!
      : answers[0]!;
    return Response.json(body, { status });
  });
  const hub = createHub({
    api: `http://127.0.0.1:${server.addr.port}/api`,
    apiKey: "key",
    payloadFormats: ["field"],
    log: silentLogger,
    ...(now ? { now } : {}),
  });
  try {
    await use(hub, asked);
  } finally {
    await server.shutdown();
  }
}

const login: Answer = [200, { access_token: tokenOf(3600) }];

Deno.test("Hub.whoAmI() logs in and reads the node, its collaboration and its organization", async () => {
  await withHub({
    "/token/node": [login],
    "/node/7": [[200, {
      id: 7,
      name: "n",
      organization: { id: 3, link: "" },
      collaboration: { id: 2, link: "" },
    }]],
    "/collaboration/2": [[200, { id: 2, name: "c", encrypted: false }]],
    "/organization/3": [[200, { id: 3, name: "o", public_key: null }]],
  }, async (hub, asked) => {
    assert.deepEqual(await hub.whoAmI(never), {
      id: 7,
      name: "n",
      organization: { id: 3, name: "o" },
      collaboration: { id: 2, name: "c", encrypted: false },
    });
    assert.deepEqual(asked, ["/token/node", "/node/7", "/collaboration/2", "/organization/3"]);
  });
});

Deno.test("Hub.whoAmI() says so at once when the key is wrong", async () => {
  for (const status of [400, 401]) {
    await withHub(
      { "/token/node": [[status, { msg: "The API key is not known." }]] },
      async (hub, asked) => {
        await assert.rejects(hub.whoAmI(never), (error: Error) => {
          assert.ok(error instanceof WrongKeyError);
          assert.match(error.message, /refuses this node's API key: The API key is not known\./);
          assert.match(error.message, /set api_key/);
          return true;
        });
        assert.equal(asked.length, 1);
      },
    );
  }
});

Deno.test("Hub.insist() tries again while the hub is unwell, and not when it refuses", async () => {
  await withHub({
    "/token/node": [[503, { msg: "not yet" }], login],
    "/a": [[502, {}], [503, { msg: "x" }], [200, { ok: true }]],
    "/b": [[400, { msg: "The body is invalid." }]],
  }, async (hub, asked) => {
    assert.deepEqual(await hub.insist("/a", anything, { signal: never }), { ok: true });
    assert.equal(asked.filter((path) => path === "/a").length, 3);
    await assert.rejects(hub.insist("/b", anything, { signal: never }), (error: Error) => {
      assert.ok(error instanceof HubError);
      assert.equal(error.status, 400);
      assert.equal(error.message, "The body is invalid.");
      return true;
    });
  });
});

Deno.test("Hub.insist() outlives a hub that cannot be reached, until it is told to stop", async () => {
  const hub = createHub({
    api: "http://127.0.0.1:9/api",
    apiKey: "key",
    payloadFormats: ["field"],
    log: silentLogger,
  });
  const stop = new AbortController();
  const waiting = hub.insist("/a", anything, { signal: stop.signal });
  setTimeout(() => stop.abort(new Error("stopped")), 300);
  await assert.rejects(waiting, /stopped/);
});

Deno.test("Hub logs in anew before its token expires, once for all who ask", async () => {
  let now = Date.now();
  let count = 0;
  await withHub({
    "/token/node": () => [200, { access_token: tokenOf(3600 * ++count) }],
    "/a": [[200, {}]],
  }, async (hub) => {
    await hub.request("/a", anything);
    assert.equal(count, 1);
    now += 2900_000;
    await hub.request("/a", anything);
    assert.equal(count, 1);
    now += 200_000;
    await Promise.all([hub.request("/a", anything), hub.request("/a", anything)]);
    assert.equal(count, 2);
  }, () => now);
});

Deno.test("Hub logs in anew when the hub no longer takes its token, but does not insist", async () => {
  let valid = 0;
  await withHub({
    "/token/node": () => [200, { access_token: tokenOf(3600 + ++valid) }],
    "/a": () => valid < 2 ? [401, { msg: "expired" }] : [200, { ok: true }],
    "/b": () => [401, { msg: "You may not." }],
  }, async (hub, asked) => {
    assert.deepEqual(await hub.insist("/a", anything, { signal: never }), { ok: true });
    await assert.rejects(hub.insist("/b", anything, { signal: never }), /You may not/);
    assert.equal(asked.filter((path) => path === "/b").length, 2);
  });
});
