/**
 * Which rows of a database a result rests on, as evidence for the site's ledger: a part says it in
 * `selections`, and the node takes that out before anything leaves.
 * @module
 */

/** Rows of one database, of its table as the run read it. */
export interface SelectedRows {
  /** One bit a row, the first row in the lowest bit of the first byte, in base64; null for all rows. */
  rows: string | null;
}

/** The evidence of these rows, of a table of `length` rows; of all of them without `rows`. */
export function selectionOf(rows: ArrayLike<number> | undefined, length: number): SelectedRows {
  if (rows === undefined || rows.length === length) return { rows: null };
  const bits = new Uint8Array(Math.ceil(length / 8));
  for (let i = 0; i < rows.length; i++) bits[rows[i]! >> 3]! |= 1 << (rows[i]! & 7);
  return { rows: bits.toBase64() };
}

/**
 * The evidence of the rows of each of so many groups; those at -1 are in none. `places` are those of
 * the rows in their table of `length` rows, where these are not all of it.
 */
export function selectionsOf(
  groupOf: Int32Array,
  groups: number,
  { places, length }: { places: Uint32Array | undefined; length: number },
): SelectedRows[] {
  const size = Math.ceil(length / 8);
  const bits = new Uint8Array(size * groups);
  const counts = new Float64Array(groups);
  for (let i = 0; i < groupOf.length; i++) {
    const group = groupOf[i]!;
    if (group < 0) continue;
    const row = places ? places[i]! : i;
    bits[group * size + (row >> 3)]! |= 1 << (row & 7);
    counts[group]!++;
  }
  return Array.from(counts, (count, group) => {
    if (count === length) return { rows: null };
    return { rows: bits.subarray(group * size, (group + 1) * size).toBase64() };
  });
}

/** One byte a row: 1 for those that were selected. Throws for what is no evidence. */
export function readSelection(value: unknown, length: number): Uint8Array {
  const { rows } = value as SelectedRows;
  if (rows === null) return new Uint8Array(length).fill(1);
  const bits = Uint8Array.fromBase64(rows);
  if (bits.length !== Math.ceil(length / 8)) throw new TypeError("These are rows of another table");
  const selected = new Uint8Array(length);
  for (let row = 0; row < length; row++) selected[row] = bits[row >> 3]! >> (row & 7) & 1;
  return selected;
}
