/**
 * Large content on its way through the agent: read, changed and written piece by piece, so that
 * memory does not grow with it. Collecting what each piece leaves behind comes too late at hundreds
 * of MiB a second; so pieces are in the same memory where that can be, and give theirs back where
 * it cannot.
 * @module
 */
import { createHash } from "node:crypto";
import { messageOf } from "../../../shared/service/errors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Each piece is valid until the next one is asked for. */
export type Pieces = AsyncIterable<Bytes>;

/** Content in a file. */
export interface ContentFile {
  readonly path: string;
  readonly size: number;
  /** SHA-256 in hex. */
  readonly sha256: string;
}

/**
 * A multiple of three and of four, for base64; its base64 is still in the short-lived part of the
 * heap.
 */
export const PIECE = 48 * 1024;

/** More came than may. */
export class TooLargeError extends Error {
  override name = "TooLargeError";
}

/** A file is no longer what it was, or no longer there to be read. */
export class ChangedFileError extends Error {
  override name = "ChangedFileError";
}

/**
 * The bytes of a file from `start` up to `end`, in pieces of exactly {@linkcode PIECE}, but for the
 * last.
 */
export async function* readPieces(
  path: string,
  { start = 0, end }: { start?: number; end?: number } = {},
): AsyncGenerator<Bytes> {
  const file = await Deno.open(path);
  try {
    const memory = new Uint8Array(PIECE);
    const stop = end ?? (await file.stat()).size;
    await file.seek(start, Deno.SeekMode.Start);
    for (let left = stop - start; left > 0;) {
      const piece = memory.subarray(0, Math.min(left, PIECE));
      for (let filled = 0; filled < piece.length;) {
        const count = await file.read(piece.subarray(filled));
        if (count === null) {
          throw new ChangedFileError(`Cannot read ${path}: it is shorter than it was`);
        }
        filled += count;
      }
      left -= piece.length;
      yield piece;
    }
  } finally {
    file.close();
  }
}

/**
 * The bytes of content, as {@linkcode readPieces} gives them. Ends with a
 * {@linkcode ChangedFileError} when they are not those that were there: the last piece has come by
 * then.
 */
export async function* readContent({ path, size, sha256 }: ContentFile): AsyncGenerator<Bytes> {
  const hash = createHash("sha256");
  try {
    for await (const piece of readPieces(path, { end: size })) {
      hash.update(piece);
      yield piece;
    }
  } catch (cause) {
    if (cause instanceof ChangedFileError) throw cause;
    throw new ChangedFileError(`Cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
  if (hash.digest("hex") !== sha256) throw new ChangedFileError(`${path} is not what it was`);
}

export interface WritePiecesOptions {
  /** More than so many bytes end it with a {@linkcode TooLargeError}. */
  maxBytes?: number;
}

/**
 * Writes pieces to the file `path`, readable by the agent alone. When they break off, no file
 * stays.
 */
export async function writePieces(
  path: string,
  pieces: Pieces | Iterable<Bytes>,
  { maxBytes = Infinity }: WritePiecesOptions = {},
): Promise<ContentFile> {
  const hash = createHash("sha256");
  let size = 0;
  const file = await openNew(path);
  try {
    for await (const piece of pieces) {
      size += piece.length;
      if (size > maxBytes) throw new TooLargeError(`More than ${maxBytes} bytes came`);
      hash.update(piece);
      await writeAll(file, piece);
    }
  } catch (error) {
    await Deno.remove(path).catch(() => {});
    throw error;
  } finally {
    file.close();
  }
  return { path, size, sha256: hash.digest("hex") };
}

/** An empty file for writing that nobody else may read. */
export function openNew(path: string): Promise<Deno.FsFile> {
  return Deno.open(path, { create: true, write: true, truncate: true, mode: 0o600 });
}

export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

/** Gives the memory of bytes that nobody will look at again back at once. */
export function discard(bytes: Uint8Array): void {
  const { buffer } = bytes;
  // What is a part of something larger is not ours to discard.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}

/** The pieces of a stream that makes each anew. */
export async function* piecesOf(stream: ReadableStream<Uint8Array> | null): AsyncGenerator<Bytes> {
  if (!stream) return;
  for await (const piece of stream) {
    yield piece as Bytes;
    discard(piece);
  }
}

/**
 * Bytes of a copy for somebody else, of whose memory only the collector knows when it is free:
 * soon, if it is small.
 */
const COPY = 16 * 1024;

/** The opposite. */
export function streamOf(pieces: AsyncGenerator<Bytes>): ReadableStream<Bytes> {
  return new ReadableStream<Bytes>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) return controller.close();
      for (let at = 0; at < value.length; at += COPY) {
        controller.enqueue(new Uint8Array(value.subarray(at, at + COPY)));
      }
    },
    async cancel() {
      await pieces.return(undefined);
    },
  }, { highWaterMark: 0 });
}

/**
 * All of it, in memory: for what is known to be small. More than `maxBytes` end it with a
 * {@linkcode TooLargeError}.
 */
export async function collect(
  pieces: Pieces,
  { maxBytes = Infinity }: { maxBytes?: number } = {},
): Promise<Bytes> {
  const copies: Bytes[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > maxBytes) throw new TooLargeError(`More than ${maxBytes} bytes came`);
    copies.push(new Uint8Array(piece));
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const copy of copies) {
    whole.set(copy, at);
    at += copy.length;
  }
  return whole;
}
