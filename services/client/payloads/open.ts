/**
 * What stored payloads hold: plain ones, those in v6's format, and signed ones, which say who wrote
 * them, and for what.
 * @module
 */
import { bytesOfBase64 } from "../../../shared/payload/base64.ts";
import {
  endOfHeader,
  HEADER_LIMIT,
  joined,
  readHeader,
  type SealedHeader,
} from "../../../shared/payload/form.ts";
import type { Label } from "../../../shared/payload/label.ts";
import type { RsaPublicKey } from "../../../shared/payload/rsa_public_key.ts";
import {
  isSigned,
  readLabel,
  signedBytes,
  TAG_BYTES,
} from "../../../shared/payload/signed_form.ts";
import { RefusedPayloadError, UnreadableError } from "../../../shared/payload/unreadable_error.ts";
import { sha256 } from "../keys/fingerprint.ts";
import type { OrganizationKey } from "../keys/organization_key.ts";
import { type Bytes, bytesOfText, collect } from "./bytes.ts";
import { createCtr } from "./ctr.ts";

/** A payload as it is stored: a text of the API, or a blob. */
export type Stored =
  | { in: "text"; text: string }
  | { in: "blob"; pieces: AsyncGenerator<Bytes> };

export interface OpenOptions {
  /** Of the organization that the payload is for; `undefined` where nothing is encrypted. */
  key: OrganizationKey | undefined;
  /**
   * Decides on a signed payload whether it belongs where it is read, and gives the key of who must
   * have signed it. Rejects with a {@linkcode RefusedPayloadError}.
   */
  signer: (label: Label) => Promise<RsaPublicKey>;
  /** Whether only what is signed is read. */
  signedOnly?: boolean;
}

/**
 * What a payload holds, piece by piece; a signed one only once all of it is confirmed, so in one.
 * Ends with an {@linkcode UnreadableError}. In v6's format a wrong key gives noise instead: nothing
 * in it would show the difference.
 */
export async function* openPayload(stored: Stored, options: OpenOptions): AsyncGenerator<Bytes> {
  if (!options.key) return yield* plain(stored);
  if (stored.in === "blob") return yield* sealed(stored.pieces, options);
  const bytes = bytesOfText(stored.text);
  const end = endOfHeader(bytes);
  if (end < 0) throw new UnreadableError("it is not encrypted");
  const ciphertext = fromBase64(stored.text.slice(end));
  async function* pieces() {
    yield bytes.subarray(0, end);
    yield await Promise.resolve(ciphertext);
  }
  yield* sealed(pieces(), options);
}

async function* plain(stored: Stored): AsyncGenerator<Bytes> {
  if (stored.in === "text") {
    if (stored.text.includes("$")) {
      throw new UnreadableError("it is encrypted, and no key was given");
    }
    return yield fromBase64(stored.text);
  }
  const decoder = new TextDecoder("latin1");
  let left = "";
  for await (const piece of stored.pieces) {
    const text = left + decoder.decode(piece).replaceAll(/\s/g, "");
    const end = text.length - text.length % 4;
    left = text.slice(end);
    if (end > 0) yield fromBase64(text.slice(0, end));
  }
  if (left) throw new UnreadableError("it is not base64");
}

async function* sealed(
  pieces: AsyncGenerator<Bytes>,
  options: OpenOptions,
): AsyncGenerator<Bytes> {
  const key = options.key!;
  let head: Bytes = new Uint8Array();
  let end = -1;
  while (end < 0) {
    const { done, value } = await pieces.next();
    if (done || head.length > HEADER_LIMIT) throw new UnreadableError("it is not encrypted");
    head = joined(head, value);
    end = endOfHeader(head);
  }
  const header = readHeader(head.subarray(0, end));
  const first = head.slice(end);
  if (isSigned(header, key.wrappedBytes)) {
    const rest = await collect(pieces);
    return yield await openSigned(header, joined(first, rest), options);
  }
  if (options.signedOnly) {
    throw new RefusedPayloadError("it is not signed, and what it answers to was");
  }
  const ctr = await createCtr(await key.unwrap(header.wrapped), header.iv);
  yield* passing(await ctr.update(first));
  for await (const piece of pieces) yield* passing(await ctr.update(piece));
  yield* passing(await ctr.final());
}

function* passing(piece: Bytes): Generator<Bytes> {
  if (piece.length > 0) yield piece;
}

async function openSigned(
  header: SealedHeader,
  sealed: Bytes,
  { key, signer }: OpenOptions,
): Promise<Bytes> {
  const { label, signatureBytes, wrappedKey } = readLabel(header.wrapped);
  const raw = await key!.unwrapOaep(wrappedKey);
  const inner = await unlessUnreadable(async () => {
    const aes = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
    const algorithm = {
      name: "AES-GCM",
      iv: new Uint8Array(header.iv),
      additionalData: bytesOfText(header.text),
      tagLength: 8 * TAG_BYTES,
    };
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, aes, sealed));
  });
  const end = inner.length - signatureBytes;
  if (end < 0) throw new UnreadableError();
  const content = inner.slice(0, end);
  const { der } = await signer(label);
  const bytes = signedBytes(header.text, await sha256(content));
  const pss = { name: "RSA-PSS", hash: "SHA-256" };
  const by = await crypto.subtle.importKey("spki", der, pss, false, ["verify"]);
  const algorithm = { name: "RSA-PSS", saltLength: 32 };
  if (!await crypto.subtle.verify(algorithm, by, inner.slice(end), bytes)) {
    throw new RefusedPayloadError(`organization ${label.from} has not signed it`);
  }
  return content;
}

async function unlessUnreadable<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch {
    throw new UnreadableError();
  }
}

function fromBase64(text: string): Bytes {
  try {
    return bytesOfBase64(text);
  } catch {
    throw new UnreadableError("it is not base64");
  }
}
