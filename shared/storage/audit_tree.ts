/**
 * The Merkle tree over a service's audit record, in its database: grown with every seal, and asked
 * for proofs. To grow it by a minute's records takes two statements, and to prove something one,
 * however many records there are.
 * @module
 */
import { z } from "zod";
import {
  completeSpans,
  consistencySpans,
  type Hash,
  HASH_BYTES,
  isSameHash,
  leafHash,
  rootOf,
  rootOfSpans,
  type Span,
} from "../transparency/merkle.ts";
import { recordLines } from "./audit_lines.ts";
import type { Db, Tx } from "./db.ts";

/** Hashes in a tile. */
const WIDTH = 256;
/** Levels of tiles: more records than these hold cannot be numbered. */
const LEVELS = 7;

/** A tree as it was at a seal. */
export const treeHeadSchema = z.object({
  size: z.number().int(),
  /** Base64. */
  root: z.string(),
  /** The seal's number and time. */
  seal: z.number().int(),
  sealed_at: z.string(),
});
export type StoredHead = z.infer<typeof treeHeadSchema>;

/** The newest head with the last record that it covers; `undefined` before there is one. */
export async function newestHead(
  tx: Tx,
): Promise<(StoredHead & { last_id: number }) | undefined> {
  const [head] = await tx<(StoredHead & { last_id: number })[]>`
    select size::float8 as size, root, seal::float8 as seal, sealed_at, last_id::float8 as last_id
    from audit_tree_head join audit_seal on number = seal order by seal desc limit 1`;
  return head;
}

interface TileRow {
  level: number;
  number: number;
  hashes: string;
}

const nameOf = (level: number, number: number) => `${level}/${number}`;

async function readTiles(
  tx: Tx,
  places: { level: number; number: number }[],
): Promise<Map<string, Hash[]>> {
  const rows = places.length === 0 ? [] : await tx<TileRow[]>`
    select level, number::float8 as number, encode(hashes, 'hex') as hashes from audit_tile
    join jsonb_to_recordset(${tx.json(places)}) as place(level integer, number bigint)
      using (level, number)`;
  return new Map(rows.map((row) => [nameOf(row.level, row.number), hashesOf(row.hashes)]));
}

