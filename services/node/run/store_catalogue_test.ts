import assert from "node:assert/strict";
import {
  startAlgorithmStore,
  type TestStore,
  type TestStoreOptions,
} from "../../../tests/support/algorithm_store.ts";
import type { Hub } from "../hub/hub.ts";
import { HubError } from "../hub/error.ts";
import { createStoreCatalogue, NoStoreTokenError, StoreRefusal } from "./store_catalogue.ts";

const { signal } = new AbortController();
const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHER = `sha256:${"b".repeat(64)}`;

/** A hub that gives a token for whatever store it is asked about. */
const hub = {
  insist: (_path, schema, { body }) =>
    Promise.resolve(schema.parse({ store_token: `token for ${(body as { url: string }).url}` })),
} as Pick<Hub, "insist">;

/** A server that says this of every request, and tells which there were. */
async function withServer(
  answer: () => Response,
  use: (url: string, requests: Headers[]) => Promise<void>,
): Promise<void> {
  const requests: Headers[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    requests.push(new Headers(request.headers));
    return answer();
  });
  try {
    await use(`http://127.0.0.1:${server.addr.port}`, requests);
  } finally {
    await server.shutdown();
  }
}

/** A store that trusts a server, which says that every token is a node's. */
async function withStore(
  use: (store: TestStore, serverUrl: string) => Promise<void>,
  options: TestStoreOptions = {},
) {
  const store = startAlgorithmStore(options);
  try {
    await withServer(() => new Response(), async (url) => {
      store.servers.set(11, `${url}/api`);
      await use(store, `${url}/api`);
    });
  } finally {
    await store.stop();
  }
}

Deno.test("an image is approved by its own digest alone, at an address with or without its API path", async () => {
  await withStore(async (store, serverUrl) => {
    store.approved.set("v6/average:1", DIGEST);
    store.approved.set("deno:average@1.0.0", null);
    const catalogue = createStoreCatalogue({ hub, serverUrl, fetch });
    for (const url of [store.url, store.url.replace(/\/api$/, "")]) {
      // As the hub pins it, which has no tag any more.
      assert.ok(await catalogue.has(url, `v6/average@${DIGEST}`, signal), url);
      assert.ok(await catalogue.has(url, "deno:average@1.0.0", signal), url);
      for (const image of [`v6/average@${OTHER}`, `v6/evil@${DIGEST}`, "v6/average:1", "v6/evil"]) {
        assert.equal(await catalogue.has(url, image, signal), false, image);
      }
    }
  });
});

Deno.test("a store whose registry is away still tells what it has approved", async () => {
  await withStore(async (store, serverUrl) => {
    store.approved.set("v6/average:1", DIGEST);
    const catalogue = createStoreCatalogue({ hub, serverUrl, fetch });
    assert.ok(await catalogue.has(store.url, `v6/average@${DIGEST}`, signal));
    assert.equal(await catalogue.has(store.url, `v6/average@${OTHER}`, signal), false);
  }, { isRegistryAway: true });
});

Deno.test("an image under a tag is found wherever it stands in a list of several pages", async () => {
  await withStore(async (store, serverUrl) => {
    for (let i = 0; i < 250; i++) store.approved.set(`v6/other:${i}`, OTHER);
    store.approved.set("v6/last:1", DIGEST);
    const catalogue = createStoreCatalogue({ hub, serverUrl, fetch });
    assert.ok(await catalogue.has(store.url, `v6/last@${DIGEST}`, signal));
    assert.equal(await catalogue.has(store.url, `v6/none@${DIGEST}`, signal), false);
  });
});

Deno.test("pages that are shorter than was asked for are not taken for the last", async () => {
  let page = 0;
  const pages = [[], [{ image: "v6/a:1" }], [{ image: "v6/b:1", digest: DIGEST }]];
  await withServer(() => Response.json({ data: pages[page++] ?? [] }), async (url) => {
    const catalogue = createStoreCatalogue({ hub, serverUrl: url, fetch });
    assert.ok(await catalogue.has(`${url}/api`, `v6/b@${DIGEST}`, signal));
    assert.equal(page, 3);
  });
});

Deno.test("a store is shown its own token, the server and that a node asks", async () => {
  const answer = () => Response.json({ data: [{ image: "v6/a:1", digest: null }] });
  await withServer(answer, async (url, requests) => {
    const catalogue = createStoreCatalogue({ hub, serverUrl: "https://hub.example/api", fetch });
    assert.ok(await catalogue.has(`${url}/api`, "v6/a:1", signal));
    assert.equal(requests.length, 1);
    const headers = requests[0]!;
    assert.equal(headers.get("authorization"), `Bearer token for ${url}/api`);
    assert.equal(headers.get("server-url"), "https://hub.example/api");
    assert.equal(headers.get("client-type"), "node");
  });
});

Deno.test("a server that the store does not know, or does not find, is refused in the store's words", async () => {
  await withStore(async (store) => {
    const asked = (serverUrl: string) =>
      createStoreCatalogue({ hub, serverUrl, fetch }).probe(store.url, signal);
    await assert.rejects(asked("https://unknown.example/api"), (error) => {
      assert.ok(error instanceof StoreRefusal);
      assert.match(error.message, /unknown\.example\/api' is not known/);
      return true;
    });
    await withServer(() => new Response(null, { status: 404 }), async (url) => {
      store.servers.set(12, url);
      await assert.rejects(asked(url), /Could not connect to the vantage6 server/);
    });
  });
});

Deno.test("what redirects, is too large or is no store is a refusal; what is away is not", async () => {
  const cases: [answer: () => Response, why: RegExp, isRefusal: boolean][] = [
    [() => Response.json({ msg: "not whitelisted" }, { status: 403 }), /^not whitelisted$/, true],
    [() => new Response("<html>"), /does not answer as an algorithm store/, true],
    [() => new Response("x".repeat(5 * 2 ** 20)), /more than 4194304 bytes/, true],
    [() => Response.redirect("https://elsewhere.example/"), /it leads elsewhere/, true],
    [() => Response.json({ msg: "busy" }, { status: 503 }), /The store answered: busy/, false],
  ];
  for (const [answer, why, isRefusal] of cases) {
    await withServer(answer, async (url) => {
      const catalogue = createStoreCatalogue({ hub, serverUrl: url, fetch });
      for (
        const asked of [
          () => catalogue.has(`${url}/api`, "v6/a:1", signal),
          () => catalogue.probe(`${url}/api`, signal),
        ]
      ) {
        await assert.rejects(asked, (error: Error) => {
          assert.equal(error instanceof StoreRefusal, isRefusal);
          assert.match(error.message, why);
          return true;
        });
      }
    });
  }
});

Deno.test("without a token of the hub's no store is asked", async () => {
  await withServer(() => Response.json({ data: [] }), async (url, requests) => {
    const refusing = { insist: () => Promise.reject(new HubError("no such path", 404)) };
    const catalogue = createStoreCatalogue({ hub: refusing, serverUrl: url, fetch });
    await assert.rejects(catalogue.has(url, "v6/a:1", signal), (error) => {
      assert.ok(error instanceof NoStoreTokenError);
      assert.equal(error.message, "no such path");
      return true;
    });
    assert.equal(requests.length, 0);
  });
});
