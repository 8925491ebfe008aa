import assert from "node:assert/strict";
import { waitFor } from "../../../../tests/harness.ts";
import { useCollaboration } from "../../../../tests/support/collaboration.ts";

const hub = useCollaboration();

const idsOf = (list: { id: number }[]) => list.map((one) => one.id);
const membersOf = async (path: string) => {
  const answer = await hub.call("GET", `${path}?include=organizations`, { as: await hub.root() });
  return idsOf(answer.body.organizations);
};

Deno.test("GET /collaboration/{id} shows every field of the contract, and organizations when asked", async () => {
  const a = await hub.organization();
  const id = await hub.collaboration([a]);
  const as = await hub.principal("Viewer", a);
  const plain = await hub.call("GET", `/collaboration/${id}`, { as });
  assert.deepEqual(plain.body, {
    id,
    name: plain.body.name,
    encrypted: false,
    organizations: `/api/organization?collaboration_id=${id}`,
    nodes: `/api/node?collaboration_id=${id}`,
    tasks: `/api/task?collaboration_id=${id}`,
    studies: `/api/study?collaboration_id=${id}`,
    algorithm_stores: `/api/algorithmstore?collaboration_id=${id}`,
  });
  const full = await hub.call("GET", `/collaboration/${id}?include=organizations`, { as });
  assert.deepEqual(idsOf(full.body.organizations), [a]);
  assert.equal(full.body.organizations[0].nodes, `/api/node?organization_id=${a}`);
  const list = await hub.call("GET", "/collaboration?include=tasks,organizations", { as });
  assert.deepEqual(list.body.data, [full.body]);
});

Deno.test("GET /collaboration filters, sorts and pages", async () => {
  const [a, b] = [await hub.organization(), await hub.organization()];
  const first = await hub.collaboration([a]);
  const second = await hub.collaboration([a, b]);
  const as = await hub.root();
  await hub.call("PATCH", `/collaboration/${first}`, {
    as,
    body: { name: "Zebra", encrypted: true },
  });
  const list = async (query: string) => {
    const answer = await hub.call("GET", `/collaboration?${query}`, { as });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return idsOf(answer.body.data);
  };
  assert.deepEqual(await list(`organization_id=${a}`), [first, second]);
  assert.deepEqual(await list(`organization_id=${b}`), [second]);
  assert.deepEqual(await list(`organization_id=${a}&sort=-name`), [first, second]);
  assert.deepEqual(await list(`organization_id=${a}&sort=-id`), [second, first]);
  assert.deepEqual(await list("name=Zeb%25"), [first]);
  assert.deepEqual(await list("name=zeb"), []);
  assert.deepEqual(await list(`organization_id=${a}&encrypted=True`), [first]);
  assert.deepEqual(await list(`organization_id=${a}&encrypted=False`), [second]);
  const page = await hub.call("GET", `/collaboration?organization_id=${a}&per_page=1&page=2`, {
    as,
  });
  assert.deepEqual(idsOf(page.body.data), [second]);
  assert.equal(page.headers.get("total-count"), "2");
  assert.equal(
    page.body.links.previous,
    `/api/collaboration?organization_id=${a}&per_page=1&page=1`,
  );
  assert.equal(page.body.links.next, undefined);
  for (const query of ["sort=secret", "encrypted=maybe", "page=0", "organization_id=x"]) {
    assert.equal((await hub.call("GET", `/collaboration?${query}`, { as })).status, 400, query);
  }
  assert.equal(
    (await hub.call("GET", "/collaboration?algorithm_store_id=999", { as })).status,
    404,
  );
});

