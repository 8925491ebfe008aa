/**
 * Payloads that only one organization can read, in one of two formats of one form (`form.ts`): v6's
 * (HTTP contract §7.3: the key wrapped by RSA PKCS#1 v1.5, AES-256-CTR), which shows neither who
 * wrote it nor whether it was changed, and our own (`signed.ts`), which shows both.
 * @module
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import {
  endOfHeader,
  fromBase64,
  HEADER_LIMIT,
  headerOf,
  joined,
  type Opener,
  own,
  readHeader,
  type Seal,
} from "../../../shared/payload/form.ts";
import { isSigned } from "../../../shared/payload/signed_form.ts";
import { type JudgeLabel, signedOpener } from "./signed.ts";
import { UnreadableError } from "../../../shared/payload/unreadable_error.ts";
import { KEY_BYTES } from "../../../shared/payload/unpadded_key.ts";
import { idOfHeader } from "./payload_id.ts";
import { unwrapKey, wrappedBytes } from "./unwrap_key.ts";

/**
 * `field` is v6's: a word of node.yaml and of the protocol, from before v6 was called that here.
 */
export type Format = "field" | "authenticated";

const IV_BYTES = 16;

/** Begins a payload in v6's format, for the organization that has the private half of this key. */
export function createSeal(publicKey: KeyObject): Seal {
  const key = randomBytes(KEY_BYTES);
  const iv = randomBytes(IV_BYTES);
  const wrapped = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, key);
  const cipher = createCipheriv("aes-256-ctr", key, iv);
  return {
    header: headerOf(wrapped, iv),
    key: fingerprintOf(publicKey),
    update: (piece) => cipher.update(piece),
    final: () => cipher.final(),
  };
}

/** The whole of a payload as text. */
export function sealText(content: Uint8Array, seal: Seal): string {
  return seal.header + joined(seal.update(content), seal.final()).toBase64();
}

/** Whoever decides what is read. */
export interface Judge {
  /** Throws a `RefusedPayloadError` where nothing is read that is not signed. */
  unsigned(): void;
  signed: JudgeLabel;
}

/** What a payload was, once it has been opened. */
export interface Origin {
  /** See `payloadId`. */
  id: string;
  signed: boolean;
}

/** Opens what has not been asked for by anything that could be checked: v6's format alone. */
export const ANY_UNSIGNED: Judge = {
  unsigned() {},
  signed: () => Promise.reject(new UnreadableError()),
};

/**
 * The content of a payload: of a text, or of a blob's bytes. Rejects with an
 * {@linkcode UnreadableError}. In v6's format a wrong key gives noise instead, because telling the
 * difference would help to decrypt what others have sent.
 */
export async function openSealed(
  payload: string | Uint8Array,
  privateKey: KeyObject,
  judge = ANY_UNSIGNED,
): Promise<{ content: Uint8Array; origin: Origin }> {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const end = endOfHeader(bytes);
  if (end < 0) throw new UnreadableError("it is not encrypted");
  const header = bytes.subarray(0, end);
  const rest = bytes.subarray(end);
  const opener = openerFor(header, privateKey, judge);
  const content = opener.update(typeof payload === "string" ? fromBase64(rest) : rest);
  return {
    content: joined(content, await opener.final()),
    origin: { id: idOfHeader(header), signed: opener.authenticated },
  };
}

/** An opener that says, once it has begun, what it opens. */
export type BlobOpener = Opener & { readonly origin: Origin | undefined };

/** Opens a blob as it comes. */
export function createBlobOpener(privateKey: KeyObject, judge = ANY_UNSIGNED): BlobOpener {
  let head: Uint8Array<ArrayBuffer> = new Uint8Array();
  let opener: Opener | undefined;
  let origin: Origin | undefined;
  return {
    get authenticated() {
      return opener?.authenticated ?? true;
    },
    get origin() {
      return origin;
    },
    update(piece) {
      if (opener) return opener.update(piece);
      head = joined(head, piece);
      const end = endOfHeader(head);
      if (end < 0) {
        if (head.length < HEADER_LIMIT) return new Uint8Array();
        throw new UnreadableError("it is not encrypted");
      }
      const header = head.subarray(0, end);
      opener = openerFor(header, privateKey, judge);
      origin = { id: idOfHeader(header), signed: opener.authenticated };
      return opener.update(head.subarray(end));
    },
    final() {
      if (!opener) return Promise.reject(new UnreadableError("it is not encrypted"));
      return opener.final();
    },
  };
}

/** What opens a payload with this header; throws an {@linkcode UnreadableError}. */
function openerFor(header: Uint8Array, privateKey: KeyObject, judge: Judge): Opener {
  const read = readHeader(header);
  if (isSigned(read, wrappedBytes(privateKey))) return signedOpener(read, privateKey, judge.signed);
  judge.unsigned();
  const decipher = createDecipheriv("aes-256-ctr", unwrapKey(read.wrapped, privateKey), read.iv);
  return {
    authenticated: false,
    update: (piece) => own(decipher.update(piece)),
    final: () => Promise.resolve(own(decipher.final())),
  };
}