function hashesOf(hex: string): Hash[] {
  const bytes = Uint8Array.fromHex(hex);
  return Array.from(
    { length: bytes.length / HASH_BYTES },
    (_, at) => bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
}

export interface GrowingTree {
  readonly size: number;
  /** Adds what some records say, in their order. */
  append(entries: readonly string[]): Promise<void>;
  root(): Hash;
}

/** Where the tree of `size` entries ends: the tiles that are not full. */
function openPlaces(size: number): { level: number; number: number }[] {
  return Array.from({ length: LEVELS }, (_, level) => Math.floor(size / WIDTH ** level))
    .flatMap((count, level) =>
      count % WIDTH > 0 ? [{ level, number: Math.floor(count / WIDTH) }] : []
    );
}

/** The tree of `size` entries, to be grown in this transaction. */
export async function openTree(tx: Tx, size: number): Promise<GrowingTree> {
  const tiles = await readTiles(tx, openPlaces(size));
  /** The hashes of the last tile of each level, as far as it is filled. */
  const open = Array.from({ length: LEVELS }, (_, level) => {
    const count = Math.floor(size / WIDTH ** level);
    const hashes = tiles.get(nameOf(level, Math.floor(count / WIDTH))) ?? [];
    if (hashes.length < count % WIDTH) {
      throw new Error(`Cannot grow the tree of the audit record: level ${level} has a gap`);
    }
    // More is there only when somebody else has grown it at the same time, whose seal then counts.
    return hashes.slice(0, count % WIDTH);
  });

  return {
    get size() {
      return size;
    },
    async append(entries) {
      const changed = new Map<string, TileRow>();
      function add(level: number, hash: Hash): void {
        const tile = open[level]!;
        tile.push(hash);
        const number = Math.floor(Math.floor(size / WIDTH ** level) / WIDTH);
        // Written once, with all that has come by then.
        changed.set(nameOf(level, number), { level, number, hashes: "" });
        if (tile.length < WIDTH) return;
        changed.get(nameOf(level, number))!.hashes = hexOf(tile);
        open[level] = [];
        add(level + 1, rootOf(tile));
      }
      for (const entry of entries) {
        add(0, leafHash(entry));
        size++;
      }
      for (const row of changed.values()) row.hashes ||= hexOf(open[row.level]!);
      if (changed.size === 0) return;
      await tx`
        insert into audit_tile (level, number, hashes)
        select level, number, decode(hashes, 'hex') from jsonb_to_recordset(
          ${tx.json([...changed.values()].map((row) => ({ ...row })))}
        ) as tile(level integer, number bigint, hashes text)
        on conflict (level, number) do update set hashes = excluded.hashes`;
    },
    root() {
      // An open tile's hashes with the one of all below it, which is of fewer entries, are a tree
      // of the same shape as that of all their entries.
      const all = open.reduce<Hash[]>(
        (below, tile) => below.length + tile.length === 0 ? [] : [rootOf([...tile, ...below])],
        [],
      );
      return rootOf(all);
    },
  };
}

const hexOf = (hashes: Hash[]) => Buffer.concat(hashes).toString("hex");

/** The roots of these spans of the tree, by one statement. Throws where the tree does not reach. */
async function rootsOf(tx: Tx, spans: Span[]): Promise<Hash[]> {
  const placed = spans.map((span) => completeSpans(span).map(placeOf));
  const places = new Map(
    placed.flat().map(({ level, number }) => [
      nameOf(level, number),
      { level, number },
    ]),
  );
  const tiles = await readTiles(tx, [...places.values()]);
  return placed.map((parts) =>
    rootOfSpans(parts.map(({ level, number, from, count }) => {
      const hashes = tiles.get(nameOf(level, number))?.slice(from, from + count) ?? [];
      if (hashes.length < count) throw new Error("The tree of the audit record has a gap");
      return rootOf(hashes);
    }))
  );
}

/** Which hashes of which tile make the root of a complete tree. */
function placeOf({ start, end }: Span) {
  let level = 0;
  while (WIDTH ** (level + 1) <= end - start) level++;
  const each = WIDTH ** level;
  const first = start / each;
  return {
    level,
    number: Math.floor(first / WIDTH),
    from: first % WIDTH,
    count: (end - start) / each,
  };
}

export interface TreeCheck {
  /** Records that the tree covers. */
  records: number;
  /** Base64; null while there is no tree. */
  root: string | null;
  /** The first thing that is wrong; null when nothing is. */
  problem: string | null;
}

/**
 * Computes the leaves and the root anew from the records, and compares. Takes about a second for
 * 100,000 records.
 */
export async function checkTree(db: Db): Promise<TreeCheck> {
  return await db.begin("isolation level repeatable read read only", async (tx) => {
    const head = await newestHead(tx);
    if (!head) return { records: 0, root: null, problem: null };
    const { size: records, root, last_id, seal } = head;
    const found = (problem: string | null) => ({ records, root, problem });
    let count = 0;
    for await (const rows of recordLines(tx, 0, last_id)) {
      const first = Math.floor(count / WIDTH);
      const last = Math.floor((count + rows.length - 1) / WIDTH);
      const tiles = await readTiles(
        tx,
        Array.from({ length: last - first + 1 }, (_, at) => ({ level: 0, number: first + at })),
      );
      for (const { id, line } of rows) {
        const kept = tiles.get(nameOf(0, Math.floor(count / WIDTH)))?.[count % WIDTH];
        if (!kept || !isSameHash(kept, leafHash(line))) {
          return found(
            `The record with the number ${id} was changed, or one before it was put in or removed, ` +
              "or the tree was.",
          );
        }
        count++;
      }
    }
    if (count !== records) {
      return found(`The tree of seal ${seal} covers ${records} records; ${count} are there.`);
    }
    const [whole] = await rootsOf(tx, [{ start: 0, end: records }]);
    const same = Buffer.from(whole!).toString("base64") === root;
    return found(same ? null : `Its root is not the one that seal ${seal} has.`);
  });
}

/** Two sizes of a tree, the second one not beyond what it has. */
export const consistencyQuestion = z.object({
  from: z.number().int().min(0),
  to: z.number().int().min(0),
});

/** Hashes in base64; `null` where the tree does not reach, or `from` is beyond `to`. */
export const proofAnswer = z.object({ proof: z.array(z.string()).nullable() });
export type ProofAnswer = z.infer<typeof proofAnswer>;

/** Proves that the tree of `from` entries is the beginning of that of `to`. */
export async function consistencyProof(
  tx: Tx,
  { from, to }: z.infer<typeof consistencyQuestion>,
): Promise<ProofAnswer> {
  const head = await newestHead(tx);
  if (from > to || to > (head?.size ?? 0)) return { proof: null };
  return { proof: inBase64(await rootsOf(tx, consistencySpans(from, to))) };
}

const inBase64 = (hashes: Hash[]) => hashes.map((hash) => Buffer.from(hash).toString("base64"));
