import assert from "node:assert/strict";
import type { Principal } from "../../../../shared/contract/permissions.ts";
import { useCollaboration } from "../../../../tests/support/collaboration.ts";
import { startAlgorithmStore, storeTokenIn } from "../../../../tests/support/algorithm_store.ts";

const hub = useCollaboration();
const idsOf = (list: { id: number }[]) => list.map((one) => one.id);
const server_url = "https://sextant.example/api";

function link(as: Principal, url: string, more: Record<string, unknown> = {}) {
  const body = { name: "Store", algorithm_store_url: url, server_url, force: true, ...more };
  return hub.call("POST", "/algorithmstore", { as, body, headers: { authorization: "Bearer me" } });
}

Deno.test("POST /algorithmstore links a store to a collaboration, given as a number or an array of one", async () => {
  const a = await hub.organization();
  const [one, two] = [await hub.collaboration([a]), await hub.collaboration([a])];
  const as = await hub.principal("Collaboration Admin", a);
  const store = startAlgorithmStore();
  const first = await link(as, store.url, { collaboration_id: one });
  assert.equal(first.status, 201);
  assert.deepEqual(first.body, {
    id: first.body.id,
    name: "Store",
    url: store.url,
    collaborations: `/api/collaboration?algorithm_store_id=${first.body.id}`,
  });
  const second = await link(as, `${store.url}/`, { collaboration_id: [two] });
  assert.equal(second.status, 201);
  const registration = { what: "POST /vantage6-server", body: { url: server_url, force: true } };
  assert.ok(as.kind === "user");
  for (const { authorization, ...sent } of store.received) {
    assert.deepEqual(sent, registration);
    // Never the caller's own token.
    assert.deepEqual(storeTokenIn(authorization), {
      type: "store",
      client_type: "user",
      sub: as.id,
      sid: as.session_id,
      aud: store.url,
      seconds: 120,
    });
  }
  assert.equal(store.received.length, 2);
  assert.equal((await link(as, store.url, { collaboration_id: one })).status, 400); // linked already
  const listed = await hub.call("GET", `/collaboration?algorithm_store_id=${first.body.id}`, {
    as,
  });
  assert.deepEqual(idsOf(listed.body.data), [one]);
  await store.stop();
});

Deno.test("POST /algorithmstore for all collaborations needs the widest scope", async () => {
  const a = await hub.organization();
  const own = await hub.collaboration([a]);
  const foreign = await hub.collaboration([await hub.organization()]);
  const admin = await hub.principal("Collaboration Admin", a);
  const store = startAlgorithmStore();
  assert.equal((await link(admin, store.url)).status, 401);
  assert.equal((await link(admin, store.url, { collaboration_id: null })).status, 401);
  assert.equal((await link(admin, store.url, { collaboration_id: foreign })).status, 401);
  assert.equal((await link(admin, store.url, { collaboration_id: 99_999 })).status, 404);
  const root = await hub.root();
  const made = await link(root, store.url, { collaboration_id: null });
  assert.deepEqual([made.status, made.body.collaborations], [201, null]);
  const all = await hub.call("GET", `/collaboration?algorithm_store_id=${made.body.id}`, {
    as: admin,
  });
  assert.deepEqual(idsOf(all.body.data), [own]); // no narrowing, and no widening
  await store.stop();
});

Deno.test("POST /algorithmstore says why it does not link", async () => {
  const a = await hub.organization();
  const collaboration_id = await hub.collaboration([a]);
  const as = await hub.principal("Collaboration Admin", a);
  const refusing = startAlgorithmStore({ refusing: 409 });
  const relayed = await link(as, refusing.url, { collaboration_id });
  assert.deepEqual([relayed.status, typeof relayed.body.msg], [409, "string"]);
  assert.equal((await link(as, refusing.url, { collaboration_id, force: false })).status, 400);
  assert.equal((await link(as, refusing.url, { collaboration_id, server_url: null })).status, 400);
  assert.equal(refusing.received.length, 1);
  await refusing.stop();
  assert.equal((await link(as, refusing.url, { collaboration_id })).status, 404);
  for (const url of ["file:///etc/passwd", "store.example", 7, "http://169.254.169.254/"]) {
    const body = { name: "x", algorithm_store_url: url, server_url, force: true, collaboration_id };
    const answer = await hub.call("POST", "/algorithmstore", { as, body });
    assert.equal(answer.status, 400, String(url));
  }
  const none = await hub.call(
    "GET",
    `/algorithmstore?collaboration_id=${collaboration_id}&url=%25127%25`,
    { as },
  );
  assert.equal(
    none.body.data.filter((one: { collaborations: unknown }) => one.collaborations).length,
    0,
  );
});

