import assert from "node:assert/strict";
import { sha256Hex } from "../../../../shared/service/digest.ts";
import { waitFor } from "../../../../tests/harness.ts";
import { useCollaboration } from "../../../../tests/support/collaboration.ts";

const hub = useCollaboration();
const idsOf = (list: { id: number }[]) => list.map((one) => one.id);

async function place() {
  const [a, b] = [await hub.organization(), await hub.organization()];
  const collaboration = await hub.collaboration([a, b]);
  const { id, api_key } = await hub.node(a, collaboration);
  return { a, b, collaboration, node: id, api_key };
}

Deno.test("a Node has every field of the contract, and shows its key once", async () => {
  const [a] = [await hub.organization("Clinic A")];
  const collaboration = await hub.collaboration([a]);
  const as = await hub.principal("Collaboration Admin", a);
  const made = await hub.call("POST", "/node", { as, body: { collaboration_id: collaboration } });
  assert.equal(made.status, 201);
  const { api_key, ...shown } = made.body;
  assert.match(api_key, /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/);
  const methods = ["GET", "PATCH", "DELETE"];
  const { body: its } = await hub.call("GET", `/collaboration/${collaboration}`, { as });
  assert.deepEqual(shown, {
    id: shown.id,
    type: "node",
    name: `Clinic A - ${its.name} Node`,
    ip: null,
    status: "offline",
    last_seen: null,
    organization: { id: a, link: `/api/organization/${a}`, methods },
    collaboration: { id: collaboration, link: `/api/collaboration/${collaboration}`, methods },
    config: [],
  });
  const read = await hub.call("GET", `/node/${shown.id}`, { as });
  assert.deepEqual(read.body, shown);
});

Deno.test("POST /node names what is wrong", async () => {
  const { a, b, collaboration } = await place();
  const outside = await hub.organization();
  const as = await hub.root();
  const post = async (body: unknown, caller = as) =>
    (await hub.call("POST", "/node", { as: caller, body })).status;
  assert.equal(await post({ collaboration_id: 99_999, organization_id: b }), 404);
  assert.equal(await post({ collaboration_id: collaboration, organization_id: 99_999 }), 404);
  assert.equal(await post({ collaboration_id: collaboration, organization_id: outside }), 400);
  assert.equal(await post({ collaboration_id: collaboration, organization_id: a }), 400);
  assert.equal(await post({ collaboration_id: collaboration, organization_id: b, name: "7" }), 400);
  const admin = await hub.principal("Organization Admin", a);
  assert.equal(await post({ collaboration_id: collaboration, organization_id: b }, admin), 401);
  assert.equal(await post({ collaboration_id: collaboration, organization_id: b }), 201);
});

// The key of a node opens its collaboration: sharing another one with the organization must not be
// enough.
Deno.test("rights in one collaboration give none over an organization's nodes in another", async () => {
  const { a, b } = await place();
  const theirs = await hub.collaboration([b]);
  const node = await hub.node(b, theirs);
  const as = await hub.principal("Collaboration Admin", a);
  const alsoTheirs = await hub.collaboration([b]);
  const statuses = [
    await hub.call("POST", "/node", {
      as,
      body: { collaboration_id: alsoTheirs, organization_id: b },
    }),
    await hub.call("GET", `/node/${node.id}`, { as }),
    await hub.call("PATCH", `/node/${node.id}`, { as, body: { name: "mine" } }),
    await hub.call("DELETE", `/node/${node.id}`, { as }),
    await hub.call("POST", "/recover/node", { as, body: { id: node.id } }),
    await hub.call("GET", `/node?collaboration_id=${theirs}`, { as }),
  ].map((answer) => answer.status);
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 401]);
});

Deno.test("GET /node is narrowed to the caller's scope and filters", async () => {
  const { a, b, collaboration, node } = await place();
  const other = (await hub.node(b, collaboration)).id;
  const study = await hub.study(collaboration, [b]);
  await hub.dbs.collaboration`
    update node set status = 'online', last_seen = '2026-03-24T10:00:00.5Z' where id = ${node}`;
  const list = async (role: "Viewer" | "Root", organization: number, query = "") => {
    const as = await hub.principal(role, organization);
    const { status, body } = await hub.call("GET", `/node${query}`, { as });
    return status === 200 ? idsOf(body.data) : status;
  };
  assert.deepEqual(await list("Viewer", a), [node, other]);
  assert.deepEqual(await list("Viewer", a, "?status=online"), [node]);
  assert.deepEqual(await list("Viewer", a, `?organization_id=${b}`), [other]);
  assert.deepEqual(await list("Viewer", a, `?study_id=${study}`), [other]);
  assert.deepEqual(await list("Viewer", a, "?last_seen_from=2026-03-24"), [node]);
  assert.deepEqual(await list("Viewer", a, "?last_seen_till=2026-03-24"), []);
  assert.deepEqual(await list("Viewer", a, "?sort=-id&page=1&per_page=1"), [other]);
  const foreign = await hub.organization();
  assert.deepEqual(await list("Viewer", foreign), []);
  for (
    const filter of [
      `organization_id=${a}`,
      `collaboration_id=${collaboration}`,
      `study_id=${study}`,
    ]
  ) {
    assert.equal(await list("Viewer", foreign, `?${filter}`), 401, filter);
  }
  const as = await hub.root();
  const before = await hub.call("GET", `/node/${node}`, { as });
  assert.equal(before.body.last_seen, "2026-03-24T10:00:00.500000");
  const own = await hub.machine("node", node);
  const seen = await hub.call("GET", "/node", { as: own });
  assert.deepEqual(idsOf(seen.body.data), [node]);
  // A request of the node itself is a sign of it.
  assert.ok(seen.body.data[0].last_seen > before.body.last_seen);
  assert.equal(await list("Root", foreign, "?study_id=99999"), 400);
});

