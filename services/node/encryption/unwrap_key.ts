/**
 * Unwrapping the key of a payload in v6's format so that nobody who sends wrong ones learns
 * anything from what happens then: a padding oracle would open what others have sent
 * (Bleichenbacher 1998; RFC 8017 §7.2.2 warns of it).
 * @module
 */
import { constants, createHmac, type KeyObject, privateDecrypt } from "node:crypto";
import { UnreadableError } from "./unreadable_error.ts";

/** Bytes of the keys that payloads are encrypted with. */
export const KEY_BYTES = 32;

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

  // The browser's programs wrap the key's base64 text, 44 characters.
  const asBytes = block.subarray(size - KEY_BYTES);
  const asText = decodeKeyText(block.subarray(size - 44));
  const bytesFit = paddingFits(block, KEY_BYTES);
  const textFits = paddingFits(block, 44) & asText.fits;
  return rejected.map((byte, index) =>
    (byte & ~(-bytesFit | -textFits)) | (asBytes[index]! & -bytesFit) |
    (asText.key[index]! & -textFits)
  );
}

/**
 * 1 when `block` is `00 02`, bytes that are not 0, `00` and then `length` bytes; else 0. Looks at
 * all of it always.
 */
function paddingFits(block: Uint8Array, length: number): number {
  const separator = block.length - length - 1;
  let wrong = block[0]! | (block[1]! ^ 2) | block[separator]!;
  for (let index = 2; index < separator; index++) wrong |= isZero(block[index]!);
  return isZero(wrong);
}

/** 1 for 0 and 0 for any other byte. */
function isZero(byte: number): number {
  return ((byte - 1) >>> 31) & 1;
}

/**
 * 44 characters of base64 as 32 bytes; whether they are that, as 1 or 0. No table, no branch on
 * what they are.
 */
function decodeKeyText(text: Uint8Array): { key: Uint8Array; fits: number } {
  const bytes = new Uint8Array(33);
  let fits = isZero(text[43]! ^ 0x3d);
  for (let group = 0; group < 11; group++) {
    let bits = 0;
    for (let place = 0; place < 4; place++) {
      const index = group * 4 + place;
      const { value, known } = sextet(index === 43 ? 0x41 : text[index]!);
      bits = bits << 6 | value;
      fits &= known;
    }
    bytes.set([bits >> 16, bits >> 8 & 255, bits & 255], group * 3);
  }
  return { key: bytes.subarray(0, KEY_BYTES), fits };
}

function sextet(code: number): { value: number; known: number } {
  const upper = isBetween(code, 0x41, 0x5a);
  const lower = isBetween(code, 0x61, 0x7a);
  const digit = isBetween(code, 0x30, 0x39);
  const plus = isZero(code ^ 0x2b);
  const slash = isZero(code ^ 0x2f);
  const value = (-upper & (code - 0x41)) | (-lower & (code - 0x61 + 26)) |
    (-digit & (code - 0x30 + 52)) | (-plus & 62) | (-slash & 63);
  return { value: value & 63, known: upper | lower | digit | plus | slash };
}

/** 1 when `low <= code <= high`, else 0. */
function isBetween(code: number, low: number, high: number): number {
  return 1 & ~(((code - low) | (high - code)) >>> 31);
}
