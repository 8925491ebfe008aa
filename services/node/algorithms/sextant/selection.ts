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
