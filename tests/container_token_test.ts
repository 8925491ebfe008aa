import assert from "node:assert/strict";
import { useTestHub } from "./support/hub.ts";
import { PLAIN_INPUT } from "./support/task_hub.ts";

const hub = useTestHub();

Deno.test("an algorithm with the largest databases that a task may have can create subtasks over HTTP", async () => {
  const { call, root, apps } = hub();
  const { body: collaboration } = await call("POST", "/collaboration", {
    token: root,
    body: { name: "C", organization_ids: [1], encrypted: false },
  });
  const at = { collaboration_id: collaboration.id };
  const { body: node } = await call("POST", "/node", { token: root, body: at });
  const { body: { access_token } } = await call("POST", "/token/node", {
    body: { api_key: node.api_key },
  });
  const task = (bytes: number, input = PLAIN_INPUT) => ({
    image: "average",
    organizations: [{ id: 1, input }],
    databases: [{ label: "default", query: "x".repeat(bytes) }],
    ...at,
  });
  async function upload(): Promise<string> {
    const response = await apps.gateway.fetch(
      new Request("http://hub/api/blobstream", {
        method: "POST",
        headers: { authorization: `Bearer ${root}` },
        body: PLAIN_INPUT,
      }),
      {},
    );
    return (await response.json()).uuid;
  }
  const create = async (bytes: number) =>
    await call("POST", "/task", { token: root, body: task(bytes, await upload()) });
  const refused = await create(2 ** 19);
  const [, limit, given] = /may have (\d+) bytes .* not (\d+)/.exec(refused.body.msg)!;
  const largest = 2 ** 19 + Number(limit) - Number(given);
  assert.equal((await create(largest + 1)).status, 400);
  const made = await create(largest);
  const { body: { container_token } } = await call("POST", "/token/container", {
    token: access_token,
    body: { task_id: made.body.id, image: "average" },
  });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => apps.gateway.fetch(request, {}),
  );
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/api/task`, {
    method: "POST",
    headers: { authorization: `Bearer ${container_token}`, "content-type": "application/json" },
    body: JSON.stringify(task(largest)),
  });
  assert.equal(response.status, 201, await response.text());
  await server.shutdown();
});
