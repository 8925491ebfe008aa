/**
 * Taking the padding of RSAES-PKCS1-v1_5 (RFC 8017 §7.2) off a payload's key, with no sign of
 * whether it was right: nobody who sends wrong ones may learn anything from what happens then
 * (Bleichenbacher 1998). No branch and no table depends on what the block holds.
 * @module
 */

/** Bytes of the keys that payloads are encrypted with. */
export const KEY_BYTES = 32;

/**
 * The key in a block that RSA gave, as bytes or, as the browser's programs wrap it, as 44
 * characters of base64; `rejected` where the block holds neither ("implicit rejection").
 */
export function unpaddedKey(block: Uint8Array, rejected: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = block.length;
  const asBytes = block.subarray(size - KEY_BYTES);
  const asText = decodeKeyText(block.subarray(size - 44));
  const bytesFit = paddingFits(block, KEY_BYTES);
  const textFits = paddingFits(block, 44) & asText.fits;
  return Uint8Array.from(
    rejected,
    (byte, index) =>
      (byte & ~(-bytesFit | -textFits)) | (asBytes[index]! & -bytesFit) |
      (asText.key[index]! & -textFits),
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
