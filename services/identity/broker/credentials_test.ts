import assert from "node:assert/strict";
import { type BrokerConnection, connectToBroker } from "../../../shared/broker/connection.ts";
import { type KeyPairText, newUserKey } from "../../../shared/broker/signing.ts";
import type { Ask } from "../../../shared/messages/questions.ts";
import type { BrokerCredential } from "../../../shared/node_protocol/log_in.ts";
import { silentLogger as log } from "../../../shared/service/log.ts";
import { type Db, migrate, openDatabase } from "../../../shared/storage/db.ts";
import { useTestPostgres, waitFor } from "../../../tests/harness.ts";
import { startTestNats, type TestNats } from "../../../tests/support/nats.ts";
import { createBrokerDesk, MOST_LIVE } from "./credentials.ts";
import { createWithdrawal } from "./withdrawal.ts";

const postgres = useTestPostgres();
const HOUR = 3600;

/** What the broker's list of withdrawals is changed with, counted. */
function counted(system: BrokerConnection) {
  const counter = { changes: 0, nc: system };
  counter.nc = {
    ...system,
    request(subject, payload, options) {
      if (subject === "$SYS.REQ.CLAIMS.UPDATE") counter.changes++;
      return system.request(subject, payload, options);
    },
  };
  return counter;
}

interface Desk {
  desk: ReturnType<typeof createBrokerDesk>;
  db: Db;
  nats: TestNats;
  system: ReturnType<typeof counted>;
  /** Seconds that the desk is ahead of the time. */
  clock: { ahead: number };
  /** The keys that collaboration says are connected. */
  connected: Set<string>;
  now: () => Date;
  keyOf(nodeId: number, key?: KeyPairText): Promise<{ key: KeyPairText; given: BrokerCredential }>;
  logIn(key: KeyPairText, given: BrokerCredential): Promise<BrokerConnection>;
  withdrawn(): Promise<number>;
}

async function withDesk(
  options: { most?: number },
  work: (desk: Desk) => Promise<void>,
): Promise<void> {
  const nats = await startTestNats();
  const db = openDatabase(await postgres.newDatabase("identity"), { schema: "identity", log });
  await migrate(db, new URL("../schema/", import.meta.url), log);
  const clock = { ahead: 0 };
  const now = () => new Date(Date.now() + clock.ahead * 1000);
  const system = counted((await nats.system("identity")).nc);
  const connected = new Set<string>();
  const connections = () =>
    Promise.resolve([...connected].map((public_key) => ({ public_key, address: null })));
  const desk = createBrokerDesk({
    db,
    trust: nats.trust,
    withdrawal: createWithdrawal({ db, trust: nats.trust, system: system.nc, now, ...options }),
    ask: connections as unknown as Ask,
    nodeNatsUrl: nats.url,
    dispatchKeys: [newUserKey().publicKey],
    credentialSeconds: HOUR,
    now,
  });
  const open: BrokerConnection[] = [];
  await work({
    desk,
    db,
    nats,
    system,
    clock,
    connected,
    now,
    async keyOf(nodeId, key = newUserKey()) {
      const node = { id: nodeId, key_generation: 1 };
      return { key, given: await desk.nodeCredential(node, key.publicKey) };
    },
    async logIn({ seed }, given) {
      const nc = await connectToBroker({
        url: given.nats_url,
        name: "node",
        credential: { seed, jwt: () => given.jwt },
        inboxPrefix: "_INBOX.1",
        log,
      });
      open.push(nc);
      return nc;
    },
    async withdrawn() {
      const rows = await db`select from node_broker_key where withdrawn_at is not null`;
      return rows.length;
    },
  });
  for (const nc of open) await nc.close();
  await db.end();
  await nats.stop();
}

Deno.test("of thousands of credentials asked for with one API key nearly all are refused, the agent's own never", () =>
  withDesk({}, async ({ db, clock, connected, keyOf, now }) => {
    const { key } = await keyOf(1);
    connected.add(key.publicKey);
    const answers = new Map<string, number>();
    const count = (what: string) => answers.set(what, (answers.get(what) ?? 0) + 1);
    // Making them takes longest: one that is refused is tried again.
    const keys = Array.from({ length: 40 }, () => newUserKey().publicKey);
    for (let n = 0; n < 3000; n++) {
      clock.ahead = n * 0.1;
      // Three times as often as an agent asks that is not let in.
      if (n % 100 === 0) await keyOf(1, key);
      const asked = keys.shift()!;
      await keyOf(1, { seed: "", publicKey: asked }).then(() => count("given"), (error) => {
        assert.equal(error.code, "too_many_requests");
        count(error.message.replace(/\d+ seconds/, "N seconds"));
        keys.push(asked);
      });
    }
    const [live] = await db`
      select count(*)::int as keys from node_broker_key
      where expires_at > ${now()} and withdrawn_at is null`;
    assert.equal(live!.keys, MOST_LIVE);
    assert.ok(answers.get("given")! <= 16, `given ${answers.get("given")}`);
    assert.ok(
      answers.get("Node 1 asks for broker credentials too often; try again in N seconds.")! > 2900,
    );
  }));