Deno.test("PATCH /collaboration/{id} changes name and encryption, and refuses a taken name", async () => {
  const a = await hub.organization();
  const [one, other] = [await hub.collaboration([a]), await hub.collaboration([a])];
  const as = await hub.principal("Collaboration Admin", a);
  const edited = await hub.call("PATCH", `/collaboration/${one}`, {
    as,
    body: { name: "Renamed", encrypted: true, unknown: 1 },
  });
  assert.deepEqual([edited.status, edited.body.name, edited.body.encrypted], [
    200,
    "Renamed",
    true,
  ]);
  const taken = await hub.call("PATCH", `/collaboration/${other}`, {
    as,
    body: { name: "Renamed" },
  });
  assert.equal(taken.status, 400);
  for (
    const body of [{ name: null }, { name: "12" }, { encrypted: "yes" }, { organization_ids: [] }]
  ) {
    const refused = await hub.call("PATCH", `/collaboration/${one}`, { as, body });
    assert.equal(refused.status, 400, JSON.stringify(body));
  }
  const nothing = await hub.call("PATCH", `/collaboration/${one}`, { as, body: {} });
  assert.equal(nothing.body.name, "Renamed");
});

// GHSA-99r4-cjp4-3hmx: rights over a collaboration reach every organization in it, so whoever could
// bring organizations in could give themselves rights over anybody.
Deno.test("a collaboration's administrator cannot bring an organization under their rights", async () => {
  const [mine, friend, foreign] = [
    await hub.organization(),
    await hub.organization(),
    await hub.organization(),
  ];
  const id = await hub.collaboration([mine]);
  await hub.collaboration([mine, friend]);
  const as = await hub.principal("Collaboration Admin", mine);
  const byList = await hub.call("PATCH", `/collaboration/${id}`, {
    as,
    body: { organization_ids: [mine, foreign] },
  });
  const byOne = await hub.call("POST", `/collaboration/${id}/organization`, {
    as,
    body: { id: foreign },
  });
  assert.deepEqual([byList.status, byOne.status], [401, 401]);
  assert.deepEqual(await membersOf(`/collaboration/${id}`), [mine]);
  // Rights over this one they have already.
  const known = await hub.call("POST", `/collaboration/${id}/organization`, {
    as,
    body: { id: friend },
  });
  assert.deepEqual([known.status, idsOf(known.body)], [200, [mine, friend]]);
  const other = await hub.collaboration([foreign]);
  const elsewhere = await hub.call("POST", `/collaboration/${other}/organization`, {
    as,
    body: { id: mine },
  });
  assert.equal(elsewhere.status, 401);
});

Deno.test("POST /collaboration/{id}/organization answers with all members, twice the same", async () => {
  const [a, b] = [await hub.organization(), await hub.organization()];
  const id = await hub.collaboration([a]);
  const as = await hub.root();
  for (let turn = 0; turn < 2; turn++) {
    const added = await hub.call("POST", `/collaboration/${id}/organization`, {
      as,
      body: { id: b },
    });
    assert.deepEqual([added.status, idsOf(added.body)], [200, [a, b]]);
  }
  const unknown = await hub.call("POST", `/collaboration/${id}/organization`, {
    as,
    body: { id: 99_999 },
  });
  assert.equal(unknown.status, 404);
  const noBody = await hub.call("POST", `/collaboration/${id}/organization`, { as });
  assert.equal(noBody.status, 400);
});

Deno.test("DELETE /collaboration/{id}/organization takes its places in studies and its node along", async () => {
  const [a, b] = [await hub.organization(), await hub.organization()];
  const id = await hub.collaboration([a, b]);
  const elsewhere = await hub.collaboration([a, b]);
  const study = await hub.study(id, [a, b]);
  const otherStudy = await hub.study(elsewhere, [a, b]);
  const node = await hub.node(b, id);
  const otherNode = await hub.node(b, elsewhere);
  const as = await hub.principal("Collaboration Admin", a);
  const path = `/collaboration/${id}/organization`;
  const removed = await hub.call("DELETE", path, { as, body: { id: b } });
  assert.deepEqual([removed.status, idsOf(removed.body)], [200, [a]]);
  assert.deepEqual(await membersOf(`/study/${study}`), [a]);
  assert.deepEqual(await membersOf(`/study/${otherStudy}`), [a, b]);
  const root = await hub.root();
  assert.equal((await hub.call("GET", `/node/${node.id}`, { as: root })).status, 404);
  assert.equal((await hub.call("GET", `/node/${otherNode.id}`, { as: root })).status, 200);
  await waitFor(
    () => hub.events.some((one) => one.name === "node.deleted" && one.data.node_id === node.id),
    { what: "the event" },
  );
  assert.equal((await hub.call("DELETE", path, { as, body: { id: b } })).status, 404);
});

