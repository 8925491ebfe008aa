/**
 * 64-bit floats as whole numbers in the same order: between two neighbours there is no number, so a
 * search among them ends with the exact one.
 * @module
 */
const cells = new DataView(new ArrayBuffer(8));

/** The place of a number among all finite ones. */
export function toOrdered(value: number): bigint {
  // -0 is no other value than 0.
  cells.setFloat64(0, value === 0 ? 0 : value);
  const bits = cells.getBigInt64(0);
  return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits;
}

/** The number at a place. */
export function fromOrdered(place: bigint): number {
  cells.setBigInt64(0, place < 0n ? -place : place);
  const value = cells.getFloat64(0);
  return place < 0n ? -value : value;
}
