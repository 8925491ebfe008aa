/**
 * The keys that sign tokens: kept in the database, the same for every replica. The newest one signs, all verify.
 * @module
 */
import type { JWK } from "jose";
import type { Db, JsonValue } from "../../shared/db.ts";
import { newSigningKey, type SigningKey } from "../../shared/tokens.ts";

export interface KeyRing {
  /** The key that signs now. */
  current(): SigningKey;
  publicKey(kid: string): Promise<JWK | undefined>;
  publicKeys(): Promise<JWK[]>;
}

/** Loads the keys, making the first one when there is none. */
export async function openKeyRing(db: Db): Promise<KeyRing> {
  let keys = await db.begin(async (tx) => {
    await tx`lock table signing_key in exclusive mode`;
    const stored = await tx<SigningKey[]>`
      select kid, public_jwk, private_jwk from signing_key order by created_at desc`;
    if (stored.length > 0) return [...stored];
    const key = await newSigningKey(crypto.randomUUID());
    await tx`
      insert into signing_key (kid, public_jwk, private_jwk)
      values (${key.kid}, ${tx.json(key.public_jwk as JsonValue)},
        ${tx.json(key.private_jwk as JsonValue)})`;
    return [key];
  });

  async function reload() {
    keys = [
      ...await db<SigningKey[]>`
        select kid, public_jwk, private_jwk from signing_key order by created_at desc`,
    ];
  }

  return {
    current: () => keys[0]!,
    async publicKey(kid) {
      if (!keys.some((key) => key.kid === kid)) await reload();
      return keys.find((key) => key.kid === kid)?.public_jwk;
    },
    async publicKeys() {
      await reload();
      return keys.map((key) => ({ ...key.public_jwk, kid: key.kid, use: "sig", alg: "EdDSA" }));
    },
  };
}
