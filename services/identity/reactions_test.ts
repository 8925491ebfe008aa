import assert from "node:assert/strict";
import type { Ask } from "../../shared/messages/questions.ts";
import { migrate, openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { startTestNats } from "../../tests/support/nats.ts";
import { useTestPostgres, waitFor } from "../../tests/harness.ts";
import { createWithdrawal } from "./broker/withdrawal.ts";
import { shutNodesOut } from "./broker/shut_out.ts";
import { hearEvent } from "./reactions.ts";
import { rememberBrokerKey } from "./store/node_key.ts";

const postgres = useTestPostgres();

async function startDesk() {
  const log = silentLogger;
  const nats = await startTestNats();
  const db = openDatabase(await postgres.newDatabase("identity"), { schema: "identity", log });
  await migrate(db, new URL("./schema/", import.meta.url), log);
  const now = () => new Date();
  const system = (await nats.system("identity")).nc;
  const broker = createWithdrawal({ db, trust: nats.trust, system, now });
  /** What collaboration says: nodes, and the generation of the API key that each has now. */
  const present = new Map<number, number>();
  const ask = (_: string, __: string, { ids }: { ids: number[] }) =>
    Promise.resolve(
      ids.filter((id) => present.has(id))
        .map((id) => ({ id, key_generation: present.get(id)! })),
    );
  return {
    nats,
    db,
    present,
    deps: { db, broker, now, ask: ask as unknown as Ask },
    /** A connected node with a session, both given for an API key of this generation. */
    async node(id: number, generation = 1) {
      const { nc, key, refusals } = await nats.node(id);
      const at = now();
      const expiresAt = new Date(at.getTime() + 3_600_000);
      const { publicKey } = key;
      await rememberBrokerKey(db, { nodeId: id, publicKey, generation, at, expiresAt });
      await db`
        insert into session (id, client_type, client_id, expires_at, key_generation)
        values (${crypto.randomUUID()}, 'node', ${id}, now() + interval '1 day', ${generation})`;
      const lost = Promise.withResolvers<void>();
      nc.watch(() => lost.resolve());
      return { nc, lost: lost.promise, refusals };
    },
    async sessions(id: number) {
      return (await db`select from session where client_id = ${id}`).length;
    },
    async stop() {
      await nats.stop();
      await db.end();
    },
  };
}

Deno.test("hearEvent() shuts out a node that was deleted, and no other", async () => {
  const desk = await startDesk();
  const [gone, other] = [await desk.node(1), await desk.node(2)];
  const at = new Date().toISOString();
  const data = { node_id: 1, organization_id: 1, collaboration_id: 1 };
  await hearEvent({ name: "node.deleted", at, data }, desk.deps);
  await gone.lost;
  await other.nc.flush();
  assert.deepEqual([await desk.sessions(1), await desk.sessions(2)], [0, 1]);
  await desk.stop();
});

Deno.test("an event that comes late leaves alone what the node was given with its new key", async () => {
  const desk = await startDesk();
  // All in one second, and what was given before even told as of later.
  desk.present.set(1, 2);
  const [before, back] = [await desk.node(1, 1), await desk.node(1, 2)];
  const data = { node_id: 1, organization_id: 1, collaboration_id: 1 };
  const at = new Date().toISOString();
  for (let time = 0; time < 2; time++) {
    await hearEvent({ name: "node.key_reset", at, data }, desk.deps);
  }
  await before.lost;
  await back.nc.flush();
  assert.equal(await desk.sessions(1), 1);
  await desk.stop();
});

Deno.test("shutNodesOut() loses no withdrawal when many nodes go at once", async () => {
  const desk = await startDesk();
  const ids = [1, 2, 3, 4, 5, 6];
  const nodes = await Promise.all(ids.map((id) => desk.node(id)));
  await Promise.all(ids.map((id) => shutNodesOut(desk.deps, [id])));
  await Promise.all(nodes.map((node) => node.lost));
  // Revoked, not only disconnected: none of them gets in again.
  for (const { refusals } of nodes) {
    // Before it, the client may tell of the end of the connection as a violation of the protocol.
    const refused = () =>
      refusals.find(({ reason }) => /AUTHORIZATION|AUTHENTICATION/i.test(reason));
    assert.ok(await waitFor(refused, { what: "the broker to refuse a node" }));
  }
  await desk.stop();
});
