/**
 * Payloads that only one organization can read: `base64(wrapped key)$base64(IV)$ciphertext`, the
 * ciphertext in base64 within JSON, or as it is in a blob.
 *
 * Two formats share this form. v6's (HTTP contract §7.3): the key wrapped by RSA PKCS#1 v1.5,
 * AES-256-CTR, nothing that shows tampering. Sextant's own: the key wrapped by RSA-OAEP (SHA-256)
 * behind a mark, AES-256-GCM, whose tag ends the ciphertext and also covers the wrapped key.
 * @module
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { discard } from "../payload/pieces.ts";
import { UnreadableError } from "./unreadable_error.ts";
import { KEY_BYTES, unwrapKey, wrappedBytes } from "./unwrap_key.ts";

/** `field` is v6's: a word of node.yaml and of the protocol, from before v6 was called that here. */
export type Format = "field" | "authenticated";

/** Encrypts one payload, piece by piece. */
export interface Seal {
  /** What comes before the ciphertext, in both variants. */
  readonly header: string;
  /** As many bytes as are given. */
  update(piece: Uint8Array): Uint8Array;
  /** What comes after the last piece; empty in v6's format. */
  final(): Uint8Array;
}

const IV_BYTES = 16;
const TAG_BYTES = 16;
/** Before the wrapped key, where it also makes that longer than any key of v6's format. */
const MARK = new TextEncoder().encode("sextant1");

/** Begins a payload for the organization that has the private half of this key. */
export function createSeal(publicKey: KeyObject, format: Format = "field"): Seal {
  const key = randomBytes(KEY_BYTES);
  const iv = randomBytes(IV_BYTES);
  if (format === "field") {
    const wrapped = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, key);
    const cipher = createCipheriv("aes-256-ctr", key, iv);
    return {
      header: headerOf(wrapped, iv),
      update: (piece) => cipher.update(piece),
      final: () => cipher.final(),
    };
  }
  const wrapped = joined(MARK, publicEncrypt({ key: publicKey, ...OAEP }, key));
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(wrapped);
  return {
    header: headerOf(wrapped, iv),
    update: (piece) => cipher.update(piece),
    final() {
      cipher.final();
      return cipher.getAuthTag();
    },
  };
}

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };

/** The whole of a payload as text. */
export function sealText(
  content: Uint8Array,
  publicKey: KeyObject,
  format: Format = "field",
): string {
  const seal = createSeal(publicKey, format);
  return seal.header + joined(seal.update(content), seal.final()).toBase64();
}

/** Decrypts one payload, piece by piece. */
export interface Opener {
  /** Whether the content is confirmed by {@linkcode Opener.final}: nothing of it may be used before. */
  readonly authenticated: boolean;
  /** What this piece leads to, in memory of its own; perhaps nothing yet. */
  update(piece: Uint8Array): Uint8Array<ArrayBuffer>;
  /**
   * What is left. Throws an {@linkcode UnreadableError} when the whole is not what somebody sealed.
   */
  final(): Uint8Array<ArrayBuffer>;
}

/**
 * The content of a payload: of a text, or of a blob's bytes. Throws an {@linkcode UnreadableError}.
 * In v6's format a wrong key gives noise instead, because telling the difference would help to
 * decrypt what others have sent.
 */
export function openSealed(payload: string | Uint8Array, privateKey: KeyObject): Uint8Array {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const end = endOfHeader(bytes);
  if (end < 0) throw new UnreadableError("it is not encrypted");
  const rest = bytes.subarray(end);
  const opener = openerFor(bytes.subarray(0, end), privateKey);
  const content = opener.update(typeof payload === "string" ? fromBase64(rest) : rest);
  return joined(content, opener.final());
}

/** More than any header has. */
const HEADER_LIMIT = 16 * 1024;

/** Opens a blob as it comes. */
export function createBlobOpener(privateKey: KeyObject): Opener {
  let head: Uint8Array<ArrayBuffer> = new Uint8Array();
  let opener: Opener | undefined;
  return {
    get authenticated() {
      return opener?.authenticated ?? true;
    },
    update(piece) {
      if (opener) return opener.update(piece);
      head = joined(head, piece);
      const end = endOfHeader(head.subarray(0, HEADER_LIMIT));
      if (end < 0) {
        if (head.length < HEADER_LIMIT) return new Uint8Array();
        throw new UnreadableError("it is not encrypted");
      }
      opener = openerFor(head.subarray(0, end), privateKey);
      return opener.update(head.subarray(end));
    },
    final() {
      if (!opener) throw new UnreadableError("it is not encrypted");
      return opener.final();
    },
  };
}

/** What opens a payload with this header; throws an {@linkcode UnreadableError}. */
function openerFor(header: Uint8Array, privateKey: KeyObject): Opener {
  const { wrapped, iv } = readHeader(header);
  const isMarked = MARK.every((byte, index) => wrapped[index] === byte);
  if (isMarked && wrapped.length > wrappedBytes(privateKey)) {
    return authenticatedOpener(wrapped, iv, privateKey);
  }
  const decipher = createDecipheriv("aes-256-ctr", unwrapKey(wrapped, privateKey), iv);
  return {
    authenticated: false,
    update: (piece) => own(decipher.update(piece)),
    final: () => own(decipher.final()),
  };
}

function authenticatedOpener(wrapped: Uint8Array, iv: Uint8Array, privateKey: KeyObject): Opener {
  const decipher = unlessUnreadable(() => {
    const key = privateDecrypt({ key: privateKey, ...OAEP }, wrapped.subarray(MARK.length));
    return createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES }).setAAD(wrapped);
  });
  /** The end of what has come, which may be the tag. */
  let held: Uint8Array<ArrayBuffer> = new Uint8Array();
  return {
    authenticated: true,
    update(piece) {
      const bytes = held.length === 0 ? piece : joined(held, piece);
      const end = Math.max(0, bytes.length - TAG_BYTES);
      held = new Uint8Array(bytes.subarray(end));
      const content = own(decipher.update(bytes.subarray(0, end)));
      if (bytes !== piece) discard(bytes);
      return content;
    },
    final: () =>
      unlessUnreadable(() => {
        decipher.setAuthTag(held);
        return own(decipher.final());
      }),
  };
}

function unlessUnreadable<T>(act: () => T): T {
  try {
    return act();
  } catch {
    throw new UnreadableError();
  }
}

/** What node:crypto returns is a view of this kind. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

/** Where the ciphertext begins; negative when the header has not ended. */
function endOfHeader(bytes: Uint8Array): number {
  const first = bytes.indexOf(0x24);
  const second = first < 0 ? -1 : bytes.indexOf(0x24, first + 1);
  return second < 0 ? -1 : second + 1;
}

function readHeader(header: Uint8Array) {
  const middle = header.indexOf(0x24);
  const wrapped = fromBase64(header.subarray(0, middle));
  const iv = fromBase64(header.subarray(middle + 1, -1));
  if (iv.length !== IV_BYTES) throw new UnreadableError();
  return { wrapped, iv };
}

function fromBase64(text: Uint8Array): Uint8Array {
  try {
    return Uint8Array.fromBase64(new TextDecoder("latin1").decode(text));
  } catch {
    throw new UnreadableError();
  }
}

function headerOf(wrapped: Uint8Array, iv: Uint8Array): string {
  return `${new Uint8Array(wrapped).toBase64()}$${new Uint8Array(iv).toBase64()}$`;
}

/** Both, in new memory. */
export function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
