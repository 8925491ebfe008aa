/**
 * What is deleted leaves nothing behind in any service, also when a service was down at that
 * moment; and a node that goes, or loses its key, is seen to be gone.
 */
import assert from "node:assert/strict";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, type Json, type Site } from "./site.ts";

const stack = useTestStack();
const DATA = ["x\n1\n", "x\n2\n"];
const idsOf = (list: Json[]) => list.map((one) => one.id);

async function statusOf(site: Site, path: string): Promise<number> {
  const response = await site.admin.request("GET", path);
  await response.body?.cancel();
  return response.status;
}

/** A task for a member whose node is not running, so that it waits. */
async function waitingTask(site: Site): Promise<number> {
  const { id } = await site.post({
    image: "deno:mean@1",
    method: "mean",
    kwargs: { column: "x" },
    members: [site.members[1]!],
  });
  return id;
}

Deno.test("an organization deleted while collaboration and task were down is gone from both", async () => {
  const site = await createSite(stack(), { data: DATA });
  const [stays, goes] = site.members as [Json, Json];
  const study = await site.admin.post("/study", {
    name: `Study ${goes.id}`,
    collaboration_id: site.collaborationId,
    organization_ids: [stays.id, goes.id],
  });
  const task = await waitingTask(site);
  assert.equal(await statusOf(site, `/organization/${goes.id}`), 200);
  for (const service of ["collaboration", "task"]) await stack().part(service).kill9();
  await site.admin.delete(`/organization/${goes.id}?delete_dependents=true`);
  for (const service of ["collaboration", "task"]) await stack().part(service).restart();

  const members = async (path: string) => {
    const answer = await site.admin.get(`${path}?include=organizations`);
    return idsOf(answer.organizations);
  };
  await waitFor(async () => await statusOf(site, `/node/${goes.nodeId}`) === 404, {
    what: "the end of the organization's node",
    timeout: 20_000,
  });
  assert.deepEqual(await members(`/collaboration/${site.collaborationId}`), [stays.id]);
  assert.deepEqual(await members(`/study/${study.id}`), [stays.id]);
  await waitFor(async () => {
    const { data } = await site.admin.get(`/run?task_id=${task}`);
    return data.every((run: Json) => run.status !== "pending");
  }, { what: "the end of the run that waited for its node", timeout: 20_000 });
});

Deno.test("a collaboration deleted while task was down takes its tasks along (CVE-2023-41881)", async () => {
  const site = await createSite(stack(), { data: DATA });
  const task = await waitingTask(site);
  await stack().part("task").kill9();
  await site.admin.delete(`/collaboration/${site.collaborationId}?delete_dependents=true`);
  await stack().part("task").restart();
  await waitFor(async () => await statusOf(site, `/task/${task}`) === 404, {
    what: "the end of the collaboration's task",
    timeout: 20_000,
  });
  for (const { nodeId } of site.members) assert.equal(await statusOf(site, `/node/${nodeId}`), 404);
});

Deno.test("a collaboration that has a task is kept unless its dependents may go", async () => {
  const site = await createSite(stack(), { data: DATA });
  await waitingTask(site);
  const path = `/collaboration/${site.collaborationId}`;
  for (const query of ["", "?delete_dependents=False"]) {
    const response = await site.admin.request("DELETE", `${path}${query}`);
    assert.equal(response.status, 400);
    assert.equal(typeof (await response.json()).msg, "string");
  }
  assert.equal(await statusOf(site, path), 200);
});

Deno.test("a node is shown offline within ten seconds of its end, and online when it is back", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 1) });
  const [member] = site.members as [Site["members"][0]];
  await site.startNode(member);
  const shown = async () => (await site.admin.get(`/node/${member.nodeId}`)).status;
  assert.equal(await shown(), "online");
  const part = stack().part(`node ${member.node}`);
  await part.kill9();
  await waitFor(async () => await shown() === "offline", { what: "the node to be shown offline" });
  await part.restart();
  await waitFor(async () => await shown() === "online", { what: "the node to be shown online" });

  // With a new key the running node is shut out: it is the old key's.
  const { api_key } = await site.admin.post("/recover/node", { id: member.nodeId });
  assert.match(api_key, /^[0-9a-f-]{36}$/);
  await waitFor(async () => await shown() === "offline", { what: "the node to be shut out" });
  const login = await site.admin.as(undefined).request("POST", "/token/node", { api_key });
  assert.equal(login.status, 200);
  await login.body?.cancel();
});

Deno.test("a node's tokens end with its key", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 1) });
  const { nodeId } = site.members[0]!;
  const anybody = site.admin.as(undefined);
  const { api_key } = await site.admin.post("/recover/node", { id: nodeId });
  const before = await anybody.post("/token/node", { api_key });
  const ask = async (method: string, path: string, token: string) => {
    const response = await site.admin.as(token).request(method, path);
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await ask("GET", `/node/${nodeId}`, before.access_token), 200);
  const next = await site.admin.post("/recover/node", { id: nodeId });
  assert.equal(await ask("GET", `/node/${nodeId}`, before.access_token), 401);
  assert.equal(await ask("POST", "/token/refresh", before.refresh_token), 401);
  const old = await anybody.request("POST", "/token/node", { api_key });
  await old.body?.cancel();
  assert.equal(old.status, 401);
  const after = await anybody.post("/token/node", { api_key: next.api_key });
  assert.equal(await ask("GET", `/node/${nodeId}`, after.access_token), 200);
  await site.admin.delete(`/node/${nodeId}`);
  assert.equal(await ask("GET", `/node/${nodeId}`, after.access_token), 401);
  assert.equal(await ask("POST", "/token/refresh", after.refresh_token), 401);
});

Deno.test("who leaves a collaboration sees it no more at their very next request", async () => {
  const site = await createSite(stack(), { data: DATA });
  const [, leaver] = site.members as [Json, Json];
  const username = `leaver-${leaver.id}`;
  const password = "Leaves-soon-1";
  const { data: [viewer] } = await site.admin.get("/role?name=Viewer");
  await site.admin.post("/user", {
    username,
    password,
    email: `${username}@example.org`,
    firstname: "L",
    lastname: "L",
    organization_id: leaver.id,
    roles: [viewer.id],
    rules: [],
  });
  const client = await site.admin.as(undefined).login(username, password);
  const path = `/collaboration/${site.collaborationId}`;
  const seen: number[] = [];
  for (let turn = 0; turn < 10; turn++) {
    for (const method of ["POST", "DELETE"]) {
      await (await site.admin.request(method, `${path}/organization`, { id: leaver.id })).json();
      const response = await client.request("GET", path);
      await response.body?.cancel();
      seen.push(response.status);
    }
  }
  assert.deepEqual(seen, Array.from({ length: 10 }, () => [200, 401]).flat());
});
