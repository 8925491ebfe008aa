import assert from "node:assert/strict";
import { connectToBroker } from "../../../shared/broker/connection.ts";
import { issueNodeCredential, nodeIssuers } from "../../../shared/broker/trust.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { newUserKey } from "../../../shared/broker/signing.ts";
import { subjects } from "../../../shared/broker/subjects.ts";
import { waitFor } from "../../../tests/harness.ts";
import { useKillableCollaboration } from "../../../tests/support/collaboration.ts";
import { ACCOUNT, SIGNER, systemAccount } from "../../../tests/support/system_account.ts";
import { type PresenceOptions, watchPresence } from "./watch.ts";

const hub = useKillableCollaboration();

/** One replica that watches. */
async function watch(options: Partial<PresenceOptions> = {}) {
  const { nc } = await hub.nats.system("collaboration");
  const { db, outbox } = hub.deps;
  const presence = watchPresence({
    db,
    outbox,
    log: silentLogger,
    system: nc,
    issuers: nodeIssuers(hub.nats.trust),
    now: () => new Date(),
    settleMs: 500,
    ...options,
  });
  return {
    async stop() {
      await presence.stop();
      await nc.close();
    },
  };
}

async function newNode(): Promise<number> {
  const organization = await hub.organization();
  return (await hub.node(organization, await hub.collaboration([organization]))).id;
}

async function shown(node: number) {
  const { body } = await hub.call("GET", `/node/${node}`, { as: await hub.root() });
  return body as { status: string; last_seen: string | null; config: unknown[] };
}

/** Milliseconds until the node is shown so. */
async function untilShown(node: number, status: string, timeout = 10_000): Promise<number> {
  const began = performance.now();
  await waitFor(async () => (await shown(node)).status === status, {
    what: `node ${node} to be shown ${status}`,
    timeout,
  });
  return performance.now() - began;
}

const toldOf = (node: number) =>
  hub.events.flatMap((event) =>
    event.name === "node.presence" && event.data.node_id === node ? [event.data.status] : []
  );

/** A connection of a node in a process of its own. */
async function startProcess(node: number) {
  const key = newUserKey();
  const { jwt } = await issueNodeCredential(hub.nats.trust, node, key.publicKey, 3600);
  const script = new URL("../../../tests/support/broker_client.ts", import.meta.url).pathname;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", script],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = process.stdin.getWriter();
  const name = "whatever it calls itself";
  const given = { url: hub.nats.url, inbox: subjects.inbox(node), name, seed: key.seed, jwt };
  await input.write(new TextEncoder().encode(JSON.stringify(given)));
  await input.close();
  const output = process.stdout.getReader();
  await output.read();
  return {
    kill: (signal: Deno.Signal) => process.kill(signal),
    async gone() {
      await output.cancel();
      await process.status;
    },
  };
}

Deno.test("a node is shown online while it is connected, with the time it was last seen", async () => {
  const replica = await watch();
  const node = await newNode();
  assert.deepEqual([(await shown(node)).status, (await shown(node)).last_seen], ["offline", null]);
  const before = new Date().toISOString();
  const { nc } = await hub.nats.node(node);
  assert.ok(await untilShown(node, "online") < 2_000);
  await hub.dbs.collaboration`
    insert into node_config (node_id, key, value) values (${node}, 'database_labels', 'default')`;
  assert.deepEqual((await shown(node)).config, [{ key: "database_labels", value: "default" }]);
  await nc.close();
  const closed = new Date(Date.now() + 500).toISOString();
  assert.ok(await untilShown(node, "offline") < 5_000);
  const { last_seen, config } = await shown(node);
  const seen = new Date(`${last_seen}Z`).toISOString();
  // When it was lost, not when that was written down.
  assert.ok(seen > before && seen < closed, `${before} < ${seen} < ${closed}`);
  assert.deepEqual(config, []); // what it told of itself is gone with it
  assert.deepEqual(toldOf(node), ["online", "offline"]);
  await replica.stop();
});

Deno.test("a node whose process is killed is shown offline within ten seconds", async () => {
  const replica = await watch();
  const node = await newNode();
  const process = await startProcess(node);
  await untilShown(node, "online");
  process.kill("SIGKILL");
  assert.ok(await untilShown(node, "offline") < 10_000);
  await process.gone();
  await replica.stop();
});

Deno.test("a node whose link is cut without a word is shown offline within ten seconds", async () => {
  const replica = await watch();
  const node = await newNode();
  const process = await startProcess(node);
  await untilShown(node, "online");
  process.kill("SIGSTOP"); // its connection stays open, and nothing comes from it any more
  const took = await untilShown(node, "offline", 15_000);
  assert.ok(took < 10_000, `${took} ms`);
  process.kill("SIGCONT");
  await untilShown(node, "online");
  process.kill("SIGKILL");
  await process.gone();
  await replica.stop();
});

