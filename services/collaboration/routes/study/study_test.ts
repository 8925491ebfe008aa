import assert from "node:assert/strict";
import { waitFor } from "../../../../tests/harness.ts";
import { useCollaboration } from "../../../../tests/support/collaboration.ts";

const hub = useCollaboration();
const idsOf = (list: { id: number }[]) => list.map((one) => one.id);

async function place() {
  const [a, b, c] = [await hub.organization(), await hub.organization(), await hub.organization()];
  const collaboration = await hub.collaboration([a, b]);
  return { a, b, outside: c, collaboration, study: await hub.study(collaboration, [a]) };
}

Deno.test("a Study has every field of the contract", async () => {
  const { a, collaboration, study } = await place();
  const as = await hub.principal("Viewer", a);
  const { body } = await hub.call("GET", `/study/${study}`, { as });
  assert.deepEqual(body, {
    id: study,
    name: body.name,
    collaboration: {
      id: collaboration,
      link: `/api/collaboration/${collaboration}`,
      methods: ["GET", "PATCH", "DELETE"],
    },
    organizations: `/api/organization?study_id=${study}`,
    tasks: `/api/task?study_id=${study}`,
  });
  const list = await hub.call("GET", "/study?include=organizations", { as });
  assert.deepEqual(idsOf(list.body.data[0].organizations), [a]);
});

Deno.test("GET /study is narrowed to the caller's scope, and filters outside of it are refused", async () => {
  const { a, b, outside, collaboration, study } = await place();
  const list = async (
    role: "Root" | "Viewer" | "Collaboration Admin",
    organization: number,
    query = "",
  ) => {
    const as = await hub.principal(role, organization);
    const { status, body } = await hub.call("GET", `/study${query}`, { as });
    return status === 200 ? idsOf(body.data) : status;
  };
  assert.deepEqual(await list("Viewer", a), [study]);
  assert.deepEqual(await list("Viewer", b), []); // not in the study
  assert.deepEqual(await list("Collaboration Admin", b), [study]);
  assert.deepEqual(await list("Collaboration Admin", outside), []);
  assert.deepEqual(await list("Root", outside, `?collaboration_id=${collaboration}`), [study]);
  assert.deepEqual(await list("Root", outside, `?organization_id=${a}&name=Study%25`), [study]);
  assert.equal(await list("Viewer", outside, `?collaboration_id=${collaboration}`), 401);
  assert.equal(await list("Viewer", b, `?organization_id=${outside}`), 401);
});

Deno.test("a node, and what it runs, sees no studies of other collaborations", async () => {
  const { a, collaboration, study } = await place();
  const elsewhere = await hub.study(await hub.collaboration([a]), [a]);
  const { id: node } = await hub.node(a, collaboration);
  for (const kind of ["node", "container"] as const) {
    const as = await hub.machine(kind, node);
    assert.deepEqual(idsOf((await hub.call("GET", "/study", { as })).body.data), [study]);
    assert.equal((await hub.call("GET", `/study/${study}`, { as })).status, 200);
    assert.equal((await hub.call("GET", `/study/${elsewhere}`, { as })).status, 401);
  }
});

Deno.test("POST /study wants members of the collaboration and a new name", async () => {
  const { a, outside, collaboration } = await place();
  const as = await hub.principal("Collaboration Admin", a);
  const post = (body: unknown) => hub.call("POST", "/study", { as, body });
  const made = await post({
    name: "Pilot",
    collaboration_id: collaboration,
    organization_ids: [a],
  });
  assert.equal(made.status, 201);
  assert.deepEqual(idsOf(made.body.organizations), [a]);
  const given = { name: "Other", collaboration_id: collaboration, organization_ids: [a] };
  assert.equal((await post({ ...given, name: "Pilot" })).status, 400);
  assert.equal((await post({ ...given, organization_ids: [outside] })).status, 400);
  assert.equal((await post({ ...given, organization_ids: [a, a] })).status, 400);
  assert.equal((await post({ ...given, collaboration_id: 99_999 })).status, 404);
  const theirs = await hub.collaboration([outside]);
  assert.equal((await post({ ...given, collaboration_id: theirs })).status, 401);
});

Deno.test("PATCH /study/{id} replaces the organizations and leaves the collaboration", async () => {
  const { a, b, outside, collaboration, study } = await place();
  const as = await hub.principal("Collaboration Admin", b);
  const patch = (body: unknown) => hub.call("PATCH", `/study/${study}`, { as, body });
  const edited = await patch({ name: "New name", organization_ids: [b], collaboration_id: 77 });
  assert.equal(edited.status, 200);
  assert.equal(edited.body.name, "New name");
  assert.equal(edited.body.collaboration.id, collaboration);
  assert.deepEqual(idsOf(edited.body.organizations), [b]);
  assert.equal((await patch({ organization_ids: [a, outside] })).status, 400);
  const after = await patch({});
  assert.deepEqual(idsOf(after.body.organizations), [b]);
  const other = await hub.study(collaboration, [a]);
  const taken = await hub.call("PATCH", `/study/${other}`, { as, body: { name: "New name" } });
  assert.equal(taken.status, 400);
});

Deno.test("POST and DELETE /study/{id}/organization answer with the organizations of the study", async () => {
  const { a, b, outside, study } = await place();
  const as = await hub.principal("Collaboration Admin", a);
  const send = (method: string, id: number) =>
    hub.call(method, `/study/${study}/organization`, { as, body: { id } });
  for (let turn = 0; turn < 2; turn++) {
    assert.deepEqual(idsOf((await send("POST", b)).body), [a, b]);
  }
  assert.equal((await send("POST", outside)).status, 400);
  assert.equal((await send("POST", 99_999)).status, 404);
  assert.deepEqual(idsOf((await send("DELETE", a)).body), [b]);
  assert.equal((await send("DELETE", a)).status, 404);
});

Deno.test("DELETE /study/{id} keeps a study with tasks unless the flag is a true boolean", async () => {
  const { a, collaboration, study } = await place();
  await hub.task({ collaboration, study, organization: a });
  const as = await hub.principal("Collaboration Admin", a);
  const remove = async (query: string) =>
    (await hub.call("DELETE", `/study/${study}${query}`, { as })).status;
  assert.equal(await remove(""), 400);
  assert.equal(await remove("?delete_dependents=False"), 400);
  assert.equal(await remove("?delete_dependents=True"), 200);
  assert.equal(await remove(""), 404);
  await waitFor(
    () => hub.events.some((one) => one.name === "study.deleted" && one.data.study_id === study),
    { what: "the event" },
  );
});

Deno.test("an organization cannot get into a study while it leaves the collaboration", async () => {
  const { a, b, collaboration, study } = await place();
  const as = await hub.root();
  for (let turn = 0; turn < 10; turn++) {
    const body = { id: b };
    const [left] = await Promise.all([
      hub.call("DELETE", `/collaboration/${collaboration}/organization`, { as, body }),
      hub.call("POST", `/study/${study}/organization`, { as, body }),
    ]);
    assert.equal(left.status, 200);
    const { body: shown } = await hub.call("GET", `/study/${study}?include=organizations`, { as });
    assert.deepEqual(idsOf(shown.organizations), [a]);
    await hub.call("POST", `/collaboration/${collaboration}/organization`, { as, body });
  }
});
