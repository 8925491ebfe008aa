import assert from "node:assert/strict";
import { SextantError } from "../../shared/service/errors.ts";
import { sha256Hex } from "../../shared/service/digest.ts";
import { waitFor } from "../../tests/harness.ts";
import { useCollaboration } from "../../tests/support/collaboration.ts";
import * as operator from "./operator.ts";
import type { Change } from "../../shared/storage/outbox.ts";
import { nodeById, nodeByKey } from "./store/node.ts";
import { studyMembers } from "./store/study.ts";

const hub = useCollaboration();

/** Runs a change of the operator's; returns what it gives back. */
const change = <Result>(work: (change: Change) => Promise<Result>) => hub.deps.outbox.change(work);

/**
 * Tells something of its own and waits until that is heard; returns how many events came before it.
 */
async function mark(): Promise<number> {
  const organization_id = await hub.organization();
  await change(({ emit }) => Promise.resolve(emit("organization.changed", { organization_id })));
  const heard = () =>
    hub.events.findIndex(({ name, data }) =>
      name === "organization.changed" && data.organization_id === organization_id
    );
  await waitFor(() => heard() !== -1, { what: "the event of the mark" });
  return heard();
}

/** The names of what is told while `work` runs. */
async function toldBy(work: () => Promise<unknown>): Promise<string[]> {
  const from = await mark() + 1;
  await work();
  return hub.events.slice(from, await mark()).map(({ name }) => name).toSorted();
}

/** Two organizations in a collaboration, in a study and with nodes, and a link to a store. */
async function place() {
  const [a, b] = [await hub.organization(), await hub.organization()];
  const collaboration = await hub.collaboration([a, b]);
  const study = await hub.study(collaboration, [a, b]);
  const nodes = [(await hub.node(a, collaboration)).id, (await hub.node(b, collaboration)).id];
  await hub.dbs.collaboration`
    insert into algorithm_store (name, url, collaboration_id)
    values ('store', ${`https://${crypto.randomUUID()}.example`}, ${collaboration})`;
  return { a, b, collaboration, study, nodes };
}

Deno.test("removeCollaboration() leaves and tells what the API's deletion does", async () => {
  const as = await hub.root();
  const [here, there] = [await place(), await place()];
  const byOperator = await toldBy(async () => {
    const { shutOut } = await change((one) =>
      operator.removeCollaboration(one, here.collaboration)
    );
    assert.deepEqual(shutOut.toSorted(), here.nodes);
  });
  const byRoute = await toldBy(() =>
    hub.call("DELETE", `/collaboration/${there.collaboration}?delete_dependents=true`, { as })
  );
  assert.deepEqual(byOperator, byRoute);
  assert.equal(byOperator.length, 5); // a study, two nodes, a store, and itself
  for (const path of [`/study/${here.study}`, `/node/${here.nodes[0]}`]) {
    assert.equal((await hub.call("GET", path, { as })).status, 404);
  }
});

Deno.test("updateCollaboration() takes nodes and places in studies of members that leave", async () => {
  const as = await hub.root();
  const [here, there] = [await place(), await place()];
  const name = crypto.randomUUID();
  const byOperator = await toldBy(async () => {
    const { shutOut } = await change((one) =>
      operator.updateCollaboration(one, here.collaboration, { name, organization_ids: [here.a] })
    );
    assert.deepEqual(shutOut, [here.nodes[1]]);
  });
  const byRoute = await toldBy(() =>
    hub.call("PATCH", `/collaboration/${there.collaboration}`, {
      as,
      body: { organization_ids: [there.a] },
    })
  );
  assert.deepEqual(byOperator, byRoute);
  assert.deepEqual(await studyMembers(hub.deps.db, here.study), [here.a]);
  const { body } = await hub.call("GET", `/collaboration/${here.collaboration}`, { as });
  assert.equal(body.name, name);
});

Deno.test("createStudy(), updateStudy() and removeStudy() keep a study within its collaboration", async () => {
  const [here, there] = [await place(), await place()];
  const values = { name: crypto.randomUUID(), collaboration_id: here.collaboration };
  const { id } = await change((one) =>
    operator.createStudy(one, { ...values, organization_ids: [here.a] })
  );
  const refused = (error: SextantError) => error.code === "invalid_request";
  await assert.rejects(
    change((one) => operator.updateStudy(one, id, { organization_ids: [there.a] })),
    refused,
  );
  await assert.rejects(
    change((one) => operator.updateStudy(one, id, { collaboration_id: there.collaboration })),
    refused,
  );
  await change((one) =>
    operator.updateStudy(one, id, { ...values, organization_ids: [here.a, here.b] })
  );
  assert.deepEqual(await studyMembers(hub.deps.db, id), [here.a, here.b]);
  const told = await toldBy(() => change((one) => operator.removeStudy(one, id)));
  assert.deepEqual(told, ["study.deleted"]);
  await assert.rejects(change((one) => operator.removeStudy(one, id)), { code: "not_found" });
});

Deno.test("createNode() makes a node of a member alone, with a key that works", async () => {
  const [a, stranger] = [await hub.organization(), await hub.organization()];
  const { id: collaboration_id } = await change((one) =>
    operator.createCollaboration(one, {
      name: crypto.randomUUID(),
      encrypted: true,
      organization_ids: [a],
    })
  );
  const name = crypto.randomUUID();
  await assert.rejects(
    change((one) =>
      operator.createNode(one, { name, organization_id: stranger, collaboration_id })
    ),
    /is not a member/,
  );
  const made = await change((one) =>
    operator.createNode(one, { name, organization_id: a, collaboration_id })
  );
  assert.equal((await nodeByKey(hub.deps.db, await sha256Hex(made.api_key)))?.id, made.id);
});

Deno.test("updateNode() moves a node and changes its key, after which it is shut out", async () => {
  const { a, nodes: [node] } = await place();
  const elsewhere = await hub.collaboration([a]);
  const stranger = await hub.organization();
  await assert.rejects(
    change((one) => operator.updateNode(one, node!, { organization_id: stranger })),
    /make a new one instead/,
  );
  const told = await toldBy(async () => {
    const { shutOut } = await change((one) =>
      operator.updateNode(one, node!, {
        name: `moved ${node}`,
        collaboration_id: elsewhere,
        api_key: `key of ${node}`,
      })
    );
    assert.deepEqual(shutOut, [node]);
  });
  assert.deepEqual(told, [
    "membership.deleted",
    "node.changed",
    "node.changed",
    "node.key_reset",
  ]);
  const row = await nodeByKey(hub.deps.db, await sha256Hex(`key of ${node}`));
  assert.deepEqual([row?.name, row?.collaboration_id], [`moved ${node}`, elsewhere]);
});

Deno.test("resetNodeKey() and removeNode() shut the node out", async () => {
  const { nodes: [node] } = await place();
  const reset = await change((one) => operator.resetNodeKey(one, node!));
  assert.deepEqual(reset.shutOut, [node]);
  assert.equal((await nodeByKey(hub.deps.db, await sha256Hex(reset.api_key)))?.id, node);
  const told = await toldBy(async () => {
    const { shutOut } = await change((one) => operator.removeNode(one, node!));
    assert.deepEqual(shutOut, [node]);
  });
  assert.deepEqual(told, ["node.deleted"]);
  assert.equal(await nodeById(hub.deps.db, node!), undefined);
});