Deno.test("200 quick reconnections are no alarm", async () => {
  const replicas = [await watch(), await watch({ compareEveryMs: 50, listEveryMs: 70 })];
  const node = await newNode();
  const key = newUserKey();
  const { jwt } = await issueNodeCredential(hub.nats.trust, node, key.publicKey, 3600);
  const credential = { seed: key.seed, jwt: () => jwt };
  const log = silentLogger;
  const inboxPrefix = subjects.inbox(node);
  const connect = () =>
    connectToBroker({ url: hub.nats.url, name: "n", credential, inboxPrefix, log });
  let nc = await connect();
  await untilShown(node, "online");
  for (let turn = 0; turn < 200; turn++) {
    await nc.close();
    nc = await connect();
  }
  await nc.flush();
  assert.equal((await shown(node)).status, "online");
  assert.deepEqual(toldOf(node), ["online"]);
  await nc.close();
  await untilShown(node, "offline");
  assert.deepEqual(toldOf(node), ["online", "offline"]); // told once, by whichever replica
  await Promise.all(replicas.map((replica) => replica.stop()));
});

Deno.test("two connections of a node, as when a credential is exchanged, count as one node", async () => {
  const replica = await watch({ graceMs: 0 });
  const node = await newNode();
  const old = await hub.nats.node(node);
  await untilShown(node, "online");
  const next = await hub.nats.node(node);
  await next.nc.flush();
  await old.nc.close();
  await next.nc.close();
  await untilShown(node, "offline");
  assert.deepEqual(toldOf(node), ["online", "offline"]);
  await replica.stop();
});

Deno.test("what a client calls itself makes it no node", async () => {
  const replica = await watch();
  const [node, victim] = [await newNode(), await newNode()];
  const key = newUserKey();
  const { jwt } = await issueNodeCredential(hub.nats.trust, node, key.publicKey, 3600);
  const nc = await connectToBroker({
    url: hub.nats.url,
    name: `node ${victim}`,
    credential: { seed: key.seed, jwt: () => jwt },
    inboxPrefix: subjects.inbox(node),
    log: silentLogger,
  });
  await untilShown(node, "online");
  assert.equal((await shown(victim)).status, "offline");
  await nc.close();
  await untilShown(node, "offline");
  await replica.stop();
});

Deno.test("a service that starts late, or was away, finds who came and went meanwhile", async () => {
  const [came, left] = [await newNode(), await newNode()];
  const leaving = await hub.nats.node(left);
  const first = await watch();
  await untilShown(left, "online");
  await first.stop();
  await leaving.nc.close();
  const coming = await hub.nats.node(came);
  const second = await watch();
  await untilShown(came, "online");
  await untilShown(left, "offline");
  await coming.nc.close();
  await untilShown(came, "offline");
  await second.stop();
});

Deno.test("a restart of the broker is no alarm, and who does not come back is shown offline", async () => {
  const replicas = [await watch({ settleMs: 3_000 }), await watch({ settleMs: 3_000 })];
  const [stays, dies] = [await newNode(), await newNode()];
  const staying = await hub.nats.node(stays);
  const process = await startProcess(dies);
  await untilShown(stays, "online");
  await untilShown(dies, "online");
  await hub.nats.kill9();
  process.kill("SIGKILL");
  await process.gone();
  await hub.nats.start();
  const took = await untilShown(dies, "offline", 15_000);
  assert.ok(took < 10_000, `${took} ms`);
  assert.equal((await shown(stays)).status, "online");
  assert.deepEqual(toldOf(stays), ["online"]);
  await staying.nc.close();
  await untilShown(stays, "offline");
  await Promise.all(replicas.map((replica) => replica.stop()));
});

Deno.test("what happens while the database is away is recorded when it is back", async () => {
  const replica = await watch({ compareEveryMs: 300 });
  const [leaves, comes] = [await newNode(), await newNode()];
  const leaving = await hub.nats.node(leaves);
  await untilShown(leaves, "online");
  await hub.postgres.kill9();
  await leaving.nc.close();
  const coming = await hub.nats.node(comes);
  await hub.postgres.start();
  await untilShown(leaves, "offline");
  await untilShown(comes, "online");
  await coming.nc.close();
  await untilShown(comes, "offline");
  await replica.stop();
});

/** Nodes of as many organizations in one collaboration; returns their ids. */
async function newNodes(count: number): Promise<number[]> {
  const rows = await hub.dbs.collaboration<{ id: number }[]>`
    with place as (
      insert into collaboration (name) values (${crypto.randomUUID()}) returning id
    ), member as (
      insert into collaboration_member (collaboration_id, organization_id)
      select id, 1000000 + number from place, generate_series(1, ${count}) as number
      returning collaboration_id, organization_id
    )
    insert into node (name, api_key_sha256, organization_id, collaboration_id)
    select gen_random_uuid(), gen_random_uuid(), organization_id, collaboration_id from member
    returning id`;
  return rows.map((row) => row.id);
}

