import assert from "node:assert/strict";
import { useTestStack } from "./harness.ts";
import { createSite } from "./site.ts";
import { startAlgorithmStore } from "./support/algorithm_store.ts";

const stack = useTestStack();

Deno.test("a store is linked as the user who asks for it, and only on this machine if they insist", async () => {
  const site = await createSite(stack(), { data: ["x\n1\n"] });
  const store = startAlgorithmStore();
  const server_url = `${stack().gatewayUrl}/api`;
  const link = {
    name: "Community",
    algorithm_store_url: store.url.replace("127.0.0.1", "localhost"),
    server_url,
    collaboration_id: [site.collaborationId],
  };
  const refused = await site.admin.request("POST", "/algorithmstore", link);
  assert.equal(refused.status, 400);
  await refused.body?.cancel();
  const linked = await site.admin.post("/algorithmstore", { ...link, force: true });
  assert.equal(linked.url, link.algorithm_store_url);
  assert.equal(store.received.length, 1);
  const { what, authorization, body } = store.received[0]!;
  assert.equal(what, "POST /vantage6-server");
  assert.deepEqual(body, { url: server_url, force: true });
  assert.deepEqual([...store.servers.values()], [server_url]);
  // The store asks back with it whose token it is.
  const asked = await fetch(`${server_url}/token/user/validate`, {
    method: "POST",
    headers: { authorization: authorization! },
  });
  assert.equal((await asked.json()).username, (await stack().adminCredentials()).username);
  // And can do nothing else with it.
  const routes = [
    ["GET", "/user/1"],
    ["GET", "/task"],
    ["POST", "/token/node/validate"],
    ["POST", "/token/store"],
    ["GET", "/events"],
    ["PATCH", "/password/change"],
  ] as const;
  for (const [method, path] of routes) {
    const refused = await fetch(`${server_url}${path}`, {
      method,
      headers: { authorization: authorization! },
    });
    assert.equal(refused.status, 401, path);
    await refused.body?.cancel();
  }
  const refreshed = await fetch(`${server_url}/token/refresh`, {
    method: "POST",
    headers: { authorization: authorization! },
  });
  assert.equal(refreshed.status, 422);
  await refreshed.body?.cancel();
  await site.admin.delete(`/algorithmstore/${linked.id}?server_url=${server_url}`);
  assert.deepEqual([...store.servers.values()], []);
  await store.stop();
});
