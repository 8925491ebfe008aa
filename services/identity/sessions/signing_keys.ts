/**
 * The keys that sign tokens: kept in the database, sealed, the same for every replica. The newest
 * one signs, all verify; one that was withdrawn does neither from the moment that it is heard of,
 * or looked for.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { JWK } from "jose";
import type { Db, JsonValue, Tx } from "../../../shared/storage/db.ts";
import { openSigningKey, sealSigningKey } from "../secrets/stored.ts";
import type { Vault } from "../secrets/vault.ts";
import { newSigningKey, type SigningKey } from "../../../shared/contract/tokens.ts";

export interface KeyRing {
  /** The key that signs now. */
  current(): SigningKey;
  /**
   * The key of this name. Anybody can send tokens that name keys which do not exist: those that are
   * not known are looked for together, at most once in a second.
   */
  publicKey(kid: string): Promise<JWK | undefined>;
  /** All that verify tokens at this moment, by the database. */
  publicKeys(): Promise<JWK[]>;
  /**
   * The same for anybody who asks: as they were within the last second, so that strangers cost the
   * database no more than one look.
   */
  publishedKeys(): Promise<JWK[]>;
  /**
   * Makes the next key when the newest is old enough, and drops those whose last token has expired.
   */
  rotate(): Promise<void>;
}

export interface KeyRingOptions {
  vault: Vault;
  now: () => Date;
  /** How long one key signs. */
  days: number;
  /** The longest life of a token. */
  tokenSeconds: number;
}

interface StoredKey extends SigningKey {
  created_at: Date;
}

const DAY = 86_400_000;
/** So long after one look for unknown keys begins the next. */
const PAUSE_MS = 1000;

/** Loads the keys, making the first one when there is none. */
export async function openKeyRing(
  db: Db,
  { vault, now, days, tokenSeconds }: KeyRingOptions,
): Promise<KeyRing> {
  let keys: StoredKey[] = [];

  async function stored(tx: Tx): Promise<StoredKey[]> {
    const rows = await tx<(Omit<StoredKey, "private_jwk"> & { private_jwk: string })[]>`
      select kid, public_jwk, private_jwk, created_at from signing_key
      order by created_at desc, kid`;
    return rows.map((row) => {
      const known = keys.find(({ kid }) => kid === row.kid);
      return known ?? { ...row, private_jwk: openSigningKey(vault, row.kid, row.private_jwk) };
    });
  }

  /** Whether a token signed before `successor` was made can still be valid. */
  function mayBeNeeded(successor: StoredKey, at: Date): boolean {
    // A container's token lives as long as its task: it is given the time that one key signs.
    const longest = Math.max(tokenSeconds * 1000, days * DAY);
    return at.getTime() - successor.created_at.getTime() < longest + DAY;
  }

  async function rotate(): Promise<void> {
    const at = now();
    keys = await db.begin(async (tx) => {
      await tx`lock table signing_key in exclusive mode`; // of several replicas one makes the key
      const before = await stored(tx);
      const newest = before[0];
      if (!newest || at.getTime() - newest.created_at.getTime() >= days * DAY) {
        const key = await newSigningKey(crypto.randomUUID());
        await tx`
          insert into signing_key (kid, public_jwk, private_jwk, created_at)
          values (${key.kid}, ${tx.json(key.public_jwk as JsonValue)},
            ${tx.json(sealSigningKey(vault, key.kid, key.private_jwk))}, ${at})`;
      }
      const all = await stored(tx);
      const done = all.filter((_, index) => index > 0 && !mayBeNeeded(all[index - 1]!, at));
      await tx`delete from signing_key where kid = any(${done.map((key) => key.kid)})`;
      return all.filter((key) => !done.includes(key));
    });
  }

  let nextLook: Promise<void> | undefined;
  let lookedAt = -Infinity;
  /** A look that has not begun yet, and so finds whatever is there by now. */
  function look(): Promise<void> {
    return nextLook ??= (async () => {
      await delay(Math.max(0, lookedAt + PAUSE_MS - performance.now()));
      nextLook = undefined;
      lookedAt = performance.now();
      keys = await stored(db);
    })();
  }

  const published = () =>
    keys.map((key) => ({ ...key.public_jwk, kid: key.kid, use: "sig", alg: "EdDSA" }));

  await rotate();
  return {
    rotate,
    current: () => keys[0]!,
    async publicKey(kid) {
      if (!keys.some((key) => key.kid === kid)) await look();
      return keys.find((key) => key.kid === kid)?.public_jwk;
    },
    async publicKeys() {
      keys = await stored(db);
      return published();
    },
    async publishedKeys() {
      if (performance.now() - lookedAt >= PAUSE_MS) await look();
      return published();
    },
  };
}
