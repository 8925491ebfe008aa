/**
 * Selections as the ledger compares them: of each person a byte that says which of the person's
 * rows are in. No I/O here.
 * @module
 */
import { createHash } from "node:crypto";
import { roomOf } from "../../algorithms/sextant/distinct.ts";
import { MODULUS } from "./together.ts";

/**
 * What is counted where two selections differ. `persons`: by the owner's column. `rows`: each row
 * is a person, told apart by its place in the source. `counted`: rows of a query without that
 * column, of which nothing says which is which; only how many there are can be compared.
 */
export type Unit = "persons" | "rows" | "counted";

export interface Selection {
  unit: Unit;
  /** How many persons it rests on. */
  persons: number;
  /**
   * Of each person, by number: 0 for none of their rows, else from 1 to 251 which of them. Empty
   * where they are only counted.
   */
  bytes: Uint8Array<ArrayBuffer>;
  /** The same for the same rows. */
  digest: string;
}

export interface SelectionOptions {
  /** One byte a row: whether it is in. */
  selected: Uint8Array;
  unit: Unit;
  /** Of each row its person's number, where there is a column of persons. */
  persons?: Uint32Array | undefined;
  /** Of each row its place in the source; the row's own unless given. */
  places?: Uint32Array | undefined;
  /** What tells these rows from others of as many, where they are only counted. */
  request?: string;
}

export function makeSelection(
  { selected, unit, persons, places, request = "" }: SelectionOptions,
): Selection {
  if (unit === "counted") {
    let count = 0;
    for (let row = 0; row < selected.length; row++) count += selected[row]!;
    const digest = digestOf(unit, [selected, new TextEncoder().encode(request)]);
    return { unit, persons: count, bytes: new Uint8Array(), digest };
  }
  const numbers = persons ?? places;
  if (!numbers) return selectionOfRows(selected);
  // Which of a person's rows are in, and not only how many: another row of the same person in place
  // of one would tell of that person, too. A sum, so that what follows from several selections is
  // seen of rows, too (`together.ts`).
  const found = new Uint8Array(roomOf(numbers));
  let count = 0;
  for (let row = 0; row < selected.length; row++) {
    if (selected[row] === 0) continue;
    const number = numbers[row]!;
    const before = found[number]!;
    if (before === 0) count++;
    if (unit === "rows") {
      found[number] = 1;
      continue;
    }
    const ofRow = 1 + mixed(places ? places[row]! : row) % (MODULUS - 1);
    // 0 is for none of the rows.
    found[number] = (before + ofRow) % MODULUS || MODULUS;
  }
  let size = found.length;
  while (size > 0 && found[size - 1] === 0) size--;
  const bytes = found.slice(0, size);
  return { unit, persons: count, bytes, digest: digestOf(unit, [bytes]) };
}

/** Each row is a person, and lies where it lies in the source. */
function selectionOfRows(selected: Uint8Array): Selection {
  const size = selected.lastIndexOf(1) + 1;
  const bytes = selected.slice(0, size);
  let persons = 0;
  for (let row = 0; row < size; row++) persons += bytes[row]!;
  return { unit: "rows", persons, bytes, digest: digestOf("rows", [bytes]) };
}

/** In how many persons two selections of one unit differ. */
export function difference(
  one: Pick<Selection, "unit" | "persons" | "bytes">,
  other: Pick<Selection, "unit" | "persons" | "bytes">,
): number {
  if (one.unit === "counted") return Math.abs(one.persons - other.persons);
  const [short, long] = one.bytes.length < other.bytes.length
    ? [one.bytes, other.bytes]
    : [other.bytes, one.bytes];
  let count = 0;
  for (let i = 0; i < short.length; i++) if (short[i] !== long[i]) count++;
  for (let i = short.length; i < long.length; i++) if (long[i] !== 0) count++;
  return count;
}

/** How many persons a selection has of each of some parts of all persons. */
export type Sketch = Uint32Array;

/** A power of two. */
const PARTS = 64;

export function sketchOf(bytes: Uint8Array): Sketch {
  const sketch = new Uint32Array(PARTS);
  // Persons who are numbered one after the other are often in a group together, or each eighth is.
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) sketch[mixed(i) % PARTS]!++;
  return sketch;
}

/** In so many persons at least two selections differ that have these sketches. */
export function sketchesDiffer(one: Sketch, other: Sketch): number {
  let count = 0;
  for (let part = 0; part < PARTS; part++) count += Math.abs(one[part]! - other[part]!);
  return count;
}

/** A number of 32 bits that looks like any other. */
function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function digestOf(unit: Unit, contents: Uint8Array[]): string {
  const hash = createHash("sha256").update(`${unit}\n`);
  for (const content of contents) hash.update(content);
  return hash.digest("hex");
}
