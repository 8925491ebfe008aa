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

/** A task that is open at a node, with the token of its container. */
async function runningTask() {
  const { call, root, signIn } = hub();
  const { body: collaboration } = await call("POST", "/collaboration", {
    token: root,
    body: { name: `C ${crypto.randomUUID()}`, organization_ids: [1], encrypted: false },
  });
  const at = { collaboration_id: collaboration.id };
  const { body: node } = await call("POST", "/node", { token: root, body: at });
  const { apps } = hub();
  const uploaded = await apps.gateway.fetch(
    new Request("http://hub/api/blobstream", {
      method: "POST",
      headers: { authorization: `Bearer ${root}` },
      body: PLAIN_INPUT,
    }),
    {},
  );
  const input = (await uploaded.json()).uuid;
  const { body: task } = await call("POST", "/task", {
    token: root,
    body: { image: "average", organizations: [{ id: 1, input }], ...at },
  });
  const { body: { data: [run] } } = await call("GET", `/run?task_id=${task.id}`, { token: root });
  const nodeToken = await signIn({ type: "node", id: node.id });
  async function newToken(): Promise<string> {
    const { body } = await call("POST", "/token/container", {
      token: nodeToken,
      body: { task_id: task.id, image: "average" },
    });
    return body.container_token;
  }
  const token = await newToken();
  const status = async (one = token) =>
    (await call("GET", `/result?task_id=${task.id}`, { token: one })).status;
  return { taskId: task.id, runId: run.id, nodeId: node.id, nodeToken, newToken, status };
}

type Running = Awaited<ReturnType<typeof runningTask>>;

const ENDS: Record<string, (running: Running) => Promise<{ status: number }>> = {
  "is completed": ({ runId, nodeToken: token }) =>
    hub().call("PATCH", `/run/${runId}`, { token, body: { status: "completed" } }),
  "has failed": ({ runId, nodeToken: token }) =>
    hub().call("PATCH", `/run/${runId}`, { token, body: { status: "failed" } }),
  "is killed": ({ taskId: id }) =>
    hub().call("POST", "/kill/task", { token: hub().root, body: { id } }),
  "is deleted": ({ taskId }) => hub().call("DELETE", `/task/${taskId}`, { token: hub().root }),
  "lost its node's key": ({ nodeId: id }) =>
    hub().call("POST", "/recover/node", { token: hub().root, body: { id } }),
};

for (const [what, end] of Object.entries(ENDS)) {
  Deno.test(`a container's token ends at once with the attempt that ${what}`, async () => {
    const running = await runningTask();
    assert.equal(await running.status(), 200);
    assert.ok((await end(running)).status <= 201);
    assert.equal(await running.status(), 401);
    assert.equal(await running.status(), 401);
  });
}

Deno.test("a container's token ends with the attempt that another has taken the place of", async () => {
  const { db } = hub();
  const { runId, newToken, status } = await runningTask();
  assert.equal(await status(), 200);
  await db.task`update result set attempt = attempt + 1 where id = ${runId}`;
  const next = await newToken();
  assert.equal(await status(next), 200);
  assert.equal(await status(), 401);
  assert.equal(await status(next), 200);
});
