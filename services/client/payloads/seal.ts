/**
 * Inputs as they are stored: for organizations whose node alone reads them, in v6's format (HTTP
 * contract §7.3), which every node reads; or as base64, where nothing is encrypted.
 * @module
 */
import { toBase64 } from "../../../shared/payload/base64.ts";
import { headerOf, joined } from "../../../shared/payload/form.ts";
import type { RsaPublicKey } from "../../../shared/payload/rsa_public_key.ts";
import { KEY_BYTES } from "../../../shared/payload/unpadded_key.ts";
import { wrapKey } from "../keys/rsa.ts";
import { type Bytes, bytesOfText, collect, type Content, piecesOf } from "./bytes.ts";
import { createCtr } from "./ctr.ts";

const IV_BYTES = 16;

/** A payload as text, for whoever has the private half of `reader`; plain without one. */
export async function payloadText(
  content: Bytes,
  reader: RsaPublicKey | undefined,
): Promise<string> {
  if (!reader) return toBase64(content);
  const pieces = sealedPieces(content, reader);
  const header = (await pieces.next()).value as Bytes;
  return new TextDecoder().decode(header) + toBase64(await collect(pieces));
}

/** The same as a blob: what is encrypted is not in base64 there. */
export async function* payloadBlob(
  content: Content,
  reader: RsaPublicKey | undefined,
): AsyncGenerator<Bytes> {
  if (reader) return yield* sealedPieces(content, reader);
  let left: Bytes = new Uint8Array();
  for await (const piece of piecesOf(content)) {
    const bytes = joined(left, piece);
    const end = bytes.length - bytes.length % 3;
    left = bytes.slice(end);
    if (end > 0) yield bytesOfText(toBase64(bytes.subarray(0, end)));
  }
  yield bytesOfText(toBase64(left));
}

/** The header comes first, by itself. */
async function* sealedPieces(content: Content, reader: RsaPublicKey): AsyncGenerator<Bytes> {
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  yield bytesOfText(headerOf(wrapKey(key, reader), iv));
  const ctr = await createCtr(key, iv);
  for await (const piece of piecesOf(content)) {
    const sealed = await ctr.update(piece);
    if (sealed.length > 0) yield sealed;
  }
  const last = await ctr.final();
  if (last.length > 0) yield last;
}
