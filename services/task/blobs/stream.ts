/**
 * Large payloads between a stream and the table of chunks. Memory stays at a few chunks, whatever
 * the size.
 * @module
 */
import { createHash } from "node:crypto";
import type { Db } from "../../../shared/storage/db.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import {
  appendChunk,
  blobPiece,
  type BlobRow,
  deleteBlob,
  insertBlob,
  LARGEST_PIECE,
  sealBlob,
} from "../store/blob.ts";

/** Bytes of one row. */
const CHUNK = 512 * 1024;
/** So many rows, 16 MiB, are written before room is asked for again. */
const ROOM_EVERY = 32;

export interface WriteBlobOptions {
  owner: string;
  organizationId: number;
  content: ReadableStream<Uint8Array> | null;
  /** Aborted when the caller breaks off. */
  signal: AbortSignal;
  /** The length that the caller announced, as text. */
  declaredSize?: string | undefined;
  /** Rejects when there is no room for more: asked again and again, for others upload, too. */
  demandRoom?: () => Promise<void>;
}

/** Stores a stream as a new blob. When it breaks off, nothing of it stays. */
export async function writeBlob(
  db: Db,
  { owner, organizationId, content, signal, declaredSize, demandRoom }: WriteBlobOptions,
): Promise<{ id: string; size: number; sha256: string }> {
  const id = crypto.randomUUID();
  await insertBlob(db, { id, owner, organization_id: organizationId });
  try {
    const hash = createHash("sha256");
    let size = 0;
    let position = 0;
    for await (const piece of inChunks(content, CHUNK)) {
      signal.throwIfAborted();
      hash.update(piece);
      size += piece.length;
      await appendChunk(db, id, position++, piece);
      if (position % ROOM_EVERY === 0) await demandRoom?.();
    }
    signal.throwIfAborted();
    if (declaredSize !== undefined && Number(declaredSize) !== size) {
      throw new SextantError(
        "invalid_request",
        `The upload broke off: ${size} bytes came, ${declaredSize} were announced.`,
      );
    }
    const sha256 = hash.digest("hex");
    await sealBlob(db, id, { size, sha256 });
    return { id, size, sha256 };
  } catch (error) {
    // If this fails too, the sweep removes it.
    await deleteBlob(db, id).catch(() => {});
    throw error;
  }
}

/**
 * The bytes of a stream in pieces of exactly `size`, but for the last. All pieces are in the same
 * memory: each is gone when the next is asked for. Fresh memory for each would pile up faster than
 * it is collected.
 */
async function* inChunks(
  content: ReadableStream<Uint8Array> | null,
  size: number,
): AsyncGenerator<Uint8Array> {
  if (!content) return;
  const chunk = new Uint8Array(size);
  let filled = 0;
  for await (const bytes of content) {
    for (let at = 0; at < bytes.length;) {
      const taken = bytes.subarray(at, at + size - filled);
      chunk.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      if (filled < size) continue;
      yield chunk;
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

/**
 * The bytes of a complete blob from one on, read as they are wanted. The stream fails when they are
 * not what was stored: not so many, or, where it is read from the start, of another digest.
 */
export function readBlob(
  db: Db,
  blob: BlobRow,
  from = 0,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const hash = createHash("sha256");
  let size = from;
  return new ReadableStream({
    async pull(controller) {
      const piece = size < blob.size!
        ? await blobPiece(db, blob.id, {
          position: Math.floor(size / CHUNK),
          from: size % CHUNK,
          length: LARGEST_PIECE,
        })
        : undefined;
      if (piece && piece.length > 0) {
        size += piece.length;
        hash.update(piece);
        controller.enqueue(piece);
        if (size < blob.size!) return;
      }
      if (size !== blob.size || (from === 0 && hash.digest("hex") !== blob.sha256)) {
        throw new Error(`Cannot read blob ${blob.id}: it is not what was stored`);
      }
      controller.close();
    },
  }, { highWaterMark: 1 });
}
