/**
 * An organization's public key as its record has it: base64 of a PEM (HTTP contract §7.2), read
 * without the platform's own reader, which browsers do not have.
 * @module
 */
import { bytesOfBase64 } from "./base64.ts";

export interface RsaPublicKey {
  modulus: bigint;
  exponent: bigint;
  /** The SubjectPublicKeyInfo (RFC 5280 §4.1) that it was read from; of one key always the same. */
  der: Uint8Array<ArrayBuffer>;
}

/** Whether this is one public key in PEM (SPKI), and nothing else. */
export function isPublicKeyPem(pem: string): boolean {
  return /^-----BEGIN PUBLIC KEY-----\r?\n?[A-Za-z0-9+/=\r\n]+-----END PUBLIC KEY-----\s*$/.test(
    pem.trimStart(),
  );
}

/** Whether a text is what an organization's record may hold: base64 of an RSA public key in PEM. */
export function isRsaPublicKey(text: string): boolean {
  try {
    readRsaPublicKey(text);
    return true;
  } catch {
    return false;
  }
}

/** `AlgorithmIdentifier { rsaEncryption, NULL }` (RFC 8017, A.1) in DER. */
const RSA_ENCRYPTION = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/** Reads the key in an organization's record. Throws an Error that says what is wrong with it. */
export function readRsaPublicKey(text: string): RsaPublicKey {
  const pem = latin1(bytesOfBase64(text.trim()));
  if (!isPublicKeyPem(pem)) {
    throw new Error("it is not one block of PEM that begins with -----BEGIN PUBLIC KEY-----");
  }
  const der = bytesOfBase64(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ""));
  const info = readerOf(readerOf(der).only(0x30));
  const algorithm = info.element(0x30);
  if (algorithm.whole.join() !== RSA_ENCRYPTION.join()) throw new Error("it is no key for RSA");
  const bits = info.only(0x03);
  if (bits[0] !== 0) throw new Error(NO_DER);
  const key = readerOf(readerOf(bits.subarray(1)).only(0x30));
  const modulus = wholeNumber(key.element(0x02).content);
  const exponent = wholeNumber(key.only(0x02));
  if (modulus % 2n === 0n || exponent % 2n === 0n || exponent < 3n || modulus <= exponent) {
    throw new Error("its numbers are not those of a key for RSA");
  }
  return { modulus, exponent, der };
}

/** The block that RSA with this key encrypts has so many bytes. */
export function modulusBytes({ modulus }: Pick<RsaPublicKey, "modulus">): number {
  return Math.ceil(modulus.toString(16).length / 2);
}

const NO_DER = "it is not a public key in DER";

interface Element {
  /** With its tag and length. */
  whole: Uint8Array;
  content: Uint8Array;
}

/**
 * Reads DER (X.690), as far as keys need it: anything but the shortest form of a length is wrong.
 */
function readerOf(bytes: Uint8Array) {
  let at = 0;

  function length(): number {
    const first = bytes[at++] ?? -1;
    if (first >= 0 && first < 0x80) return first;
    const count = first - 0x80;
    if (count < 1 || count > 2) throw new Error(NO_DER);
    let value = 0;
    for (let n = 0; n < count; n++) value = value * 256 + (bytes[at++] ?? NaN);
    const shortest = count === 1 ? value >= 0x80 : value >= 0x100;
    if (!shortest) throw new Error(NO_DER);
    return value;
  }

  function element(tag: number): Element {
    const start = at;
    if (bytes[at++] !== tag) throw new Error(NO_DER);
    const size = length();
    const content = bytes.subarray(at, at + size);
    at += size;
    if (content.length !== size) throw new Error(NO_DER);
    return { whole: bytes.subarray(start, at), content };
  }

  return {
    element,
    /** The element after which nothing comes. */
    only(tag: number): Uint8Array {
      const { content } = element(tag);
      if (at !== bytes.length) throw new Error(NO_DER);
      return content;
    },
  };
}

/** A positive INTEGER, in as few bytes as it takes. */
function wholeNumber(bytes: Uint8Array): bigint {
  const [first = 0x80, second = 0] = bytes;
  if (first >= 0x80 || (first === 0 && second < 0x80)) throw new Error(NO_DER);
  return bytesToNumber(bytes);
}

export function bytesToNumber(bytes: Uint8Array): bigint {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return BigInt(`0x${hex || "0"}`);
}

/** Big-endian, with zeros in front. */
export function numberToBytes(number: bigint, length: number): Uint8Array<ArrayBuffer> {
  const hex = number.toString(16).padStart(2 * length, "0");
  return Uint8Array.from({ length }, (_, at) => parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
