/**
 * Signatures with NATS keys (nkeys: Ed25519 in base32), over a subject and a payload together.
 *
 * The hub signs what it dispatches and a node signs what it reports, because the broker does not
 * check reply subjects and so cannot vouch for who wrote a message. The bytes signed are
 * `sextant message 1`, a line feed, `subject`, a line feed, `payload`.
 *
 * A node signs its log-ins to the broker with the same key, and the broker chooses what is signed
 * there. So the first line is one that no log-in begins with, and nothing but a nonce is signed at
 * a log-in: a false broker could else have reports signed. The hub's key signs the checkpoints of
 * its audit record, too, which begin with other words.
 * @module
 */
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from "node:crypto";
import { createUser, fromPublic, fromSeed, type KeyPair } from "@nats-io/nkeys";

/** The header that carries a signature, in base64url without padding. */
export const SIGNATURE_HEADER = "Sextant-Signature";
/** The header in which a node shows its broker credential, a user JWT. */
export const CREDENTIAL_HEADER = "Sextant-Credential";

/** A key and its public half, both in nkey text: `SU…` and `U…` for users. */
export interface KeyPairText {
  seed: string;
  publicKey: string;
}

// What stands before the 32 bytes of a raw Ed25519 key in PKCS #8 and in SPKI (RFC 8410).
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");
const SPKI_PREFIX = Uint8Array.fromHex("302a300506032b6570032100");
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const KEY_LENGTH = 56;
const MAX_CACHED_KEYS = 4096;
const encoder = new TextEncoder();
const LINE_FEED = 10;
const MESSAGE_CONTEXT = "sextant message 1\n";
/** nats-server's nonces: 15 letters of base64url today. */
const NONCE = /^[A-Za-z0-9_-]{11,64}$/;

const privateKeys = new Map<string, KeyObject>();
const publicKeys = new Map<string, KeyObject>();

function cached(cache: Map<string, KeyObject>, text: string, make: () => KeyObject): KeyObject {
  let key = cache.get(text);
  if (key) return key;
  key = make();
  if (cache.size >= MAX_CACHED_KEYS) cache.delete(cache.keys().next().value!);
  cache.set(text, key);
  return key;
}

// The library's own Ed25519 is JavaScript: 7 ms a signature, on the event loop. This is 20 µs.
function privateKey(seed: string): KeyObject {
  return cached(privateKeys, seed, () => {
    const raw = (fromSeed(encoder.encode(seed)) as unknown as { getRawSeed(): Uint8Array })
      .getRawSeed();
    const der = new Uint8Array([...PKCS8_PREFIX, ...raw]);
    return createPrivateKey({ key: der as unknown as Buffer, format: "der", type: "pkcs8" });
  });
}

function publicKey(text: string): KeyObject {
  return cached(publicKeys, text, () => {
    // The library checks the checksum but overlooks a letter too many.
    if (text.length !== KEY_LENGTH) throw new TypeError("Cannot use this key: it is not an nkey");
    fromPublic(text);
    const raw = nkeyBytes(text);
    const der = new Uint8Array([...SPKI_PREFIX, ...raw]);
    return createPublicKey({ key: der as unknown as Buffer, format: "der", type: "spki" });
  });
}

/** The 32 bytes of a public key in nkey text. */
export function nkeyBytes(text: string): Uint8Array {
  return decodeBase32(text).subarray(1, 33);
}

function decodeBase32(text: string): Uint8Array {
  const out = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let value = 0;
  let at = 0;
  for (const letter of text) {
    value = ((value << 5) | BASE32.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out[at++] = value >> bits;
  }
  return out;
}

function message(subject: string, payload: Uint8Array): Uint8Array {
  const head = encoder.encode(MESSAGE_CONTEXT + subject);
  const out = new Uint8Array(head.length + 1 + payload.length);
  out.set(head);
  out[head.length] = LINE_FEED;
  out.set(payload, head.length + 1);
  return out;
}

/** A new user key, for a node, a service or the hub's dispatch key. */
export function newUserKey(): KeyPairText {
  const pair = createUser();
  return { seed: new TextDecoder().decode(pair.getSeed()), publicKey: pair.getPublicKey() };
}

/** The public half of a seed, in nkey text. Throws for a malformed seed. */
export function publicKeyOf(seed: string): string {
  return fromSeed(encoder.encode(seed)).getPublicKey();
}

/** Whether this is the public half of a user key (`U…`). */
export function isUserPublicKey(text: string): boolean {
  try {
    return text.length === KEY_LENGTH && text.startsWith("U") &&
      fromPublic(text).getPublicKey() === text;
  } catch {
    return false;
  }
}

/** Signs `payload` as sent on `subject`: base64url. Throws for a malformed seed. */
export function sign(seed: string, subject: string, payload: Uint8Array): string {
  return signRaw(seed, message(subject, payload));
}

/**
 * Signs a log-in to the broker. `undefined` for what is no nonce: who asks for a signature of
 * something else is no broker.
 */
export function signNonce(seed: string, nonce: string): string | undefined {
  return NONCE.test(nonce) ? signRaw(seed, encoder.encode(nonce)) : undefined;
}

/**
 * Signs the text of a note (see `transparency/checkpoint.ts`): 64 bytes. Throws for one that could
 * be taken for a message.
 */
export function signNoteText(seed: string, text: string): Uint8Array {
  if (text.startsWith("sextant message")) throw new TypeError("Cannot sign this: it is no note");
  return new Uint8Array(signBytes(null, encoder.encode(text), privateKey(seed)));
}

function signRaw(seed: string, bytes: Uint8Array): string {
  const signature = new Uint8Array(signBytes(null, bytes, privateKey(seed)));
  return signature.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * Whether `signature` is the holder of `key`'s, over exactly this. False for anything malformed;
 * never throws.
 */
export function verify(
  key: string,
  subject: string,
  payload: Uint8Array,
  signature: string,
): boolean {
  return verifyRaw(key, message(subject, payload), signature);
}

/** Like {@linkcode verify}, over bytes as they are: how a JWT is signed. */
export function verifyRaw(key: string, bytes: Uint8Array, signature: string): boolean {
  try {
    const raw = Uint8Array.fromBase64(signature, { alphabet: "base64url" });
    return raw.length === 64 && verifyBytes(null, bytes, publicKey(key), raw);
  } catch {
    return false;
  }
}

const pairs = new Map<string, KeyPair>();

/** A key pair for the JWT library that signs fast. Throws for a malformed seed. */
export function keyPair(seed: string): KeyPair {
  let pair = pairs.get(seed);
  if (pair) return pair;
  const slow = fromSeed(encoder.encode(seed));
  const text = slow.getPublicKey();
  pair = Object.assign(Object.create(slow) as KeyPair, {
    getPublicKey: () => text,
    getPrivateKey: () => new Uint8Array(), // asked for only to see that there is one
    sign: (bytes: Uint8Array) => new Uint8Array(signBytes(null, bytes, privateKey(seed))),
  });
  if (pairs.size < MAX_CACHED_KEYS) pairs.set(seed, pair);
  return pair;
}