async function untilOnline(nodes: number[]): Promise<void> {
  await waitFor(async () => {
    const [row] = await hub.dbs.collaboration<{ online: number }[]>`
      select count(*)::integer as online from node where status = 'online' and id = any(${nodes})`;
    return row!.online === nodes.length;
  }, { what: `${nodes.length} nodes to be shown online` });
}

/** Nodes, among these, that were told to be offline. */
function toldOffline(nodes: number[]): number[] {
  return hub.events.flatMap((event) =>
    event.name === "node.presence" && event.data.status === "offline" &&
      nodes.includes(event.data.node_id)
      ? [event.data.node_id]
      : []
  );
}

Deno.test("500 nodes of which many renew between two pages of the list: no alarm", async () => {
  const nodes = await newNodes(500);
  let turn = 0;
  const system = systemAccount((one, offset) => {
    if (offset !== 0) return;
    // A few, so that the list is one, and now and then more than its pages share.
    const renewing = nodes.slice(turn * 7, turn * 7 + (turn % 3 === 0 ? 60 : 5));
    turn++;
    for (const node of renewing) one.open(node);
    for (const node of renewing) one.close(node);
  });
  for (const node of nodes) system.open(node);
  const { db, outbox } = hub.deps;
  const presence = watchPresence({
    db,
    outbox,
    log: silentLogger,
    system,
    issuers: { appAccountPublic: ACCOUNT, nodeSignerPublic: SIGNER },
    now: () => new Date(),
    graceMs: 20,
    settleMs: 20,
    listEveryMs: 10,
  });
  await untilOnline(nodes);
  const before = system.lists;
  await waitFor(() => system.lists > before + 20, { what: "many lists", timeout: 20_000 });
  assert.deepEqual(toldOffline(nodes), []);
  system.close(nodes[0]!);
  await untilShown(nodes[0]!, "offline");
  assert.deepEqual(toldOffline(nodes), [nodes[0]]);
  await presence.stop();
});

Deno.test("nodes that come back one after the other after a restart: no alarm while some still do", async () => {
  const nodes = await newNodes(6);
  const system = systemAccount(() => {});
  const { db, outbox } = hub.deps;
  const present = () =>
    watchPresence({
      db,
      outbox,
      log: silentLogger,
      system,
      issuers: { appAccountPublic: ACCOUNT, nodeSignerPublic: SIGNER },
      now: () => new Date(),
      graceMs: 20,
      settleMs: 1000,
      listEveryMs: 10,
    });
  for (const node of nodes) system.open(node);
  const first = present();
  await untilOnline(nodes);
  await first.stop();

  for (const node of nodes) system.close(node);
  const second = present();
  const [missing, ...coming] = nodes;
  for (const node of coming) {
    const before = system.lists;
    system.open(node);
    await waitFor(() => system.lists > before, { what: "another list" });
  }
  assert.deepEqual(toldOffline(nodes), []);
  await untilShown(missing!, "offline");
  assert.deepEqual(toldOffline(nodes), [missing]);
  await second.stop();
});

Deno.test("120 nodes that renew while the broker lists its connections in pages: no alarm", async () => {
  const nodes = await newNodes(120);
  const connections = new Map<number, Awaited<ReturnType<typeof hub.nats.node>>["nc"]>();
  for (const node of nodes) connections.set(node, (await hub.nats.node(node)).nc);
  const { nc } = await hub.nats.system("collaboration");
  let pages = 0;
  const { db, outbox } = hub.deps;
  const presence = watchPresence({
    db,
    outbox,
    log: silentLogger,
    system: {
      subscribe: nc.subscribe,
      watch: nc.watch,
      requestMany(...question) {
        pages++;
        return nc.requestMany(...question);
      },
    },
    issuers: nodeIssuers(hub.nats.trust),
    now: () => new Date(),
    graceMs: 300,
    settleMs: 300,
    listEveryMs: 10,
    pageSize: 50,
  });
  await untilOnline(nodes);
  for (let turn = 0; pages < 15 || turn < 60; turn++) {
    const node = nodes[turn % 60]!;
    const old = connections.get(node)!;
    const { nc: next } = await hub.nats.node(node);
    await next.flush();
    connections.set(node, next);
    await old.close();
  }
  assert.deepEqual(toldOffline(nodes), []);
  await connections.get(nodes[119]!)!.close();
  await untilShown(nodes[119]!, "offline");
  assert.deepEqual(toldOffline(nodes), [nodes[119]]);
  await Promise.all([...connections.values()].map((one) => one.close()));
  await presence.stop();
  await nc.close();
});
