/**
 * Rows by group, where an array says the group of each row: whole numbers from 0, and -1 for a row
 * that is in none. Loops over arrays of numbers, and no lists of rows: those take ten times as
 * long.
 * @module
 */

/** Of each row its group. Bytes are of few groups, of which every row has one. */
export type Places = Int32Array | Uint8Array;

/** How many rows are in each of so many groups. */
export function countPlaces(places: Places, size: number): number[] {
  const counts = new Array<number>(size).fill(0);
  for (let row = 0; row < places.length; row++) if (places[row]! >= 0) counts[places[row]!]!++;
  return counts;
}

/** How many rows are in each group of the one and the other grouping, by these. */
export function countPairs(
  places: Int32Array,
  others: Int32Array,
  [size, width]: readonly [number, number],
): number[][] {
  const counts = new Uint32Array(size * width);
  for (let row = 0; row < places.length; row++) {
    if (places[row]! >= 0 && others[row]! >= 0) counts[places[row]! * width + others[row]!]!++;
  }
  return Array.from({ length: size }, (_, i) => [...counts.subarray(i * width, (i + 1) * width)]);
}

/** The values of each group, which has so many rows. */
export function splitBy<Values extends Float64Array | Uint32Array>(
  places: Int32Array,
  values: Values,
  rows: readonly number[],
): Values[] {
  const parts = rows.map((size) => {
    const part = values instanceof Float64Array ? new Float64Array(size) : new Uint32Array(size);
    return part as Values;
  });
  const filled = new Uint32Array(rows.length);
  for (let row = 0; row < places.length; row++) {
    const place = places[row]!;
    if (place >= 0) parts[place]![filled[place]!++] = values[row]!;
  }
  return parts;
}

/** Of each row the new place of its group; -1 is none. */
export function moveTo(placeOf: readonly number[], places: Int32Array): Int32Array<ArrayBuffer> {
  const moved = new Int32Array(places.length);
  for (let row = 0; row < places.length; row++) {
    moved[row] = places[row]! < 0 ? -1 : placeOf[places[row]!]!;
  }
  return moved;
}
