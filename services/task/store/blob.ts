/**
 * The SQL of large payloads. A blob is written piece by piece, then sealed with its size and
 * digest, then attached to the one result it belongs to; until then it is its uploader's, and swept
 * when nobody comes for it.
 * @module
 */
import { isBlobId } from "../../../shared/node_protocol/blobs.ts";
import type { Db, Tx } from "../../../shared/storage/db.ts";

export interface BlobRow {
  id: string;
  owner: string;
  organization_id: number;
  /** Bytes; null while it is being uploaded. */
  size: number | null;
  /** In hex. */
  sha256: string | null;
  result_id: number | null;
}

const blobColumns = (tx: Tx) =>
  tx`id, owner, organization_id, size::float8 as size, sha256, result_id`;

export async function insertBlob(
  db: Db,
  blob: { id: string; owner: string; organization_id: number },
): Promise<void> {
  await db`insert into blob ${db({ ...blob })}`;
}

/** Adds a piece to a blob that is being uploaded. Throws when the blob has been swept meanwhile. */
export async function appendChunk(
  db: Db,
  id: string,
  position: number,
  content: Uint8Array,
): Promise<void> {
  const alive = await db`
    update blob set touched_at = now() where id = ${id} and size is null returning id`;
  if (alive.length === 0) throw new Error(`Cannot go on with blob ${id}: it was swept`);
  await db`insert into blob_chunk values (${id}, ${position}, ${content})`;
}

// A binary COPY: a head of 19 bytes, rows, -1. A row: how many fields (u16), then each with its
// length (i32) before it.
const COPY_HEAD = 19;

/** The only field of the only row of a COPY, without a copy; `undefined` when there is no row. */
function onlyField(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getInt16(COPY_HEAD) === -1) return undefined;
  const field = bytes.subarray(COPY_HEAD + 6);
  if (field.length === view.getInt32(COPY_HEAD + 2)) return field;
  throw new Error("Cannot read a piece of a blob: Postgres has sent it in an unexpected form");
}

export async function sealBlob(
  db: Db,
  id: string,
  { size, sha256 }: { size: number; sha256: string },
): Promise<void> {
  await db`
    update blob set size = ${size}, sha256 = ${sha256}, touched_at = now()
    where id = ${id} and size is null`;
}

/**
 * Bytes of an organization's blobs that belong to no result yet, those under way included. `owners`
 * is whose they are, or how that begins, and a colon: `user:`, `container:17:4:`.
 */
export async function unusedBytes(
  db: Db,
  organizationId: number,
  owners: string,
): Promise<number> {
  const [row] = await db<{ bytes: number }[]>`
    select coalesce(sum(coalesce(size,
      (select sum(octet_length(content)) from blob_chunk where blob_id = id))), 0)::float8 as bytes
    from blob where result_id is null and organization_id = ${organizationId}
      and starts_with(owner || ':', ${owners})`;
  return row!.bytes;
}

export async function deleteBlob(db: Db, id: string): Promise<void> {
  await db`delete from blob where id = ${id}`;
}

export async function blobById(tx: Tx, id: string): Promise<BlobRow | undefined> {
  const [row] = await tx<BlobRow[]>`select ${blobColumns(tx)} from blob where id = ${id}`;
  return row;
}

/** What {@linkcode blobPiece} reads at most. */
export const LARGEST_PIECE = 60_000;

/**
 * Up to `length` bytes of a chunk, from `from` on; `undefined` when there is no such chunk.
 * By COPY: answers come as text, and strings of every piece would pile up on the heap.
 */
export async function blobPiece(
  tx: Tx,
  id: string,
  { position, from, length }: { position: number; from: number; length: number },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!isBlobId(id)) throw new TypeError(`Cannot read blob ${id}: that is no id`);
  const [at, first, size] = [position, from + 1, Math.min(length, LARGEST_PIECE)].map(Math.trunc);
  // COPY takes no parameters; these are a UUID and three integers.
  const [message] = await tx.copyOut(`
    copy (
      select substring(content from ${first} for ${size}) from blob_chunk
      where blob_id = '${id}' and position = ${at}
    ) to stdout (format binary)`);
  return onlyField(message!);
}

/**
 * Gives a complete blob of one of these owners to a result, which may have it already; `undefined`
 * when there is no such blob, or it is another's.
 */
export async function attachBlob(
  tx: Tx,
  id: string,
  { owners, resultId }: { owners: string[]; resultId: number },
): Promise<BlobRow | undefined> {
  const [row] = await tx<BlobRow[]>`
    update blob set result_id = ${resultId}
    where id = ${id} and size is not null and owner = any(${owners})
      and (result_id is null or result_id = ${resultId})
    returning ${blobColumns(tx)}`;
  return row;
}

/** Removes uploads that broke off and blobs that nobody came for; returns how many. */
export async function sweepBlobs(
  db: Db,
  { now, uploadMs, unusedMs }: { now: Date; uploadMs: number; unusedMs: number },
): Promise<number> {
  const gone = await db`
    delete from blob where result_id is null and touched_at <
      ${now}::timestamptz - make_interval(secs =>
        case when size is null then ${uploadMs / 1000}::float8 else ${
    unusedMs / 1000
  }::float8 end)`;
  return gone.count;
}
