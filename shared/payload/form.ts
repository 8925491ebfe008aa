/**
 * The form that both formats of encrypted payloads share: `base64(wrapped key)$base64(IV)$`, then
 * the ciphertext, in base64 within JSON, or as it is in a blob (HTTP contract §7.3, §7.4).
 * @module
 */
import { bytesOfBase64, toBase64 } from "./base64.ts";
import { UnreadableError } from "./unreadable_error.ts";

/** Encrypts one payload, piece by piece. */
export interface Seal {
  /** What comes before the ciphertext, in both variants. */
  readonly header: string;
  /** The fingerprint of the key that it is for; `null` where nothing is encrypted. */
  readonly key: string | null;
  /** As many bytes as are given. */
  update(piece: Uint8Array): Uint8Array;
  /** What comes after the last piece; empty in v6's format. */
  final(): Uint8Array;
}

/** Decrypts one payload, piece by piece. */
export interface Opener {
  /**
   * Whether the content is confirmed by {@linkcode Opener.final}: nothing of it may be used before.
   */
  readonly authenticated: boolean;
  /** What this piece leads to, in memory of its own; perhaps nothing yet. */
  update(piece: Uint8Array): Uint8Array<ArrayBuffer>;
  /**
   * What is left. Rejects with an {@linkcode UnreadableError} when the whole is not what somebody
   * sealed, or was not sealed for this.
   */
  final(): Promise<Uint8Array<ArrayBuffer>>;
}

/** What comes before the ciphertext, taken apart. */
export interface SealedHeader {
  /** As it came. */
  text: string;
  wrapped: Uint8Array;
  iv: Uint8Array;
}

const IV_BYTES = 16;
/** More than any header has. */
export const HEADER_LIMIT = 16 * 1024;

/** Where the ciphertext begins; negative when the header has not ended. */
export function endOfHeader(bytes: Uint8Array): number {
  const head = bytes.subarray(0, HEADER_LIMIT);
  const first = head.indexOf(0x24);
  const second = first < 0 ? -1 : head.indexOf(0x24, first + 1);
  return second < 0 ? -1 : second + 1;
}

/** Throws an {@linkcode UnreadableError} for what is no header. */
export function readHeader(header: Uint8Array): SealedHeader {
  const middle = header.indexOf(0x24);
  const wrapped = fromBase64(header.subarray(0, middle));
  const iv = fromBase64(header.subarray(middle + 1, -1));
  if (iv.length !== IV_BYTES) throw new UnreadableError();
  return { text: new TextDecoder("latin1").decode(header), wrapped, iv };
}

export function headerOf(wrapped: Uint8Array, iv: Uint8Array): string {
  return `${toBase64(wrapped)}$${toBase64(iv)}$`;
}

/** Throws an {@linkcode UnreadableError} for what is none. */
export function fromBase64(text: Uint8Array): Uint8Array {
  try {
    return bytesOfBase64(new TextDecoder("latin1").decode(text));
  } catch {
    throw new UnreadableError();
  }
}

/** What node:crypto returns is a view of this kind. */
export function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

/** Both, in new memory. */
export function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/**
 * Before the label of a signed payload, where it also makes what comes longer than any wrapped key.
 */
export const MARK = new TextEncoder().encode("sextant2");

/** Whether a payload, or its header, is of the signed format. */
export function beginsSigned(stored: string): boolean {
  try {
    const start = bytesOfBase64(stored.slice(0, 12));
    return MARK.every((byte, index) => start[index] === byte);
  } catch {
    return false;
  }
}
