import assert from "node:assert/strict";
import { useTestPostgres, waitFor } from "../../../tests/harness.ts";
import { countRoundTrips } from "../../../tests/support/round_trips.ts";
import { migrate, openDatabase } from "../../../shared/storage/db.ts";
import { silentLogger as log } from "../../../shared/service/log.ts";
import { signToken, verifyToken } from "../../../shared/contract/tokens.ts";
import { newVaultKey, openVault } from "../secrets/vault.ts";
import { openKeyRing } from "./signing_keys.ts";

const postgres = useTestPostgres();
const DAY = 86_400_000;
const content = {
  jti: "a",
  type: "refresh",
  client_type: "user",
  sub: 1,
  sid: crypto.randomUUID(),
  lifetimeSeconds: 48 * 3600,
} as const;

async function open() {
  const db = openDatabase(await postgres.newDatabase("identity"), { schema: "identity", log });
  await migrate(db, new URL("../schema/", import.meta.url), log);
  let at = Date.now();
  const now = () => new Date(at);
  const options = { vault: openVault(newVaultKey()), now, days: 90, tokenSeconds: 48 * 3600 };
  return {
    db,
    now,
    open: (by = db) => openKeyRing(by, options),
    pass: (days: number) => {
      at += days * DAY;
    },
  };
}

Deno.test("the key ring changes its key when that is old, and old tokens stay good", async () => {
  const { db, now, open: openRing, pass } = await open();
  const ring = await openRing();
  const first = ring.current().kid;
  pass(89);
  await ring.rotate();
  assert.equal(ring.current().kid, first);
  const token = await signToken(ring.current(), content, now());
  pass(1);
  await ring.rotate();
  assert.notEqual(ring.current().kid, first);
  const claims = await verifyToken(token, ring.publicKey, { type: "refresh", now: now() });
  assert.equal(claims.sub, 1);
  assert.equal((await ring.publicKeys()).length, 2);
  await db.end();
});

Deno.test("the key ring drops a key when no token of it can be valid", async () => {
  const { db, open: openRing, pass } = await open();
  const ring = await openRing();
  const first = ring.current().kid;
  pass(90);
  await ring.rotate();
  pass(90);
  await ring.rotate();
  assert.equal((await ring.publicKeys()).length, 3, "a container's token may be as old as a key");
  pass(2);
  await ring.rotate();
  assert.equal(await ring.publicKey(first), undefined);
  assert.equal((await ring.publicKeys()).length, 2);
  await db.end();
});

Deno.test("replicas that rotate at once make one key, and know each other's", async () => {
  const { db, now, open: openRing, pass } = await open();
  const rings = await Promise.all([openRing(), openRing(), openRing()]);
  pass(91);
  await Promise.all(rings.map((ring) => ring.rotate()));
  assert.equal(new Set(rings.map((ring) => ring.current().kid)).size, 1);
  pass(91);
  await rings[0]!.rotate();
  const token = await signToken(rings[0]!.current(), content, now());
  await verifyToken(token, rings[1]!.publicKey, { type: "refresh", now: now() });
  await db.end();
});

Deno.test("keys are of a kind that cannot be guessed (GHSA-m3mq-f375-5vgh)", async () => {
  const { db, open: openRing } = await open();
  const { public_jwk, private_jwk } = (await openRing()).current();
  assert.deepEqual([public_jwk.kty, public_jwk.crv], ["OKP", "Ed25519"]);
  assert.equal(Uint8Array.fromBase64(private_jwk.d!, { alphabet: "base64url" }).length, 32);
  await db.end();
});

Deno.test("keys that do not exist are looked for together, at most once in a second, and new ones are found", async () => {
  const { db, open: openRing, pass } = await open();
  let looks = 0;
  const counted = new Proxy(db, {
    apply(target, self, args) {
      looks++;
      return Reflect.apply(target, self, args);
    },
  });
  const ring = await openRing(counted);
  const other = await openRing();
  looks = 0;
  const since = performance.now();
  const unknown = () =>
    Promise.all(
      Array.from({ length: 200 }, () => ring.publicKey(crypto.randomUUID())),
    );
  for (let n = 0; n < 3; n++) assert.ok((await unknown()).every((key) => key === undefined));
  assert.equal(looks, 3);
  assert.ok(performance.now() - since > 1900);
  // What another replica has made meanwhile is found all the same.
  pass(91);
  await other.rotate();
  const [found] = await Promise.all([ring.publicKey(other.current().kid), unknown()]);
  assert.ok(found);
  assert.equal(looks, 4);
  assert.ok(await ring.publicKey(other.current().kid));
  assert.equal(looks, 4);
  await db.end();
});

Deno.test("keys that strangers ask for are read once in a second, and a withdrawn one is gone at once", async () => {
  const { db, open: openRing } = await open();
  const ring = await openRing();
  const first = ring.current().kid;
  const kids = async () => (await ring.publishedKeys()).map(({ kid }) => kid);
  assert.deepEqual(await kids(), [first]);
  const { count } = await countRoundTrips(async () => {
    await Promise.all(Array.from({ length: 500 }, kids));
  }, /^$/);
  assert.ok(count <= 1, `${count} questions for 500 strangers`);
  await db`delete from signing_key`;
  await ring.rotate();
  assert.deepEqual(await kids(), [ring.current().kid]);
  assert.notEqual(ring.current().kid, first);
  // What another replica has made is there within a second.
  const other = await openRing();
  await db`delete from signing_key`;
  await other.rotate();
  await waitFor(async () => (await kids())[0] === other.current().kid, { what: "the other's key" });
  await db.end();
});