Deno.test("one more key than a node may have takes the place of the longest unchanged that is not connected", () =>
  withDesk({}, async ({ connected, keyOf, logIn, nats, system }) => {
    const parties = [];
    for (let n = 0; n < MOST_LIVE; n++) parties.push(await keyOf(1));
    const [first, second, third] = parties;
    connected.add(first!.key.publicKey);
    const there = await logIn(first!.key, first!.given);
    const { key: fifth, given } = await keyOf(1);
    assert.equal(system.changes, 1);
    await nats.tryLogin(fifth, { jwt: given.jwt, expiresAt: new Date() });
    await nats.tryLogin(third!.key, { jwt: third!.given.jwt, expiresAt: new Date() });
    await there.flush();
    await waitFor(
      () =>
        nats.tryLogin(second!.key, { jwt: second!.given.jwt, expiresAt: new Date() })
          .then(() => false, () => true),
      { what: "the second credential to be refused" },
    );

    for (const { key } of parties) connected.add(key.publicKey);
    connected.add(fifth.publicKey);
    await assert.rejects(keyOf(1), {
      code: "too_many_requests",
      message: /Node 1 has 4 broker credentials in use.*reset the key/,
    });
    // Those who have one go on.
    await keyOf(1, first!.key);
    await assert.rejects(keyOf(2, fifth), { code: "conflict" });
  }));

Deno.test("withdraw() ends thousands of credentials of a node in one change, and waits for nobody else", () =>
  withDesk({}, async ({ desk, db, system, keyOf, logIn, withdrawn }) => {
    const [thief, other] = [await keyOf(1), await keyOf(2)];
    const [stolen, unharmed] = [
      await logIn(thief.key, thief.given),
      await logIn(other.key, other.given),
    ];
    const lost = Promise.withResolvers<void>();
    stolen.watch(() => lost.resolve());
    // From before there was a limit; and one key of each of two hundred other nodes.
    await db`
      insert into node_broker_key (node_id, public_key, issued_at)
      select 1, 'U' || lpad(n::text, 55, 'A'), now() from generate_series(1, 2500) as n
      union all
      select 1000 + n, 'U' || lpad(n::text, 55, 'B'), now() from generate_series(1, 200) as n`;
    const ended = (node_id: number) => ({ node_id, least_generation: 2 });
    const others = Array.from({ length: 200 }, (_, n) => ended(1001 + n));
    const began = performance.now();
    await Promise.all([
      desk.withdraw([ended(1)]),
      ...others.map((one) => desk.withdraw([one])),
    ]);
    await lost.promise;
    const took = performance.now() - began;
    assert.equal(await withdrawn(), 2701);
    assert.ok(system.changes <= 2, `${system.changes} changes`);
    assert.ok(took < 5000, `${took} ms`);
    await unharmed.flush();
    await desk.withdraw([ended(1)]);
    assert.ok(system.changes <= 2, "what is withdrawn is not withdrawn again");
  }));

Deno.test("tidy() drops withdrawals whose credentials have ended, and puts back what the broker has lost", () =>
  withDesk({}, async ({ desk, clock, db, keyOf, now, system, withdrawn }) => {
    const { key } = await keyOf(1);
    await keyOf(2);
    await desk.withdraw([{ node_id: 1, least_generation: 2 }]);
    const changes = system.changes;
    await desk.tidy();
    assert.deepEqual([system.changes, await withdrawn()], [changes, 1]);
    await db`update node_broker_key set withdrawn_at = ${now()} where node_id = 2`;
    await desk.tidy();
    assert.equal(system.changes, changes + 1);

    clock.ahead = HOUR - 60;
    await keyOf(1, key); // The same agent is let in again, and its entry stays as long as that lasts.
    clock.ahead = HOUR + 60;
    await desk.tidy();
    assert.deepEqual([system.changes, await withdrawn()], [changes + 2, 1]);
    clock.ahead = 3 * HOUR;
    await desk.tidy();
    assert.deepEqual([system.changes, await withdrawn()], [changes + 3, 0]);
    assert.equal((await db`select from node_broker_key`).length, 0);
  }));

Deno.test("withdraw() takes what the broker's list has room for, says that it is full, and goes on later", () =>
  withDesk({ most: 2 }, async ({ desk, clock, keyOf, withdrawn }) => {
    for (const node of [1, 2, 3]) await keyOf(node);
    clock.ahead = 1800;
    const { key } = await keyOf(4);
    const all = [1, 2, 3, 4].map((node_id) => ({ node_id, least_generation: null }));
    await assert.rejects(desk.withdraw(all), { code: "unavailable", message: /list .* is full/ });
    assert.equal(await withdrawn(), 2);
    clock.ahead = HOUR + 10;
    await desk.withdraw(all);
    assert.equal(await withdrawn(), 1, key.publicKey);
  }));