Deno.test("GET /algorithmstore shows those of own collaborations and those for all", async () => {
  const [a, b] = [await hub.organization(), await hub.organization()];
  const [mine, theirs] = [await hub.collaboration([a]), await hub.collaboration([b])];
  const root = await hub.root();
  const [one, two, three] = [startAlgorithmStore(), startAlgorithmStore(), startAlgorithmStore()];
  const own = (await link(root, one.url, { collaboration_id: mine, name: "Mine" })).body.id;
  const foreign = (await link(root, two.url, { collaboration_id: theirs })).body.id;
  const general = (await link(root, three.url)).body.id;
  const as = await hub.principal("Viewer", a);
  const list = async (query: string, caller = as) => {
    const { status, body } = await hub.call("GET", `/algorithmstore?${query}`, { as: caller });
    return status === 200 ? idsOf(body.data).filter((id) => id >= own) : status;
  };
  assert.deepEqual(await list(""), [own, general]);
  assert.deepEqual(await list(`collaboration_id=${mine}&sort=-id`), [general, own]);
  assert.deepEqual(await list("name=Mi%25"), [own]);
  assert.equal(await list(`collaboration_id=${theirs}`), 401);
  assert.equal(await list("collaboration_id=99999"), 404);
  assert.deepEqual(await list(`collaboration_id=${theirs}`, root), [foreign, general]);
  const node = await hub.machine("node", (await hub.node(a, mine)).id);
  for (const caller of [as, node]) {
    const status = async (id: number) =>
      (await hub.call("GET", `/algorithmstore/${id}`, { as: caller })).status;
    assert.deepEqual([await status(own), await status(foreign), await status(general)], [
      200,
      401,
      200,
    ]);
    assert.equal(await status(99_999), 404);
  }
  await Promise.all([one.stop(), two.stop(), three.stop()]);
});

Deno.test("PATCH /algorithmstore/{id} moves a link only between collaborations the caller edits", async () => {
  const [a, b] = [await hub.organization(), await hub.organization()];
  const [one, two] = [await hub.collaboration([a]), await hub.collaboration([a])];
  const theirs = await hub.collaboration([b]);
  const as = await hub.principal("Collaboration Admin", a);
  const store = startAlgorithmStore();
  const { id } = (await link(as, store.url, { collaboration_id: one })).body;
  const patch = async (body: unknown, caller = as) =>
    await hub.call("PATCH", `/algorithmstore/${id}`, { as: caller, body });
  assert.equal((await patch({ name: "New", collaboration_id: [two] })).body.name, "New");
  assert.equal((await patch({ name: null })).body.name, "New");
  assert.equal((await patch({ collaboration_id: theirs })).status, 401);
  assert.equal((await patch({ collaboration_id: 99_999 })).status, 404);
  assert.equal((await patch({ collaboration_id: null })).status, 401);
  const general = await patch({ collaboration_id: null }, await hub.root());
  assert.deepEqual([general.status, general.body.collaborations], [200, null]);
  assert.equal((await patch({ name: "Mine" })).status, 401);
  await store.stop();
});

Deno.test("DELETE /algorithmstore/{id} removes the caller's links to the store, not those of others", async () => {
  const [a, b] = [await hub.organization(), await hub.organization()];
  const [one, two] = [await hub.collaboration([a]), await hub.collaboration([a])];
  const theirs = await hub.collaboration([b]);
  const root = await hub.root();
  const store = startAlgorithmStore();
  const ids: number[] = [];
  for (const collaboration_id of [one, two, theirs]) {
    ids.push((await link(root, store.url, { collaboration_id })).body.id);
  }
  const as = await hub.principal("Collaboration Admin", a);
  const headers = { authorization: "Bearer me" };
  const remove = async (id: number, query = `?server_url=${server_url}`, caller = as) =>
    (await hub.call("DELETE", `/algorithmstore/${id}${query}`, { as: caller, headers })).status;
  assert.equal(await remove(ids[0]!, ""), 400);
  assert.equal(await remove(ids[2]!), 401);
  assert.equal(await remove(ids[0]!), 200);
  assert.equal(await remove(ids[1]!), 404); // went with the first
  assert.ok(store.received.every(({ what }) => what.startsWith("POST")));
  assert.equal(await remove(ids[2]!, undefined, root), 200);
  assert.ok(store.received.at(-1)!.what.startsWith("DELETE"));
  assert.deepEqual([...store.servers.values()], []);
  const again = (await link(root, store.url, { collaboration_id: theirs })).body.id;
  await store.stop(); // a store that is gone can be unlinked
  assert.equal(await remove(again, undefined, root), 200);
});
