/**
 * The Merkle tree of RFC 9162 (Certificate Transparency 2.0), §2.1: its hashes, what proofs are
 * made of, and how they are verified. The tree itself is kept elsewhere
 * (`shared/storage/audit_tree.ts`).
 *
 * Own code, because what there is for JavaScript (`@transmute/rfc9162`, 0.0.5) was left in 2022 and
 * wants all entries in memory; checked against the vectors of transparency-dev/merkle.
 * @module
 */
import { createHash } from "node:crypto";

/** SHA-256: 32 bytes. */
export type Hash = Uint8Array;

export const HASH_BYTES = 32;
// A leaf can never be taken for a node, nor a node for a leaf (§2.1.1).
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The root of the tree without entries. */
export const EMPTY_ROOT: Hash = createHash("sha256").digest();

export function leafHash(entry: string | Uint8Array): Hash {
  return createHash("sha256").update(LEAF).update(entry).digest();
}

export function nodeHash(left: Hash, right: Hash): Hash {
  return createHash("sha256").update(NODE).update(left).update(right).digest();
}

export function isSameHash(one: Hash, other: Hash): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** The root over some leaf hashes, or over roots of complete trees of one size. */
export function rootOf(hashes: readonly Hash[]): Hash {
  if (hashes.length === 0) return EMPTY_ROOT;
  if (hashes.length === 1) return hashes[0]!;
  const half = splitOf(hashes.length);
  return nodeHash(rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)));
}

/** The largest power of two below `n`. */
function splitOf(n: number): number {
  let half = 1;
  while (half * 2 < n) half *= 2;
  return half;
}

/** The leaves from `start` until before `end`. */
export interface Span {
  start: number;
  end: number;
}

/** Complete trees, from the left, whose roots make that of a span that a tree splits off. */
export function completeSpans({ start, end }: Span): Span[] {
  const spans: Span[] = [];
  for (let from = start; from < end;) {
    let size = 1;
    while (size * 2 <= end - from) size *= 2;
    spans.push({ start: from, end: from + size });
    from += size;
  }
  return spans;
}

/** The root of a span from the roots of its complete trees, as `completeSpans` has them. */
export function rootOfSpans(hashes: readonly Hash[]): Hash {
  return hashes.length === 0
    ? EMPTY_ROOT
    : hashes.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), hashes.at(-1)!);
}

/**
 * The spans whose roots prove that the tree of `first` entries is the beginning of that of `second`
 * (§2.1.4.1); none when there is nothing to prove.
 */
export function consistencySpans(first: number, second: number): Span[] {
  if (first === 0 || first >= second) return [];
  const spans: Span[] = [];
  let start = 0;
  let end = second;
  // Until the first tree's right edge is the edge of a tree that both have whole.
  while (first !== end) {
    const middle = start + splitOf(end - start);
    if (first <= middle) {
      spans.push({ start: middle, end });
      end = middle;
    } else {
      spans.push({ start, end: middle });
      start = middle;
    }
  }
  // When that is the whole first tree, whoever verifies has its root.
  if (start > 0) spans.push({ start, end });
  return spans.reverse();
}

const isOdd = (n: number) => n % 2 === 1;
// Not `>>`, which works on 32 bits.
const half = (n: number) => Math.floor(n / 2);

/** A tree at some time. */
export interface TreeHead {
  size: number;
  root: Hash;
}

/** Whether one tree is proven to be the beginning of another (§2.1.4.2). */
export function isConsistent(first: TreeHead, second: TreeHead, proof: readonly Hash[]): boolean {
  if (!areCounts(first.size, second.size) || first.size > second.size) return false;
  if (!areHashes([first.root, second.root, ...proof])) return false;
  if (first.size === second.size) return proof.length === 0 && isSameHash(first.root, second.root);
  if (first.size === 0) return proof.length === 0 && isSameHash(first.root, EMPTY_ROOT);
  if (proof.length === 0) return false;
  const isPower = splitOf(first.size + 1) === first.size;
  const [begin, ...rest] = isPower ? [first.root, ...proof] : proof;
  let at = first.size - 1;
  let last = second.size - 1;
  while (isOdd(at)) [at, last] = [half(at), half(last)];
  let before = begin!;
  let after = begin!;
  for (const hash of rest) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      before = nodeHash(hash, before);
      after = nodeHash(hash, after);
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      after = nodeHash(after, hash);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && isSameHash(before, first.root) && isSameHash(after, second.root);
}

const areCounts = (...numbers: number[]) => numbers.every((n) => Number.isSafeInteger(n) && n >= 0);
const areHashes = (hashes: readonly Hash[]) => hashes.every((hash) => hash.length === HASH_BYTES);
