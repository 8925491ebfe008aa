/**
 * Two results beside each other: where they differ, and by how much.
 * @module
 */

export interface Difference {
  /** Where in the result: `coefficients.age`. */
  at: string;
  one: unknown;
  other: unknown;
  /** Of two numbers, the difference to the larger of them; otherwise they are different things. */
  relative: number | undefined;
}

/**
 * The differences of two JSON values, the largest first; what differs in kind before all others.
 */
export function compare(one: unknown, other: unknown): Difference[] {
  const found: Difference[] = [];
  walk(one, other, "");
  const size = ({ relative }: Difference) => relative ?? Infinity;
  return found.sort((a, b) => size(b) - size(a) || 0);

  function walk(one: unknown, other: unknown, at: string) {
    if (Object.is(one, other)) return;
    if (typeof one === "number" && typeof other === "number") {
      if (one === other) return;
      const relative = Math.abs(one - other) / Math.max(Math.abs(one), Math.abs(other));
      found.push({ at, one, other, relative });
    } else if (isContainer(one) && isContainer(other)) {
      for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
        walk(one[key], other[key], at === "" ? key : `${at}.${key}`);
      }
    } else {
      found.push({ at, one, other, relative: undefined });
    }
  }
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
