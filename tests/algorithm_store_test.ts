import assert from "node:assert/strict";
import { freePort } from "../services/stack/ports.ts";
import { useTestStack } from "./harness.ts";
import { createSite } from "./site.ts";

const stack = useTestStack();

Deno.test("a store is linked as the user who asks for it, and only on this machine if they insist", async () => {
  const site = await createSite(stack(), { data: ["x\n1\n"] });
  const received: { path: string; authorization: string | null; body: unknown }[] = [];
  const store = Deno.serve(
    { port: freePort(), hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const { pathname: path } = new URL(request.url);
      const authorization = request.headers.get("authorization");
      received.push({ path, authorization, body: await request.json() });
      return Response.json({}, { status: 201 });
    },
  );
  const server_url = `${stack().gatewayUrl}/api`;
  const link = {
    name: "Community",
    algorithm_store_url: `http://localhost:${store.addr.port}/api`,
    server_url,
    collaboration_id: [site.collaborationId],
  };
  const refused = await site.admin.request("POST", "/algorithmstore", link);
  assert.equal(refused.status, 400);
  await refused.body?.cancel();
  const linked = await site.admin.post("/algorithmstore", { ...link, force: true });
  assert.equal(linked.url, link.algorithm_store_url);
  assert.equal(received.length, 1);
  const [{ path, authorization, body }] = received as [typeof received[0]];
  assert.deepEqual([path, body], ["/api/vantage6-server", { url: server_url, force: true }]);
  // The store asks back with it whose token it is.
  const asked = await fetch(`${server_url}/token/user/validate`, {
    method: "POST",
    headers: { authorization: authorization! },
  });
  assert.equal((await asked.json()).username, (await stack().adminCredentials()).username);
  await site.admin.delete(`/algorithmstore/${linked.id}?server_url=${server_url}`);
  assert.equal(received.length, 2);
  await store.shutdown();
});
