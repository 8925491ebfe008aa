import assert from "node:assert/strict";
import { freePort } from "../../stack/ports.ts";
import { startAlgorithmStore } from "../../../tests/support/algorithm_store.ts";
import type { Hub } from "../hub/hub.ts";
import { HubError } from "../hub/error.ts";
import { checkStores } from "./stores.ts";

const hub = {
  insist: (_path, schema) => Promise.resolve(schema.parse({ store_token: "t" })),
} as Pick<Hub, "insist">;

Deno.test("checkStores() asks each store that is named, and says what to do about one that refuses", async () => {
  const store = startAlgorithmStore();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    return new Response();
  });
  const serverUrl = `http://127.0.0.1:${server.addr.port}/api`;
  const away = `http://127.0.0.1:${freePort()}/api`;
  const found = (serverForStores: string, from: Pick<Hub, "insist"> = hub) =>
    Array.fromAsync(checkStores(
      { policy: { allowedStores: [store.url, away, "https://.*"] }, serverForStores },
      { hub: from, fetch, patienceMs: 10_000 },
    ));
  try {
    store.servers.set(11, serverUrl);
    const [own, other, pattern] = await found(serverUrl);
    assert.deepEqual(own, {
      name: "algorithm store",
      well: true,
      note: `${store.url} tells this node what it has approved`,
    });
    assert.equal(other?.well, false);
    assert.match(other!.note, /^no answer from .*; check its address in policies/);
    assert.match(pattern!.note, /^https:\/\/\.\* is a pattern/);
    const [strange] = await found("https://unknown.example/api");
    assert.equal(strange?.well, false);
    assert.match(strange!.note, /not known.*unknown\.example\/api; .*server_url_for_stores$/);
    const refusing = { insist: () => Promise.reject(new HubError("no such path", 404)) };
    const [tokenless] = await found(serverUrl, refusing);
    assert.match(tokenless!.note, /^the hub gives no token .*\(no such path\); ask its operator$/);
  } finally {
    await store.stop();
    await server.shutdown();
  }
});
