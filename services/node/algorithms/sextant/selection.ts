/**
 * Which rows of a database a result rests on, as evidence for the site's ledger: a part says it in
 * `selections`, and the node takes that out before anything leaves.
 * @module
 */

import type { Places } from "./grouping.ts";

/** Rows of one database, of its table as the run read it. */
export interface SelectedRows {
  /**
   * One bit a row, the first row in the lowest bit of the first byte, in base64; null for all rows.
   * Of several groups the number of each row's group, from 1, and 0 for a row that is in none, in
   * as many bits as they need.
   */
  rows: string | null;
  /** How many groups; absent where it is one. */
  groups?: number;
  /** Where a byte of each row is no group's number: of each byte the number of its group. */
  numberOf?: number[];
}

/** Rows that the node knows from an earlier run, by their digest: it takes them for those rows. */
export interface KnownRows {
  known: string;
}

const encoder = new TextEncoder();

/** What tells rows from others of the same table: none but the same rows have the same digest. */
export async function digestOfRows(
  { rows, groups = 1, numberOf = [] }: SelectedRows,
): Promise<string> {
  const text = encoder.encode(`${groups} ${numberOf} ${rows ?? "all"}`);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", text)).toHex();
}

/** Shorter evidence is no longer than a digest, or hardly. */
const WORTH_NAMING = 256;

/** The same evidence, in which rows of these digests are named by them. */
export function nameKnownRows(
  evidence: readonly SelectedRows[],
  known: readonly string[],
): Promise<(SelectedRows | KnownRows)[]> {
  return Promise.all(evidence.map(async (one) => {
    if (one.rows === null || one.rows.length < WORTH_NAMING) return one;
    const digest = await digestOfRows(one);
    return known.includes(digest) ? { known: digest } : one;
  }));
}

/** The evidence of these rows, of a table of `length` rows; of all of them without `rows`. */
export function selectionOf(rows: ArrayLike<number> | undefined, length: number): SelectedRows {
  if (rows === undefined || rows.length === length) return { rows: null };
  const bits = new Uint8Array(Math.ceil(length / 8));
  for (let i = 0; i < rows.length; i++) bits[rows[i]! >> 3]! |= 1 << (rows[i]! & 7);
  return { rows: bits.toBase64() };
}

/** Of which table rows are, and which of its rows they are. */
interface OfTable {
  /** Where they are not all of it. */
  places: Uint32Array | undefined;
  /** Rows of the table. */
  length: number;
  /** Where the groups are not the numbers themselves: of each number its group, -1 for none. */
  numberOf?: readonly number[] | undefined;
}

/** The evidence of the rows of each of so many groups; those at -1 are in none. */
export function selectionsOf(
  groupOf: Places,
  groups: number,
  { places, length, numberOf = Array.from({ length: groups }, (_, group) => group) }: OfTable,
): SelectedRows[] {
  const isBytes = groupOf instanceof Uint8Array;
  if (!places && groups <= MOST_AT_ONCE && numberOf.length <= (isBytes ? 256 : 255)) {
    // As they lie, made bytes by the engine, which of -1 makes the byte 255, that has no number: in
    // a process that has only begun a loop over hundreds of thousands of rows takes tens of times
    // as long.
    const bytes = isBytes ? groupOf : new Uint8Array(groupOf);
    return [{ rows: bytes.toBase64(), groups, numberOf: numberOf.map((group) => group + 1) }];
  }
  const found: SelectedRows[] = [];
  for (let first = 0; first < groups; first += MOST_AT_ONCE) {
    const some = Math.min(MOST_AT_ONCE, groups - first);
    // Of what a row says, one on, so that -1 has a place: its number among these, from 1.
    const numbers = Uint8Array.from(
      [-1, ...numberOf],
      (group) => group >= first && group < first + some ? group - first + 1 : 0,
    );
    const rows = numbersOf(groupOf, { numbers, bits: bitsOf(some), places, length }).toBase64();
    found.push(some === 1 ? { rows } : { rows, groups: some });
  }
  return found;
}