Deno.test("PATCH /node/{id} changes name and address, and no belonging", async () => {
  const { a, b, collaboration, node } = await place();
  const as = await hub.principal("Organization Admin", a);
  const patch = (body: unknown, caller = as) =>
    hub.call("PATCH", `/node/${node}`, { as: caller, body });
  const edited = await patch({ name: "Named", ip: "10.76.0.3" });
  assert.deepEqual([edited.status, edited.body.name, edited.body.ip], [200, "Named", "10.76.0.3"]);
  assert.equal((await patch({ name: null, clear_ip: false })).body.ip, "10.76.0.3");
  assert.equal((await patch({ clear_ip: true })).body.ip, null);
  assert.equal((await patch({ ip: "2001:db8::1" })).body.ip, "2001:db8::1");
  for (
    const body of [{ ip: "300.1.1.1" }, { organization_id: a }, { collaboration_id: 1 }, {
      name: "1",
    }]
  ) {
    assert.equal((await patch(body)).status, 400, JSON.stringify(body));
  }
  const other = await hub.node(b, collaboration);
  assert.equal((await patch({ name: "Own" }, await hub.machine("node", node))).status, 200);
  assert.equal((await patch({ name: "Taken" }, await hub.machine("node", other.id))).status, 401);
  const elsewhere = await hub.collaboration([a]);
  const sibling = await hub.node(a, elsewhere);
  assert.equal((await patch({ name: "Taken" }, await hub.machine("node", sibling.id))).status, 401);
});

Deno.test("a node tells of its own configuration, nobody else does", async () => {
  const { a, b, collaboration, node } = await place();
  const own = await hub.machine("node", node);
  const patch = (config: unknown, as = own) =>
    hub.call("PATCH", `/node/${node}`, { as, body: { config } });
  const config = [
    { key: "allowed_algorithms", value: "all" },
    { key: "database_labels", value: "default" },
    { key: "database_labels", value: "second" },
  ];
  assert.deepEqual((await patch(config)).body.config, config);
  assert.deepEqual((await patch(config.slice(1))).body.config, config.slice(1));
  const other = await hub.machine("node", (await hub.node(b, collaboration)).id);
  const refused = [other, await hub.principal("Organization Admin", a), await hub.root()];
  for (const as of refused) assert.equal((await patch([], as)).status, 401);
  for (const bad of ["x", [{ key: "k" }], [{ key: "", value: "v" }], [{ key: 1, value: "v" }]]) {
    assert.equal((await patch(bad)).status, 400, JSON.stringify(bad));
  }
  const { body } = await hub.call("GET", `/node/${node}`, { as: await hub.root() });
  assert.deepEqual(body.config, config.slice(1));
});

/** A node that is connected to the broker with the credential identity gave it. */
async function connected(node: number) {
  const party = await hub.nats.node(node);
  await hub.dbs.identity`
    insert into node_broker_key (node_id, public_key, issued_at)
    values (${node}, ${party.key.publicKey}, now())`;
  const lost = Promise.withResolvers<void>();
  party.nc.watch(() => lost.resolve());
  return { ...party, lost: lost.promise };
}

Deno.test("DELETE /node/{id} closes the node's connection to the broker", async () => {
  const { a, node, api_key } = await place();
  const { lost } = await connected(node);
  const as = await hub.principal("Collaboration Admin", a);
  assert.equal((await hub.call("DELETE", `/node/${node}`, { as })).status, 200);
  await lost;
  const left = await hub.deps.ask("collaboration", "node_by_key", {
    sha256: await sha256Hex(api_key),
  });
  assert.equal(left, null);
  assert.equal((await hub.call("DELETE", `/node/${node}`, { as })).status, 404);
});

Deno.test("POST /recover/node gives a new key, and the old one is worth nothing at once", async () => {
  const { a, b, node, api_key } = await place();
  const { lost, key } = await connected(node);
  const as = await hub.principal("Organization Admin", a);
  const stranger = await hub.principal("Organization Admin", b);
  const recover = (caller: typeof as, id: number) =>
    hub.call("POST", "/recover/node", { as: caller, body: { id } });
  assert.equal((await recover(stranger, node)).status, 401);
  assert.equal((await recover(as, 99_999)).status, 404);
  const answer = await recover(as, node);
  assert.equal(answer.status, 200);
  assert.deepEqual(Object.keys(answer.body), ["api_key"]);
  await lost;
  const known = async (text: string) => {
    const sha256 = await sha256Hex(text);
    return (await hub.deps.ask("collaboration", "node_by_key", { sha256 }))?.id;
  };
  assert.deepEqual([await known(api_key), await known(answer.body.api_key)], [undefined, node]);
  await waitFor(
    () => hub.events.some((one) => one.name === "node.key_reset" && one.data.node_id === node),
    { what: "the event" },
  );
  const keys = await hub.dbs.identity`
    select from node_broker_key where public_key = ${key.publicKey} and withdrawn_at is null`;
  assert.equal(keys.length, 0);
});
