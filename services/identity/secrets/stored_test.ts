import assert from "node:assert/strict";
import { silentLogger as log } from "../../../shared/service/log.ts";
import { type JsonValue, migrate, openDatabase } from "../../../shared/storage/db.ts";
import { newSigningKey } from "../../../shared/contract/tokens.ts";
import { useTestPostgres } from "../../../tests/harness.ts";
import { openKeyRing } from "../sessions/signing_keys.ts";
import { openOtpSecret, sealStored } from "./stored.ts";
import { newVaultKey, openVault } from "./vault.ts";

const postgres = useTestPostgres();
const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/** A database of a version that kept its secrets in the clear. */
async function databaseOfBefore() {
  const db = openDatabase(await postgres.newDatabase("identity"), { schema: "identity", log });
  await migrate(db, new URL("../schema/", import.meta.url), log);
  const key = await newSigningKey("k");
  await db`
    insert into signing_key (kid, public_jwk, private_jwk)
    values ('k', ${db.json(key.public_jwk as JsonValue)}, ${
    db.json(key.private_jwk as JsonValue)
  })`;
  await db`insert into organization (name) values ('O')`;
  await db`
    insert into "user" (username, password_hash, organization_id, otp_secret)
    values ('a', '', 1, ${SECRET}), ('b', '', 1, null), ('c', '', 1, ${SECRET})`;
  const dump = async () =>
    JSON.stringify([await db`select * from signing_key`, await db`select * from "user"`]);
  const otpOf = async (id: number) =>
    (await db<{ otp_secret: string }[]>`select otp_secret from "user" where id = ${id}`)[0]!
      .otp_secret;
  return { db, key, dump, otpOf };
}

const ring = { now: () => new Date(), days: 90, tokenSeconds: 3600 };

Deno.test("sealStored() leaves no secret of before in the clear, and all of them usable", async () => {
  const { db, key, dump, otpOf } = await databaseOfBefore();
  const vault = openVault(newVaultKey());
  assert.ok((await dump()).includes(key.private_jwk.d!));
  for (let start = 0; start < 2; start++) {
    await sealStored(db, vault, log);
    const text = await dump();
    assert.ok(!text.includes(key.private_jwk.d!) && !text.includes(SECRET));
    assert.equal(openOtpSecret(vault, 3, await otpOf(3)), SECRET);
    assert.deepEqual(
      (await openKeyRing(db, { ...ring, vault })).current().private_jwk,
      key.private_jwk,
    );
  }
  await db`update "user" set otp_secret = ${await otpOf(1)} where id = 3`;
  const moved = await otpOf(3);
  assert.throws(() => openOtpSecret(vault, 3, moved), /sealed for another row/);
  await db.end();
});

Deno.test("sealStored() seals anew with the newest key, after which the old one is not needed", async () => {
  const { db, otpOf } = await databaseOfBefore();
  const [old, next] = [newVaultKey(), newVaultKey()];
  await sealStored(db, openVault(old), log);
  await assert.rejects(sealStored(db, openVault(next), log), /signing_key k: .*Add the key/);
  await sealStored(db, openVault(`${next},${old}`), log);
  const vault = openVault(next);
  await sealStored(db, vault, log);
  assert.equal(openOtpSecret(vault, 1, await otpOf(1)), SECRET);
  assert.equal(await otpOf(2), null);
  await db.end();
});
