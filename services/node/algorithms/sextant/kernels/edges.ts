/**
 * Which edges of bins a site with rules may count up to. Whoever asks for bins chooses where they
 * begin: of two that begin almost alike the one would have a person more, and tell that person's
 * value by ever closer edges, in one run or in many.
 * @module
 */
import type { Places } from "../grouping.ts";
import { roundest, unitOf } from "./coarse.ts";

/** Of each row its value, and how many of the edges are not above it. */
export interface Binned {
  values: Float64Array;
  places: Places;
}

/**
 * By edge whether it can be told how many lie on each side: enough persons are close to it on both
 * sides, as close as it is exact; or it lies beyond all values by as much as the outermost of so
 * many persons lie apart.
 */
export function tellableEdges(
  edges: readonly number[],
  { least, persons, units: within = 1 }: Closeness,
  { values, places }: Binned,
): boolean[] {
  // Of nobody there is nothing to tell.
  if (values.length === 0) return edges.map(() => true);
  const personAt = (row: number) => persons ? persons[row]! : row;
  // Of what is computed the last digits are chance.
  const units = edges.map((edge) => within * unitOf(Number(edge.toPrecision(12))));
  const below = edges.map(() => createFew(least));
  const above = edges.map(() => createFew(least));
  // Of each bin, to where above its lower edge, and from where below its upper one, a value is
  // close; nowhere once enough are. Most rows are in bins of which nothing is looked for any more.
  const closeUpTo = Float64Array.of(NaN, ...edges.map((edge, i) => edge + units[i]!));
  const closeFrom = Float64Array.of(...edges.map((edge, i) => edge - units[i]!), NaN);
  const isOpen = new Uint8Array(edges.length + 1).fill(1);
  const look = (row: number) => {
    const value = values[row]!;
    const place = places[row]!;
    if (value <= closeUpTo[place]! && above[place - 1]!.add(personAt(row))) closeUpTo[place] = NaN;
    if (value >= closeFrom[place]! && below[place]!.add(personAt(row))) closeFrom[place] = NaN;
    if (Number.isNaN(closeUpTo[place]!) && Number.isNaN(closeFrom[place]!)) isOpen[place] = 0;
  };
  // Few rows at first: they close most bins.
  for (let from = 0, size = LOOKED_AT_FIRST; from < places.length; from += size, size *= 2) {
    for (const row of rowsIn(places, isOpen, { from, to: from + size })) look(row);
  }
  const isTold = edges.map((_, i) => below[i]!.isFull() && above[i]!.isFull());
  const beyond = (sign: 1 | -1) => beyondAll({ values, places }, { least, personAt, edges, sign });
  const [from, to] = [isTold[0] ? -Infinity : beyond(1), isTold.at(-1) ? Infinity : beyond(-1)];
  return edges.map((edge, i) => edge <= from || edge >= to || isTold[i]!);
}

const LOOKED_AT_FIRST = 1024;

/**
 * The rows of some bins, from one row on to below another. By itself, as loops over all rows are to
 * be short ones: in a process that has only begun most of what they take is to translate them.
 */
function rowsIn(
  places: Places,
  isWanted: Uint8Array,
  { from = 0, to = places.length }: { from?: number; to?: number } = {},
): Uint32Array {
  const end = Math.min(to, places.length);
  const found = new Uint32Array(end - from);
  let size = 0;
  for (let row = from; row < end; row++) {
    if (isWanted[places[row]!] === 1) found[size++] = row;
  }
  return found.subarray(0, size);
}

/**
 * A number beyond all values, below them where the sign is positive, up to which edges can be told.
 */
function beyondAll(
  { values, places }: Binned,
  { least, personAt, edges, sign }: {
    least: number;
    personAt: (row: number) => number;
    edges: readonly number[];
    sign: 1 | -1;
  },
): number {
  const outermost = createOutermost(least, sign);
  const bins = Array.from({ length: edges.length + 1 }, (_, bin) => bin);
  if (sign < 0) bins.reverse();
  for (const bin of bins) {
    if (!places.includes(bin)) continue;
    const isWanted = new Uint8Array(bins.length);
    isWanted[bin] = 1;
    for (const row of rowsIn(places, isWanted)) outermost.add(values[row]!, personAt(row));
    // Values of the bins that follow lie further inside.
    if (outermost.isFull()) break;
  }
  return outermost.beyond();
}

/** Of how many persons rows must be, and how close to an edge, in units as exact as it is given. */
export interface Closeness {
  least: number;
  persons: ArrayLike<number> | undefined;
  units?: number;
}

/**
 * Limits are chosen for what they mean, as 18.5 is, and not in series: they may have a digit more.
 */
const UNITS_OF_LIMITS = 10;

/**
 * The same of limits between which and the values below and above nothing else is asked: of whole
 * numbers, and of columns of these, all can be told, for they come no nearer to a value than that.
 */
export function tellableLimits(
  limits: readonly number[],
  { least, persons }: Closeness,
  column: Float64Array,
): boolean[] {
  if (least <= 1 || limits.every(Number.isInteger)) return limits.map(() => true);
  let isWhole = true;
  for (let row = 0; isWhole && row < column.length; row++) {
    isWhole = Number.isNaN(column[row]!) || Number.isInteger(column[row]);
  }
  if (isWhole) return limits.map(() => true);
  let size = 0;
  for (let row = 0; row < column.length; row++) if (!Number.isNaN(column[row]!)) size++;
  const values = new Float64Array(size);
  const whose = persons && new Uint32Array(size);
  for (let row = 0, filled = 0; row < column.length; row++) {
    if (Number.isNaN(column[row]!)) continue;
    if (whose) whose[filled] = persons![row]!;
    values[filled++] = column[row]!;
  }
  const places = new Int32Array(size);
  const close = { least, persons: whose, units: UNITS_OF_LIMITS };
  return limits.map((limit) => {
    if (Number.isInteger(limit)) return true;
    for (let i = 0; i < size; i++) places[i] = values[i]! < limit ? 0 : 1;
    return tellableEdges([limit], close, { values, places })[0]!;
  });
}

/** Different persons, counted no further than is asked. */
function createFew(least: number) {
  const found: number[] = [];
  const isFull = () => found.length >= least;
  return {
    /** Returns whether they are enough. */
    add(person: number): boolean {
      if (!isFull() && !found.includes(person)) found.push(person);
      return isFull();
    },
    isFull,
  };
}

/** The persons with the lowest values, or, where the sign is negative, with the highest. */
function createOutermost(least: number, sign: 1 | -1) {
  const found: { value: number; person: number }[] = [];
  /** The last of them, once there are so many. */
  let last = Infinity;
  const isFull = () => found.length === least;
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
      if (isFull()) last = found.at(-1)!.value;
    },
    isFull,
    /** A number with few digits beyond all values; of values that so many share that value. */
    beyond(): number {
      if (!isFull()) return -sign * Infinity;
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
