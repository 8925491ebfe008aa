/**
 * The payload in a report, as its blob: a sealed one is its header and its ciphertext as it is, not
 * in base64 (HTTP contract §7.4); a plain one is its base64.
 * @module
 */
import type { Upload } from "../hub/upload.ts";
import { discard, readPieces } from "../payload/pieces.ts";
import type { FilePart } from "../record/finish_report.ts";

/** More than any header has. */
const HEADER_LIMIT = 4096;

/**
 * The blob of the payload that stands as text in a part of a file; it is made anew each time it is
 * read.
 */
export async function blobOf(part: FilePart): Promise<Upload> {
  const { path, start, end } = part;
  const head = await readHead(part);
  const second = head.indexOf("$", head.indexOf("$") + 1);
  if (second < 0) return { size: end - start, pieces: () => readPieces(path, { start, end }) };
  const header = head.slice(0, second + 1);
  const text = { path, start: start + header.length, end };
  const size = header.length + await decodedLength(text);
  return { size, pieces: () => sealedPieces(header, text) };
}

async function* sealedPieces(
  header: string,
  { path, start, end }: FilePart,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const decoder = new TextDecoder("latin1");
  yield new TextEncoder().encode(header);
  // Each piece is a multiple of four characters and can be decoded by itself.
  for await (const piece of readPieces(path, { start, end })) {
    const bytes = Uint8Array.fromBase64(decoder.decode(piece));
    yield bytes;
    discard(bytes);
  }
}

async function readHead({ path, start, end }: FilePart): Promise<string> {
  for await (const piece of readPieces(path, { start, end: Math.min(end, start + HEADER_LIMIT) })) {
    return new TextDecoder("latin1").decode(piece);
  }
  return "";
}

/** How many bytes a base64 text stands for. */
async function decodedLength({ path, start, end }: FilePart): Promise<number> {
  const groups = (end - start) / 4;
  for await (const piece of readPieces(path, { start: Math.max(start, end - 4), end })) {
    return (groups - 1) * 3 + Uint8Array.fromBase64(new TextDecoder("latin1").decode(piece)).length;
  }
  return 0;
}
