import assert from "node:assert/strict";
import { useTestHub } from "../../../../tests/support/hub.ts";

const hub = useTestHub();
let serial = 0;

/** A collaboration of two organizations, the first with a node. */
async function place() {
  const { call, root } = hub();
  async function make(path: string, body: unknown) {
    const answer = await call("POST", path, { token: root, body });
    assert.ok(answer.status <= 201, JSON.stringify(answer.body));
    return answer.body;
  }
  const name = () => `Formats ${++serial}`;
  const organizations = [
    (await make("/organization", { name: name() })).id,
    (await make("/organization", { name: name() })).id,
  ];
  const members = { name: name(), organization_ids: organizations, encrypted: true };
  const collaboration = (await make("/collaboration", members)).id;
  const at = { collaboration_id: collaboration, organization_id: organizations[0] };
  const node: { id: number; api_key: string } = await make("/node", at);
  return { organization: organizations[0] as number, collaboration: collaboration as number, node };
}

async function logIn(api_key: string, more: object = {}) {
  return await hub().call("POST", "/token/node", { body: { api_key, ...more } });
}

async function formats(collaboration: number, token: string = hub().root) {
  return await hub().call("GET", `/collaboration/${collaboration}/payload_formats`, { token });
}

Deno.test("what a node's agent reads is known from its log-in on, also while it is away", async () => {
  const { organization, collaboration, node } = await place();
  const shown = (payload_formats: string[]) => ({
    data: [{
      organization: {
        id: organization,
        link: `/api/organization/${organization}`,
        methods: ["GET", "PATCH", "DELETE"],
      },
      payload_formats,
    }],
  });
  assert.deepEqual((await formats(collaboration)).body, shown([]));
  const payload_formats = ["field", "authenticated"];
  const { body: { access_token: token } } = await logIn(node.api_key, { payload_formats });
  assert.deepEqual((await formats(collaboration, token)).body, shown(payload_formats));
  await hub().db.collaboration`update node set status = 'online' where id = ${node.id}`;
  await hub().db.collaboration`update node set status = 'offline' where id = ${node.id}`;
  assert.deepEqual((await formats(collaboration)).body, shown(payload_formats));
  const path = `/collaboration/${collaboration}/payload_formats?organization_id`;
  const ask = (id: unknown) => hub().call("GET", `${path}=${id}`, { token });
  assert.deepEqual((await ask(organization)).body, shown(payload_formats));
  assert.deepEqual((await ask(organization + 1)).body, { data: [] });
  assert.equal((await ask("x")).status, 400);
  // It is nothing that Node objects tell.
  const { body } = await hub().call("GET", `/node/${node.id}`, { token });
  assert.equal("payload_formats" in body, false);
});

Deno.test("what an agent reads is forgotten with the agent", async () => {
  const { collaboration, node } = await place();
  const known = async () => (await formats(collaboration)).body.data[0]?.payload_formats;
  const payload_formats = ["field", "authenticated"];
  await logIn(node.api_key, { payload_formats });
  assert.deepEqual(await known(), payload_formats);
  // A program of v6 in its place, which does not know the question.
  await logIn(node.api_key);
  assert.deepEqual(await known(), []);
  await logIn(node.api_key, { payload_formats });
  const body = { id: node.id };
  const reset = await hub().call("POST", "/recover/node", { token: hub().root, body });
  assert.equal(reset.status, 200);
  assert.deepEqual(await known(), []);
  await logIn(reset.body.api_key, { payload_formats });
  await hub().call("DELETE", `/node/${node.id}`, { token: hub().root });
  assert.equal(await known(), undefined);
});

Deno.test("a log-in that is refused changes nothing of what is known", async () => {
  const { collaboration, node } = await place();
  await logIn(node.api_key, { payload_formats: ["field"] });
  for (const payload_formats of ["x", [1], ["a b"], [""], ["x".repeat(33)], Array(17).fill("x")]) {
    assert.equal((await logIn(node.api_key, { payload_formats })).status, 400);
  }
  assert.equal((await logIn(crypto.randomUUID(), { payload_formats: [] })).status, 401);
  assert.deepEqual((await formats(collaboration)).body.data[0].payload_formats, ["field"]);
  assert.equal((await formats(999_999)).status, 404);
});
