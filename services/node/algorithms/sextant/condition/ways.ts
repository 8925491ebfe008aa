/**
 * The ways in which a condition can be met: it is met by the rows that meet all parts of one of
 * them, however it was written. `(a or c) and (b or c)` is met by way of `a and b`, `a and c` and
 * `c`.
 * @module
 */
import type { Condition } from "./condition.ts";

/** A part that has no parts, or that it is false. */
export interface Literal {
  part: Condition;
  isFalse: boolean;
}

export type Way = readonly Literal[];

/** A condition can be so written that it has as many ways as it has rows. */
const MOST_WAYS = 256;
/** Of one way: the bits of a number. */
const MOST_LITERALS = 30;

/** The ways in which a condition is true, or is false; undefined where there are too many. */
export function waysOf(condition: Condition, isFalse = false): Way[] | undefined {
  if (condition.is === "not") return waysOf(condition.part, !isFalse);
  if (condition.is !== "and" && condition.is !== "or") return [[{ part: condition, isFalse }]];
  const isAny = (condition.is === "or") !== isFalse;
  let ways: Way[] | undefined;
  for (const part of condition.parts) {
    const more = waysOf(part, isFalse);
    if (!more) return undefined;
    if (!ways) ways = more;
    else if ((isAny ? ways.length + more.length : ways.length * more.length) > MOST_WAYS) {
      return undefined;
    } else {ways = isAny
        ? [...ways, ...more]
        : ways.flatMap((way) => more.map((one) => [...way, ...one]));}
  }
  return ways!.every(({ length }) => length <= MOST_LITERALS) ? ways : undefined;
}
