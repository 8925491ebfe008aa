/**
 * Which edges of bins a site with rules may count up to. Whoever asks for bins chooses where they
 * begin: of two that begin almost alike the one would have a person more, and tell that person's
 * value by ever closer edges, in one run or in many.
 * @module
 */
import type { SiteRules } from "sextant/disclosure.ts";
import { roundest, unitOf } from "sextant/kernels/coarse.ts";

/** Of each row its value, and how many of the edges are not above it. */
export interface Binned {
  values: Float64Array;
  places: Int32Array;
}

/**
 * By edge whether it can be told how many lie on each side: enough persons are close to it on both
 * sides, as close as it is exact; or it lies beyond all values by as much as the outermost of so
 * many persons lie apart.
 */
export function tellableEdges(
  edges: readonly number[],
  { rules: { minCell: least }, persons }: Pick<SiteRules, "rules" | "persons">,
  { values, places }: Binned,
): boolean[] {
  // Of nobody there is nothing to tell.
  if (values.length === 0) return edges.map(() => true);
  // Of what is computed the last digits are chance.
  const units = edges.map((edge) => unitOf(Number(edge.toPrecision(12))));
  const below = edges.map(() => createFew(least));
  const above = edges.map(() => createFew(least));
  const [lowest, highest] = [createOutermost(least, 1), createOutermost(least, -1)];
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    const place = places[row]!;
    const person = persons ? persons[row]! : row;
    if (place > 0 && value - edges[place - 1]! <= units[place - 1]!) above[place - 1]!.add(person);
    if (place < edges.length && edges[place]! - value <= units[place]!) below[place]!.add(person);
    lowest.add(value, person);
    highest.add(value, person);
  }
  const [from, to] = [lowest.beyond(), highest.beyond()];
  return edges.map((edge, i) =>
    edge <= from || edge >= to || below[i]!.isFull() && above[i]!.isFull()
  );
}

/** Different persons, counted no further than is asked. */
function createFew(least: number) {
  const found: number[] = [];
  return {
    add(person: number) {
      if (found.length < least && !found.includes(person)) found.push(person);
    },
    isFull: () => found.length >= least,
  };
}

/** The persons with the lowest values, or, where the sign is negative, with the highest. */
function createOutermost(least: number, sign: 1 | -1) {
  const found: { value: number; person: number }[] = [];
  /** The last of them, once there are so many. */
  let last = Infinity;
  return {
    add(given: number, person: number) {
      const value = sign * given;
      if (!(value < last)) return;
      const known = found.findIndex((one) => one.person === person);
      if (known >= 0 && found[known]!.value <= value) return;
      if (known >= 0) found.splice(known, 1);
      found.push({ value, person });
      found.sort((one, other) => one.value - other.value);
      if (found.length > least) found.pop();
      if (found.length === least) last = found.at(-1)!.value;
    },
    /** A number with few digits beyond all values; of values that so many share that value. */
    beyond(): number {
      if (found.length < least) return -sign * Infinity;
      const first = found[0]!.value;
      const apart = last - first;
      if (apart === 0) return sign * first;
      const [low, high] = [sign * (first - apart), sign * (first - 2 * apart)].sort((a, b) =>
        a - b
      );
      return roundest(low!, high!) ?? sign * (first - 2 * apart);
    },
  };
}
