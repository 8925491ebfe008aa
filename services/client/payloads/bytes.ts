/**
 * Bytes that come piece by piece.
 * @module
 */
import { joined } from "../../../shared/payload/form.ts";

export type Bytes = Uint8Array<ArrayBuffer>;
export type Pieces = AsyncIterable<Bytes>;

/** What can be read again from its beginning, each time that it is sent. */
export type Content = Uint8Array | Blob | (() => AsyncIterable<Uint8Array>);

const encoder = new TextEncoder();

export function bytesOfText(text: string): Bytes {
  return encoder.encode(text);
}

export async function* piecesOf(content: Content): AsyncGenerator<Bytes> {
  if (content instanceof Uint8Array) yield content as Bytes;
  else if (content instanceof Blob) yield* piecesOfStream(content.stream());
  else for await (const piece of content()) yield piece as Bytes;
}

/** Browsers' streams are no iterators everywhere. */
export async function* piecesOfStream(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Bytes> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value as Bytes;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

export function streamOf(pieces: AsyncGenerator<Bytes>): ReadableStream<Bytes> {
  return new ReadableStream<Bytes>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await pieces.return(undefined);
    },
  }, { highWaterMark: 0 });
}

/** All of it, in memory. */
export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Bytes> {
  const all: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    all.push(piece);
    size += piece.length;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of all) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * The beginning of what comes, at most `limit` bytes of it, and whether that is all. Nothing is
 * lost: the pieces come once more, followed by the rest.
 */
export async function peek(
  pieces: AsyncGenerator<Bytes>,
  limit: number,
): Promise<{ whole: Bytes | undefined; pieces: AsyncGenerator<Bytes> }> {
  let head: Bytes = new Uint8Array();
  while (head.length <= limit) {
    const { done, value } = await pieces.next();
    if (done) return { whole: head, pieces: single(head) };
    head = joined(head, value);
  }
  async function* again() {
    yield head;
    yield* pieces;
  }
  return { whole: undefined, pieces: again() };
}

async function* single(bytes: Bytes): AsyncGenerator<Bytes> {
  yield await Promise.resolve(bytes);
}
