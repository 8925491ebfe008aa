import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { startAlgorithmStore } from "../../../tests/support/algorithm_store.ts";
import type { Hub } from "../hub/hub.ts";
import type { Decision } from "../policy/policy.ts";
import { createStoreApproval, type CreateStoreApprovalOptions } from "./store_approval.ts";

const { signal } = new AbortController();
const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHER = `sha256:${"b".repeat(64)}`;
const API = "https://hub.example/api";

/** Approvals with a hub that gives a token for whatever store it is asked about. */
function approvalWith(options: Partial<CreateStoreApprovalOptions> = {}) {
  const hub = {
    insist: (_path, schema, { body }) =>
      Promise.resolve(
        schema.parse({ store_token: `token for ${(body as { url: string }).url}` }),
      ),
  } as Pick<Hub, "insist">;
  return createStoreApproval({ hub, api: API, fetch, log: silentLogger, ...options });
}

function reasonOf(decision: Decision): string {
  assert.ok(!decision.allowed, "was allowed");
  return decision.reason;
}

/** A store that gives these answers, one after the other, and then the last one again. */
async function withAnswers(
  answers: (() => Response)[],
  use: (url: string, requests: Headers[]) => Promise<void>,
): Promise<void> {
  const requests: Headers[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    requests.push(new Headers(request.headers));
    return answers[Math.min(requests.length, answers.length) - 1]!();
  });
  try {
    await use(`http://127.0.0.1:${server.addr.port}/api`, requests);
  } finally {
    await server.shutdown();
  }
}

const none = () => Response.json({ data: [] });
const lists = (image: string, digest: string | null) => () =>
  Response.json({ data: [{ image, digest }] });

Deno.test("a store's approval counts, with and without its API path, and for its own digest alone", async () => {
  const store = startAlgorithmStore();
  const hub = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response());
  const api = `http://127.0.0.1:${hub.addr.port}/api`;
  store.servers.set(11, api);
  try {
    store.approved.set("v6/average:1", DIGEST);
    store.approved.set("deno:average@1.0.0", null);
    for (const url of [store.url, store.url.replace(/\/api$/, ""), `${store.url}/`]) {
      const { decide } = approvalWith({ api });
      // As the hub pins it, which has no tag any more.
      assert.ok((await decide(url, `v6/average@${DIGEST}`, signal)).allowed, url);
      assert.ok((await decide(url, "deno:average@1.0.0", signal)).allowed, url);
      for (const image of [`v6/average@${OTHER}`, `v6/evil@${DIGEST}`, "v6/average:1", "v6/evil"]) {
        assert.match(
          reasonOf(await decide(url, image, signal)),
          /says that it has not approved it\.$/,
          image,
        );
      }
    }
    assert.match(
      reasonOf(await approvalWith().decide(store.url, "deno:average@1.0.0", signal)),
      /is not known\); it has to be a store of vantage6 4\.15 or later that trusts the server https:/,
    );
  } finally {
    await store.stop();
    await hub.shutdown();
  }
});

Deno.test("a store is shown its own token, the server and that a node asks; once for a while", async () => {
  let now = 0;
  await withAnswers([lists("v6/a:1", null)], async (url, requests) => {
    const { decide } = approvalWith({ holdsMs: 1000, now: () => now });
    for (let i = 0; i < 25; i++) assert.ok((await decide(url, "v6/a:1", signal)).allowed);
    assert.equal(requests.length, 1);
    const headers = requests[0]!;
    assert.equal(headers.get("authorization"), `Bearer token for ${url}`);
    assert.equal(headers.get("server-url"), API);
    assert.equal(headers.get("client-type"), "node");
    now = 1000;
    assert.ok((await decide(url, "v6/a:1", signal)).allowed);
    assert.equal(requests.length, 2);
  });
});

Deno.test("a store that is away is asked again, and in the end refused with what to do", async () => {
  const away = () => Response.json({ msg: "busy" }, { status: 503 });
  await withAnswers([away, away, lists("v6/a:1", null)], async (url, requests) => {
    assert.ok((await approvalWith().decide(url, "v6/a:1", signal)).allowed);
    assert.equal(requests.length, 3);
  });
  await withAnswers([away], async (url) => {
    const reason = reasonOf(await approvalWith({ patienceMs: 0 }).decide(url, "v6/a:1", signal));
    assert.match(reason, /could not be asked .* Post the task again once it answers\.$/);
  });
});

Deno.test("a store that refuses the node, redirects or is none approves nothing", async () => {
  const cases: [answer: () => Response, why: RegExp][] = [
    [() => Response.json({ msg: "not whitelisted" }, { status: 403 }), /\(not whitelisted\).* API/],
    [() => new Response("<html>"), /does not answer as an algorithm store/],
    [() => new Response("x".repeat(5 * 2 ** 20)), /more than 4194304 bytes/],
    [() => Response.redirect("https://elsewhere.example/"), /could not be asked/],
    [none, /has not approved/],
  ];
  for (const [answer, why] of cases) {
    await withAnswers([answer], async (url) => {
      const { decide } = approvalWith({ patienceMs: 0 });
      const reason = reasonOf(await decide(url, "v6/a:1", signal)).replace(API, "API");
      assert.match(reason, why);
    });
  }
  for (const url of ["file:///etc/passwd", "https://me:secret@store.example/api", "store"]) {
    assert.match(
      reasonOf(await approvalWith().decide(url, "v6/a:1", signal)),
      /no address to ask at/,
    );
  }
});
