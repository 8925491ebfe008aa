/**
 * The two operations of RSAES-PKCS1-v1_5 (RFC 8017 §7.2), v6's way of wrapping a payload's key,
 * which WebCrypto does not have. The numbers are BigInts, whose arithmetic takes time by their
 * values; so that this tells nothing of the private key, what is decrypted is blinded first
 * (Kocher 1996, §10): the numbers that are worked on are random to everybody else.
 * @module
 */
import {
  bytesToNumber,
  modulusBytes,
  numberToBytes,
  type RsaPublicKey,
} from "../../../shared/payload/rsa_public_key.ts";
import { unpaddedKey } from "../../../shared/payload/unpadded_key.ts";
import { UnreadableError } from "../../../shared/payload/unreadable_error.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The numbers of a private key, by their names in RFC 8017 §3.2. */
export interface RsaNumbers {
  n: bigint;
  e: bigint;
  p: bigint;
  q: bigint;
  dp: bigint;
  dq: bigint;
  qi: bigint;
}

/** Encrypts a payload's key for whoever has the private half. */
export function wrapKey(key: Uint8Array, reader: RsaPublicKey): Bytes {
  const size = modulusBytes(reader);
  const block = new Uint8Array(size);
  block[1] = 2;
  const end = size - key.length - 1;
  block.set(nonZeroBytes(end - 2), 2);
  block.set(key, end + 1);
  return numberToBytes(power(bytesToNumber(block), reader.exponent, reader.modulus), size);
}

/**
 * Decrypts a payload's key. Of a padding that is wrong nothing is to be seen: then the key is
 * `rejected`, as good as any other. Throws an {@linkcode UnreadableError} for what is no wrapped
 * key at all.
 */
export function unwrapKey(
  wrapped: Uint8Array,
  numbers: RsaNumbers,
  rejected: Uint8Array,
): Bytes {
  const size = modulusBytes({ modulus: numbers.n });
  const ciphertext = bytesToNumber(wrapped);
  if (wrapped.length !== size || ciphertext >= numbers.n) throw new UnreadableError();
  return unpaddedKey(numberToBytes(decrypted(ciphertext, numbers), size), rejected);
}

function decrypted(ciphertext: bigint, { n, e, p, q, dp, dq, qi }: RsaNumbers): bigint {
  const size = modulusBytes({ modulus: n });
  const { blind, unblind } = blinding(n, size);
  const blinded = ciphertext * power(blind, e, n) % n;
  const byP = power(blinded % p, dp, p);
  const byQ = power(blinded % q, dq, q);
  const h = positive((byP - byQ) * qi, p);
  const result = byQ + q * h;
  // A slip of the machine in one half would give the factors away (Boneh, DeMillo, Lipton 1997).
  if (power(result, e, n) !== blinded) throw new UnreadableError();
  return result * unblind % n;
}

/** A random number, and its inverse. */
function blinding(n: bigint, size: number): { blind: bigint; unblind: bigint } {
  for (;;) {
    const blind = bytesToNumber(crypto.getRandomValues(new Uint8Array(size))) % n;
    const unblind = inverse(blind, n);
    if (unblind !== undefined) return { blind, unblind };
  }
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = result * square % modulus;
    square = square * square % modulus;
  }
  return result;
}

/** By Euclid's algorithm; `undefined` where there is none. */
function inverse(value: bigint, modulus: bigint): bigint | undefined {
  let [remainder, next] = [modulus, value];
  let [factor, following] = [0n, 1n];
  while (next !== 0n) {
    const quotient = remainder / next;
    [remainder, next] = [next, remainder - quotient * next];
    [factor, following] = [following, factor - quotient * following];
  }
  return remainder === 1n ? positive(factor, modulus) : undefined;
}

function positive(value: bigint, modulus: bigint): bigint {
  return (value % modulus + modulus) % modulus;
}

/** Random bytes, of which none is zero and each other equally likely. */
function nonZeroBytes(length: number): Bytes {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  for (let at = 0; at < length; at++) {
    while (bytes[at] === 0) crypto.getRandomValues(bytes.subarray(at, at + 1));
  }
  return bytes;
}
