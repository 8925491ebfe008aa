/**
 * The secrets in the database, and how each of them is sealed.
 * @module
 */
import type { JWK } from "jose";
import type { Logger } from "../../../shared/service/log.ts";
import type { Db } from "../../../shared/storage/db.ts";
import { isSealed, type Vault } from "./vault.ts";

const ofSigningKey = (kid: string) => `signing_key ${kid}`;
const ofUser = (id: number) => `user ${id} otp_secret`;

export function sealSigningKey(vault: Vault, kid: string, key: JWK): string {
  return vault.seal(JSON.stringify(key), ofSigningKey(kid));
}

export function openSigningKey(vault: Vault, kid: string, sealed: string): JWK {
  return JSON.parse(vault.open(sealed, ofSigningKey(kid)));
}

export function sealOtpSecret(vault: Vault, userId: number, secret: string): string {
  return vault.seal(secret, ofUser(userId));
}

export function openOtpSecret(vault: Vault, userId: number, sealed: string): string {
  return vault.open(sealed, ofUser(userId));
}

/** A new second factor on its way to who has asked for it, and back with a code of it. */
export interface Offer {
  secret: string;
  /** Milliseconds since 1970. */
  until: number;
}

/** For whom an offer is good: one log-in, as long as what was proved in it has not changed. */
export interface OfferedTo {
  userId: number;
  sessionId: string;
  /** Digest of the password's hash and of the second factor that there was. */
  proof: string;
}

const ofOffer = ({ userId, sessionId, proof }: OfferedTo) =>
  `user ${userId} offered otp_secret in ${sessionId} after ${proof}`;

export function sealOffer(vault: Vault, to: OfferedTo, offer: Offer): string {
  return vault.seal(JSON.stringify(offer), ofOffer(to));
}

/** `undefined` for what is no offer to them, or no longer. */
export function openOffer(vault: Vault, to: OfferedTo, sealed: string): Offer | undefined {
  try {
    return JSON.parse(vault.open(sealed, ofOffer(to)));
  } catch {
    return undefined;
  }
}

/**
 * Seals what is in the clear, from a version before, and seals anew what an older key has sealed.
 * At each start; throws when there is something that none of the keys opens.
 */
export async function sealStored(db: Db, vault: Vault, log: Logger): Promise<void> {
  const done = await db.begin(async (tx) => {
    await tx`lock table signing_key in exclusive mode`; // of several replicas one does it
    let clear = 0;
    let old = 0;
    const keys = await tx<{ kid: string; private_jwk: JWK | string }[]>`
      select kid, private_jwk from signing_key`;
    for (const { kid, private_jwk } of keys) {
      const sealed = typeof private_jwk === "string";
      // Also what is sealed with the newest key: a wrong key shows now, not at the first log-in.
      const plain = sealed ? openSigningKey(vault, kid, private_jwk) : private_jwk;
      if (sealed && private_jwk.startsWith(vault.prefix)) continue;
      if (sealed) old++;
      else clear++;
      await tx`
        update signing_key set private_jwk = ${tx.json(sealSigningKey(vault, kid, plain))}
        where kid = ${kid}`;
    }
    const users = await tx<{ id: number; otp_secret: string }[]>`
      select id, otp_secret from "user"
      where otp_secret is not null and not starts_with(otp_secret, ${vault.prefix})
      order by id for update`;
    for (const { id, otp_secret } of users) {
      const sealed = isSealed(otp_secret);
      const plain = sealed ? openOtpSecret(vault, id, otp_secret) : otp_secret;
      if (sealed) old++;
      else clear++;
      await tx`
        update "user" set otp_secret = ${sealOtpSecret(vault, id, plain)} where id = ${id}`;
    }
    return { clear, old };
  });
  if (done.clear > 0) {
    log.warn(
      "Secrets in the database are sealed from now on; backups from before hold them in the clear: " +
        "keep those as secrets, and withdraw the signing keys (db.withdrawSigningKeys() in the shell)",
      { sealed: done.clear },
    );
  }
  if (done.old > 0) log.info("Secrets are sealed with the newest key", { sealed: done.old });
}
