import assert from "node:assert/strict";
import { createEventOutbox } from "../../shared/storage/outbox.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { waitFor } from "../../tests/harness.ts";
import { useCollaboration } from "../../tests/support/collaboration.ts";
import { forgetLostOrganizations, hearEvent } from "./reactions.ts";
import { membershipsOf } from "./store/collaboration.ts";

const hub = useCollaboration();

/** Deletes an organization as identity does: the row and the event in one transaction. */
async function deleteOrganization(id: number) {
  const { nc } = await hub.nats.service("identity");
  const db = hub.dbs.identity;
  const outbox = await createEventOutbox({ db, nc, service: "identity", log: silentLogger });
  await outbox.change(async ({ tx, emit }) => {
    await tx`delete from organization where id = ${id}`;
    emit("organization.deleted", { organization_id: id });
  });
  await outbox.stop();
}

async function place() {
  const [a, b] = [await hub.organization(), await hub.organization()];
  const collaboration = await hub.collaboration([a, b]);
  const study = await hub.study(collaboration, [a, b]);
  const node = (await hub.node(b, collaboration)).id;
  const as = await hub.root();
  return {
    b,
    collaboration,
    /** What is left of the organization anywhere in the service. */
    async traces() {
      const { body } = await hub.call("GET", `/study/${study}?include=organizations`, { as });
      return [
        (await membershipsOf(hub.deps.db, b)).length,
        body.organizations.length - 1,
        (await hub.call("GET", `/node/${node}`, { as })).status === 200 ? 1 : 0,
      ];
    },
    node,
  };
}

Deno.test("an organization deleted in identity leaves memberships, studies and nodes", async () => {
  const { b, node, traces } = await place();
  assert.deepEqual(await traces(), [1, 1, 1]);
  await deleteOrganization(b);
  await waitFor(async () => (await traces()).join() === "0,0,0", { what: "the end of all traces" });
  await waitFor(
    () => hub.events.some((one) => one.name === "node.deleted" && one.data.node_id === node),
    { what: "the event of the node's end" },
  );
});

Deno.test("a service that could not act when an organization was deleted does it as soon as it can", async () => {
  const { b, collaboration, traces } = await place();
  await hub.dbs.collaboration.begin(async (tx) => {
    await tx`select from collaboration where id = ${collaboration} for update`;
    await deleteOrganization(b);
    assert.deepEqual(await traces(), [1, 0, 1]); // identity shows it no more
  });
  await waitFor(async () => (await traces()).join() === "0,0,0", { what: "the end of all traces" });
});

Deno.test("hearEvent() can hear the same event twice", async () => {
  const { b, traces } = await place();
  const event = { name: "organization.deleted", at: "", data: { organization_id: b } } as const;
  await hearEvent(event, hub.deps);
  const told = hub.events.length;
  await hearEvent(event, hub.deps);
  assert.deepEqual(await traces(), [0, 0, 0]);
  assert.ok(told > 0);
});

Deno.test("forgetLostOrganizations() mends what a lost event left behind", async () => {
  const { b, traces } = await place();
  await hub.dbs.identity`delete from organization where id = ${b}`;
  await forgetLostOrganizations(hub.deps);
  assert.deepEqual(await traces(), [0, 0, 0]);
});

Deno.test("forgetLostOrganizations() deletes nothing when identity knows none at all", async () => {
  const { b } = await place();
  const rows = await hub.dbs.identity`delete from organization returning *`;
  await forgetLostOrganizations(hub.deps);
  assert.equal((await membershipsOf(hub.deps.db, b)).length, 1);
  await hub.dbs.identity`insert into organization ${hub.dbs.identity(rows)}`;
});
