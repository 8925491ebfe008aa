/**
 * The RSA keys of organizations: the private one in a file at the data station, the public one in the hub's record
 * of the organization, as base64 of its PEM text (HTTP contract §7.2).
 * @module
 */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { messageOf } from "../../../shared/service/errors.ts";

/** A key cannot be read or is of no use. The message says what to do. */
export class KeyError extends Error {
  override name = "KeyError";
}

const SMALLEST_BITS = 2048;

/** Makes a private key: PKCS#1 PEM, unencrypted, as v6's programs read it. */
export async function newPrivateKey(bits = 4096): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: bits,
    publicExponent: 65537,
  });
  return privateKey.export({ type: "pkcs1", format: "pem" }) as string;
}

/** Throws a {@linkcode KeyError} for anything but an RSA private key in PEM without a pass phrase. */
export function readPrivateKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    const why = /ENCRYPTED/.test(pem) ? "it has a pass phrase; take that off" : messageOf(cause);
    throw new KeyError(`it is no private key in PEM: ${why}`, { cause });
  }
  return checked(key);
}

/** What the hub's record of the organization should hold for this private key. */
export function publicKeyText(privateKey: KeyObject): string {
  const pem = createPublicKey(privateKey).export({ type: "spki", format: "pem" }) as string;
  return new TextEncoder().encode(pem).toBase64();
}

/** The key in an organization's record. Throws a {@linkcode KeyError}. */
export function readPublicKey(text: string): KeyObject {
  try {
    return checked(createPublicKey(new TextDecoder().decode(Uint8Array.fromBase64(text.trim()))));
  } catch (cause) {
    if (cause instanceof KeyError) throw cause;
    throw new KeyError(`it is no public key in PEM in base64: ${messageOf(cause)}`, { cause });
  }
}

/** Whether two public keys are one. */
export function isSameKey(one: KeyObject, other: KeyObject): boolean {
  const bytes = (key: KeyObject) => key.export({ type: "spki", format: "der" }).toString("base64");
  return bytes(one) === bytes(other);
}

function checked(key: KeyObject): KeyObject {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== "rsa") {
    throw new KeyError(`it is a key for ${key.asymmetricKeyType}, not for RSA`);
  }
  if (bits < SMALLEST_BITS) {
    throw new KeyError(`it has ${bits} bits; at least ${SMALLEST_BITS} are needed`);
  }
  return key;
}