Deno.test("PATCH organization_ids replaces the members, and those who left lose studies and nodes", async () => {
  const [a, b, c] = [await hub.organization(), await hub.organization(), await hub.organization()];
  const id = await hub.collaboration([a, b]);
  const study = await hub.study(id, [b]);
  const node = await hub.node(b, id);
  const as = await hub.root();
  const edited = await hub.call("PATCH", `/collaboration/${id}`, {
    as,
    body: { organization_ids: [a, c] },
  });
  assert.equal(edited.status, 200);
  assert.deepEqual(await membersOf(`/collaboration/${id}`), [a, c]);
  assert.deepEqual(await membersOf(`/study/${study}`), []);
  assert.equal((await hub.call("GET", `/node/${node.id}`, { as })).status, 404);
  const unknown = await hub.call("PATCH", `/collaboration/${id}`, {
    as,
    body: { organization_ids: [a, 99_999] },
  });
  assert.equal(unknown.status, 404);
});

// §9 #1: v6's client always sends "False", which the reference takes for true.
Deno.test("DELETE /collaboration/{id} keeps what depends on it unless the flag is a true boolean", async () => {
  const a = await hub.organization();
  const as = await hub.root();
  for (const dependent of ["study", "node", "task"]) {
    const id = await hub.collaboration([a]);
    if (dependent === "study") await hub.study(id, [a]);
    if (dependent === "node") await hub.node(a, id);
    if (dependent === "task") await hub.task({ collaboration: id, organization: a });
    for (const query of ["", "?delete_dependents=False", "?delete_dependents=0"]) {
      const kept = await hub.call("DELETE", `/collaboration/${id}${query}`, { as });
      assert.equal(kept.status, 400, `${dependent} ${query}`);
    }
    assert.equal((await hub.call("GET", `/collaboration/${id}`, { as })).status, 200);
    const deleted = await hub.call("DELETE", `/collaboration/${id}?delete_dependents=True`, { as });
    assert.equal(deleted.status, 200);
    assert.equal((await hub.call("GET", `/collaboration/${id}`, { as })).status, 404);
    await waitFor(
      () =>
        hub.events.some((one) =>
          one.name === "collaboration.deleted" && one.data.collaboration_id === id
        ),
      { what: "the event that task cleans up after" },
    );
  }
  const empty = await hub.collaboration([a]);
  assert.equal((await hub.call("DELETE", `/collaboration/${empty}`, { as })).status, 200);
  assert.equal((await hub.call("DELETE", `/collaboration/${empty}`, { as })).status, 404);
  const bad = await hub.collaboration([a]);
  const query = "?delete_dependents=perhaps";
  assert.equal((await hub.call("DELETE", `/collaboration/${bad}${query}`, { as })).status, 400);
});

Deno.test("a collaboration's deletion tells of its studies and nodes", async () => {
  const a = await hub.organization();
  const id = await hub.collaboration([a]);
  const study = await hub.study(id, [a]);
  const node = await hub.node(a, id);
  const as = await hub.principal("Root", a);
  await hub.call("DELETE", `/collaboration/${id}?delete_dependents=true`, { as });
  await waitFor(() => hub.events.at(-1)?.name === "collaboration.deleted", { what: "the events" });
  const told = hub.events.slice(-3).map((one) => [one.name, one.data]);
  assert.deepEqual(told, [
    ["study.deleted", { study_id: study, collaboration_id: id }],
    ["node.deleted", { node_id: node.id, organization_id: a, collaboration_id: id }],
    ["collaboration.deleted", { collaboration_id: id }],
  ]);
});

