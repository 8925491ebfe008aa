/**
 * Numbers that are none.
 * @module
 */

/**
 * Throws where a number of what an organization tells is none: JSON has null for it, which the
 * others would take for withheld, and leave this organization out.
 */
export function requireFinite<T>(told: T): T {
  if (typeof told === "number" && !Number.isFinite(told)) {
    throw new RangeError("A number of this organization's part is too large to be one.");
  }
  // As most are, and the engine's own code is fast in a process that has only begun.
  if (Array.isArray(told) && told.every(Number.isFinite)) return told;
  if (typeof told === "object" && told !== null) Object.values(told).forEach(requireFinite);
  return told;
}
