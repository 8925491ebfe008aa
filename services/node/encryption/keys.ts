/**
 * The RSA keys of organizations: the private one in a file at the data station, the public one in
 * the hub's record of the organization, as base64 of its PEM text (HTTP contract §7.2).
 * @module
 */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { promisify } from "node:util";
import { isPublicKeyPem } from "../../../shared/payload/rsa_public_key.ts";
import { messageOf } from "../../../shared/service/errors.ts";

/** A key cannot be read or is of no use. The message says what to do. */
export class KeyError extends Error {
  override name = "KeyError";
}

const SMALLEST_BITS = 2048;
/** To larger ones Deno cannot encrypt. */
export const GREATEST_BITS = 4096;

/** Makes a private key: PKCS#1 PEM, unencrypted, as v6's programs read it. */
export async function newPrivateKey(bits = 4096): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: bits,
    publicExponent: 65537,
  });
  return privateKey.export({ type: "pkcs1", format: "pem" }) as string;
}

/**
 * Throws a {@linkcode KeyError} for anything but an RSA private key in PEM without a pass phrase.
 */
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

/**
 * The key in an organization's record. Throws a {@linkcode KeyError} for anything but an RSA public
 * key: from a private one the platform would make its public half, and nobody would hear of it.
 */
export function readPublicKey(text: string): KeyObject {
  try {
    const pem = new TextDecoder().decode(Uint8Array.fromBase64(text.trim()));
    if (!isPublicKeyPem(pem)) {
      throw new KeyError("it is not one block of PEM that begins with -----BEGIN PUBLIC KEY-----");
    }
    return checked(createPublicKey(pem));
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

/** Throws a {@linkcode KeyError} when what this key is for cannot be done with it here. */
export function tryKey(privateKey: KeyObject): void {
  try {
    const publicKey = createPublicKey(privateKey);
    const text = randomBytes(32);
    const paddings = [
      { padding: constants.RSA_PKCS1_PADDING },
      { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
    ];
    for (const padding of paddings) {
      const sealed = publicEncrypt({ key: publicKey, ...padding }, text);
      if (!text.equals(privateDecrypt({ key: privateKey, ...padding }, sealed))) throw new Error();
    }
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    const signature = sign("sha256", text, { key: privateKey, ...pss });
    if (!verify("sha256", text, { key: publicKey, ...pss }, signature)) throw new Error();
  } catch (cause) {
    throw new KeyError(
      `The organization's private key is of no use: what is encrypted or signed with it cannot be ` +
        `read back (${
          messageOf(cause) || "another text came"
        }). Make another: deno task node keygen`,
      { cause },
    );
  }
}

function checked(key: KeyObject): KeyObject {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== "rsa") {
    throw new KeyError(`it is a key for ${key.asymmetricKeyType}, not for RSA`);
  }
  if (bits < SMALLEST_BITS) {
    throw new KeyError(`it has ${bits} bits; at least ${SMALLEST_BITS} are needed`);
  }
  if (bits > GREATEST_BITS) {
    throw new KeyError(
      `it has ${bits} bits; to a key of more than ${GREATEST_BITS} nothing can be encrypted`,
    );
  }
  return key;
}