Deno.test("POST and DELETE /collaboration/{id}/node move a node in and take it out", async () => {
  const [a, b] = [await hub.organization(), await hub.organization()];
  const [from, to] = [await hub.collaboration([a, b]), await hub.collaboration([a])];
  const node = await hub.node(a, from);
  const as = await hub.principal("Collaboration Admin", a);
  const moved = await hub.call("POST", `/collaboration/${to}/node`, { as, body: { id: node.id } });
  assert.equal(moved.status, 201);
  assert.deepEqual(moved.body, [{
    id: node.id,
    name: moved.body[0].name,
    ip: null,
    status: "offline",
    last_seen: null,
    organization: {
      id: a,
      link: `/api/organization/${a}`,
      methods: ["GET", "PATCH", "DELETE"],
    },
  }]);
  await waitFor(
    () =>
      hub.events.some(({ name, data }) =>
        name === "membership.deleted" && data.node_id === node.id && data.collaboration_id === from
      ),
    { what: "the event that task ends its work after" },
  );
  const status = async (method: string, collaboration: number, id: number) =>
    (await hub.call(method, `/collaboration/${collaboration}/node`, { as, body: { id } })).status;
  assert.equal(await status("POST", to, node.id), 400); // in it already
  const stranger = await hub.node(b, from);
  assert.equal(await status("POST", to, stranger.id), 400); // its organization is no member
  const second = await hub.node(a, from);
  assert.equal(await status("POST", to, second.id), 400); // the organization has a node there
  assert.equal(await status("POST", to, 99_999), 404);
  const foreign = await hub.organization();
  const theirs = await hub.node(foreign, await hub.collaboration([foreign]));
  assert.equal(await status("POST", to, theirs.id), 401);
  assert.equal(await status("DELETE", from, node.id), 400); // not in it
  assert.equal(await status("DELETE", to, node.id), 200);
  assert.equal(await status("DELETE", to, node.id), 404);
});

// CVE-2023-41882: tasks could be read at a second address that forgot to ask for the right to see
// tasks.
Deno.test("a collaboration has no second way to its tasks", async () => {
  const a = await hub.organization();
  const id = await hub.collaboration([a]);
  await hub.task({ collaboration: id, organization: a });
  const as = await hub.principal("Viewer", a);
  for (const path of [`/collaboration/${id}/task`, `/collaboration/${id}/run`]) {
    assert.equal((await hub.call("GET", path, { as })).status, 404);
  }
  const { body } = await hub.call("GET", `/collaboration/${id}?include=tasks,runs`, { as });
  assert.equal(body.tasks, `/api/task?collaboration_id=${id}`);
});

// CVE-2023-28635: a name of digits could be taken for an id.
Deno.test("nothing here can be named like an id", async () => {
  const a = await hub.organization();
  const id = await hub.collaboration([a]);
  const as = await hub.root();
  const given = {
    organization_ids: [a],
    collaboration_id: id,
    organization_id: a,
    encrypted: false,
  };
  for (const noun of ["collaboration", "study", "node"]) {
    for (const name of ["7", "0123", 7, ""]) {
      const { status } = await hub.call("POST", `/${noun}`, { as, body: { ...given, name } });
      assert.equal(status, 400, `${noun} ${JSON.stringify(name)}`);
    }
  }
});

Deno.test("changes and refusals leave a record, and no secret is in it", async () => {
  const [a, b] = [await hub.organization(), await hub.organization()];
  const id = await hub.collaboration([a]);
  const as = await hub.principal("Organization Admin", a);
  const { body: node } = await hub.call("POST", "/node", { as, body: { collaboration_id: id } });
  const { body: again } = await hub.call("POST", "/recover/node", { as, body: { id: node.id } });
  await hub.call("PATCH", `/collaboration/${id}`, { as, body: { name: "Not allowed" } });
  const stranger = await hub.principal("Viewer", b);
  await hub.call("GET", `/collaboration/${id}`, { as: stranger });
  const records = await hub.dbs.collaboration<{ what: string; outcome: string; data: unknown }[]>`
    select what, object, object_id, outcome, status, data from audit
    where who_organization_id in (${a}, ${b}) order by id`;
  assert.deepEqual(records.map(({ what, outcome }) => `${what} ${outcome}`), [
    "node.changed done",
    "node.key_reset done",
    `PATCH /api/collaboration/${id} refused`,
    `GET /api/collaboration/${id} refused`,
  ]);
  const text = JSON.stringify(records);
  for (const secret of [node.api_key, again.api_key]) assert.ok(!text.includes(secret));
});
