/**
 * Unwrapping the key of a payload in v6's format so that nobody who sends wrong ones learns
 * anything from what happens then: a padding oracle would open what others have sent
 * (Bleichenbacher 1998; RFC 8017 §7.2.2 warns of it).
 * @module
 */
import { constants, createHmac, type KeyObject, privateDecrypt } from "node:crypto";
import { UnreadableError } from "../../../shared/payload/unreadable_error.ts";
import { unpaddedKey } from "../../../shared/payload/unpadded_key.ts";

/** How many bytes something has that was encrypted for this key. */
export function wrappedBytes(key: KeyObject): number {
  return key.asymmetricKeyDetails!.modulusLength! / 8;
}

/**
 * Unwraps a key of PKCS#1 v1.5 with no sign of whether the padding was right: if it was not, the
 * key is made from the secret and the ciphertext, the same each time ("implicit rejection"). The
 * padding is taken off here and without branches, because what the platform does when it is wrong
 * is to throw. Throws an {@linkcode UnreadableError} for what is no wrapped key at all.
 */
export function unwrapKey(wrapped: Uint8Array, privateKey: KeyObject): Uint8Array {
  const size = wrappedBytes(privateKey);
  if (wrapped.length !== size) throw new UnreadableError();
  let block: Uint8Array;
  try {
    block = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, wrapped);
  } catch {
    // Not below the modulus, which whoever has the public key can see anyway.
    throw new UnreadableError();
  }
  const secret = privateKey.export({ type: "pkcs1", format: "der" });
  const rejected = createHmac("sha256", secret).update(wrapped).digest();
  return unpaddedKey(block, rejected);
}
