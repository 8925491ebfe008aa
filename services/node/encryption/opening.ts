/**
 * Encrypting and decrypting content that passes piece by piece.
 * @module
 */
import { discard, type Pieces } from "../payload/pieces.ts";
import type { Opener, Seal } from "../../../shared/payload/form.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * What a stored payload opens to. Nothing of it may be used before it has ended, where the opener
 * is {@linkcode Opener.authenticated}.
 */
export async function* openPieces(stored: Pieces, opener: Opener): AsyncGenerator<Bytes> {
  for await (const piece of stored) yield* passing(opener.update(piece));
  yield* passing(await opener.final());
}

/** The blob of content. */
export async function* sealPieces(content: Pieces, seal: Seal): AsyncGenerator<Bytes> {
  yield* passing(new TextEncoder().encode(seal.header));
  for await (const piece of content) yield* passing(seal.update(piece) as Bytes);
  yield* passing(seal.final() as Bytes);
}

function* passing(piece: Bytes): Generator<Bytes> {
  if (piece.length === 0) return;
  yield piece;
  discard(piece);
}
