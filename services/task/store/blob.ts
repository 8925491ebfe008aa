/**
 * The SQL of large payloads. A blob is written piece by piece, then sealed with its size and digest, then attached
 * to the one result it belongs to; until then it is its uploader's, and swept when nobody comes for it.
 * @module
 */
import type { Db, Tx } from "../../../shared/db.ts";

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

const BLOB_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether this has the form of a blob's id: canonical, lower-case. */
export function isBlobId(text: string | null): text is string {
  return text !== null && BLOB_ID.test(text);
}

const blobColumns = (tx: Tx) =>
  tx`id, owner, organization_id, size::float8 as size, sha256, result_id`;

export async function insertBlob(
  db: Db,
  blob: { id: string; owner: string; organization_id: number },
): Promise<void> {
  await db`insert into blob ${db({ ...blob })}`;
}

/**
 * Adds a piece to a blob that is being uploaded. Throws when the blob has been swept meanwhile.
 * Goes by COPY in its binary form: a bytea parameter would be sent as twice as much text.
 */
export async function appendChunk(
  db: Db,
  id: string,
  position: number,
  content: Uint8Array,
): Promise<void> {
  const alive = await db`
    update blob set touched_at = now() where id = ${id} and size is null returning id`;
  if (alive.length === 0) throw new Error(`Cannot go on with blob ${id}: it was swept`);
  const row = copyRow([
    Uint8Array.fromHex(id.replaceAll("-", "")),
    bigEndian(position, 4),
    content,
  ]);
  const sink = await db`copy blob_chunk from stdin (format binary)`.writable();
  await new Promise<void>((resolve, reject) => {
    sink.on("error", reject);
    sink.on("finish", resolve);
    sink.end(row);
  });
}

const COPY_SIGNATURE = new Uint8Array([80, 71, 67, 79, 80, 89, 10, 255, 13, 10, 0]);

function bigEndian(value: number, bytes: 2 | 4): Uint8Array {
  const out = new Uint8Array(bytes);
  const view = new DataView(out.buffer);
  if (bytes === 2) view.setInt16(0, value);
  else view.setInt32(0, value);
  return out;
}

/** A whole binary COPY of one row. */
function copyRow(fields: Uint8Array[]): Uint8Array {
  const parts = [COPY_SIGNATURE, new Uint8Array(8), bigEndian(fields.length, 2)];
  for (const field of fields) parts.push(bigEndian(field.length, 4), field);
  parts.push(bigEndian(-1, 2));
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
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

export async function deleteBlob(db: Db, id: string): Promise<void> {
  await db`delete from blob where id = ${id}`;
}

export async function blobById(tx: Tx, id: string): Promise<BlobRow | undefined> {
  const [row] = await tx<BlobRow[]>`select ${blobColumns(tx)} from blob where id = ${id}`;
  return row;
}

/**
 * Up to `length` bytes of a chunk, from `from` on. As base64 on its way, which is a third less than the driver's own
 * form of bytea; its COPY to a stream stalls the connection in Deno.
 */
export async function blobPiece(
  tx: Tx,
  id: string,
  { position, from, length }: { position: number; from: number; length: number },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const [row] = await tx<{ piece: string }[]>`
    select encode(substring(content from ${from + 1} for ${length}), 'base64') as piece
    from blob_chunk where blob_id = ${id} and position = ${position}`;
  return row && Uint8Array.fromBase64(row.piece);
}

/** Gives a complete blob of one of these owners to a result; `undefined` when there is no such blob, or it is taken. */
export async function attachBlob(
  tx: Tx,
  id: string,
  { owners, resultId }: { owners: string[]; resultId: number },
): Promise<BlobRow | undefined> {
  const [row] = await tx<BlobRow[]>`
    update blob set result_id = ${resultId}
    where id = ${id} and result_id is null and size is not null and owner = any(${owners})
    returning ${blobColumns(tx)}`;
  return row;
}

/** The digest of a blob that is a result's input. */
export async function blobDigest(tx: Tx, id: string): Promise<string> {
  return (await blobById(tx, id))?.sha256 ?? "";
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