/**
 * The same of all rows of a table in two groups, of which a bit says whether a row is in the
 * second.
 */
export function selectionsOfBits(rows: Uint32Array, length: number): SelectedRows[] {
  const bytes = new Uint8Array(Math.ceil(length / 4));
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = NUMBERS_OF[rows[at >> 3]! >>> 4 * (at & 7) & 15]!;
  }
  // Of the last byte, only what is of rows.
  if (length % 4 > 0) bytes[bytes.length - 1]! &= 2 ** (2 * (length % 4)) - 1;
  return [{ rows: bytes.toBase64(), groups: 2 }];
}

/** Of four bits the numbers of their groups, from 1, in two bits each. */
const NUMBERS_OF = Uint8Array.from(
  { length: 16 },
  (_, bits) => [0, 1, 2, 3].reduce((byte, i) => byte | (1 + (bits >> i & 1)) << 2 * i, 0),
);

/** As many groups as the numbers in a byte can tell apart from none. */
const MOST_AT_ONCE = 255;

/** Bits of the number of one of so many groups; such numbers fill a byte. */
function bitsOf(groups: number): number {
  return [1, 2, 4, 8].find((bits) => groups < 2 ** bits)!;
}

/** Of each row of the table the number of its group among some groups, from 1. */
function numbersOf(
  groupOf: Places,
  { numbers, bits, places, length }: {
    numbers: Uint8Array;
    bits: number;
    places: Uint32Array | undefined;
    length: number;
  },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(length * bits / 8));
  if (!places && bits === 8) {
    for (let row = 0; row < groupOf.length; row++) bytes[row] = numbers[groupOf[row]! + 1]!;
    return bytes;
  }
  if (!places) {
    for (let row = 0, at = 0; at < bytes.length; at++) {
      let byte = 0;
      for (let shift = 0; shift < 8 && row < groupOf.length; shift += bits, row++) {
        byte |= numbers[groupOf[row]! + 1]! << shift;
      }
      bytes[at] = byte;
    }
    return bytes;
  }
  // A byte has the numbers of a power of two of rows.
  const [shift, rest] = [Math.log2(8 / bits), 8 / bits - 1];
  for (let i = 0; i < groupOf.length; i++) {
    const row = places[i]!;
    bytes[row >> shift]! |= numbers[groupOf[i]! + 1]! << (row & rest) * bits;
  }
  return bytes;
}

/**
 * Of each selection one byte a row: 1 for those that were selected; of one alone, where its place
 * among them is given. Throws for what is no evidence.
 */
export function* readSelections(
  value: unknown,
  length: number,
  only?: number,
): Generator<Uint8Array<ArrayBuffer>> {
  const { rows, groups = 1, numberOf } = value as SelectedRows;
  if (rows === null) return yield new Uint8Array(length).fill(1);
  const bits = numberOf ? 8 : bitsOf(groups);
  const bytes = Uint8Array.fromBase64(rows);
  if (bytes.length !== Math.ceil(length * bits / 8)) {
    throw new TypeError("These are rows of another table");
  }
  if (numberOf) { for (let row = 0; row < length; row++) bytes[row] = numberOf[bytes[row]!] ?? 0; }
  const [shift, rest, mask] = [Math.log2(8 / bits), 8 / bits - 1, 2 ** bits - 1];
  const [begin, last] = only === undefined ? [1, groups] : [only + 1, only + 1];
  for (let first = begin; first <= last; first += READ_AT_ONCE) {
    const some = Array.from(
      { length: Math.min(READ_AT_ONCE, last - first + 1) },
      () => new Uint8Array(length),
    );
    for (let row = 0; row < length; row++) {
      const number = bytes[row >> shift]! >> (row & rest) * bits & mask;
      if (number >= first && number - first < some.length) some[number - first]![row] = 1;
    }
    yield* some;
  }
}

/** Groups that are looked for in one pass: of more at once the rows would take much memory. */
const READ_AT_ONCE = 16;
