/**
 * Numbers as people read them: as many digits as say something. The exact one is in what is saved.
 * @module
 */

const DIGITS = 5;

export function numberText(value: number | bigint): string {
  if (typeof value === "bigint" || Number.isInteger(value) && Math.abs(value) < 1e15) {
    return withSpaces(String(value));
  }
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(3);
  return String(Number(value.toPrecision(DIGITS)));
}

/** Whole numbers of five digits and more in groups of three, by thin spaces. */
function withSpaces(digits: string): string {
  if (digits.replace("-", "").length < 5) return digits;
  return digits.replace(/\B(?=(\d{3})+$)/g, "\u202f");
}
