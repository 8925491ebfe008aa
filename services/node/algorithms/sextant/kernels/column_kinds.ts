/**
 * What sums of a column, and of two columns together, are sums of beside all rows: those who have
 * one of few values, those who have another than most, those in whom two columns differ. Loops that
 * leave at once where a column has many values, as most have.
 * @module
 */

/** So many different values may follow from sums at several coefficients, with who has them. */
const MOST_VALUES = 10;
/** Rows that are looked at before all are. */
const LOOKED_AT = 64;
/** Rows of which two in turn are taken for points of a line. */
const POINTS = 16;
/** Of what is the same but for rounding. */
const ROUNDING = 1e-9;

export interface Kind {
  /**
   * Of each row the place of its value; where not all are few, 0 is what most have, 1 all others.
   */
  readonly places: Int32Array;
  size: number;
  isFew: boolean;
  /** Of a column of two kinds of rows. */
  off?: Off;
}

/**
 * The kind of a column of few different values, or of one that more than half of the rows have;
 * undefined for others. Of more than three values there must be twice `least` rows for each: in any
 * column of a site without many rows some are the same.
 */
export function kindOf(values: Float64Array, least: number): Kind | undefined {
  return fewOf(values, least) ?? mostOf(values);
}

function fewOf(values: Float64Array, least: number): Kind | undefined {
  const n = values.length;
  const most = Math.max(
    Math.min(3, Math.max(2, n - 1)),
    Math.min(MOST_VALUES, Math.floor(n / (2 * least))),
  );
  // Nearly every column has either many values, among its first, or two.
  const two = ofTwo(values);
  if (two) return two;
  const different: number[] = [];
  const look = (row: number) => {
    let place = 0;
    while (place < different.length && different[place] !== values[row]) place++;
    if (place === different.length) different.push(values[row]!);
    return place;
  };
  for (let row = 0; row < n && row < LOOKED_AT; row++) if (look(row) === most) return undefined;
  const places = new Int32Array(n);
  for (let row = 0; row < n; row++) if ((places[row] = look(row)) === most) return undefined;
  const size = different.length;
  return size <= 3 || isFewBeside(places, size, least) ? { places, size, isFew: true } : undefined;
}

/** A column of no more values than two. */
function ofTwo(values: Float64Array): Kind | undefined {
  const first = values[0]!;
  let from = 0;
  while (from < values.length && values[from] === first) from++;
  if (from === values.length) return { places: new Int32Array(from), size: 1, isFew: true };
  const second = values[from]!;
  const off = offWhere(values, first, second);
  return off && kindOfTwo(off, values.length, true);
}

/**
 * The rows whose value is not the first one; undefined once there is one that is neither that nor
 * the second, unless this is `NaN`.
 */
function offWhere(values: Float64Array, first: number, second: number): Off | undefined {
  const isAny = Number.isNaN(second);
  const bits = new Uint32Array(Math.ceil(values.length / 32));
  let count = 0;
  for (let row = 0, at = 0; at < bits.length; at++) {
    const end = Math.min(values.length, row + 32);
    let word = 0;
    for (let bit = 0; row < end; row++, bit++) {
      const value = values[row]!;
      if (value === first) continue;
      if (value !== second && !isAny) return undefined;
      word |= 1 << bit;
      count++;
    }
    bits[at] = word;
  }
  return { bits, count };
}

/** Bits take a hundredth of the time that places do, which hardly anybody asks for. */
function kindOfTwo(off: Off, n: number, isFew: boolean): Kind {
  let places: Int32Array | undefined;
  return {
    size: 2,
    isFew,
    off,
    get places() {
      places ??= Int32Array.from({ length: n }, (_, row) => isOff(off, row));
      return places;
    },
  };
}

/** Whether those without the commonest value are many enough for so many other values. */
function isFewBeside(places: Int32Array, size: number, least: number): boolean {
  const rows = new Uint32Array(size);
  for (let row = 0; row < places.length; row++) rows[places[row]!]!++;
  return size - 1 <= (places.length - Math.max(...rows)) / (2 * least);
}

function mostOf(values: Float64Array): Kind | undefined {
  const n = values.length;
  const seen = new Map<number, number>();
  const looked = Math.min(n, LOOKED_AT);
  for (let i = 0; i < looked; i++) {
    const value = values[Math.floor(i * n / looked)]!;
    seen.set(value, (seen.get(value) ?? 0) + 1);
  }
  const [common, count] = [...seen].reduce((all, one) => one[1] > all[1] ? one : all);
  // What more than half have is hardly ever as rare as this among those that were looked at.
  if (4 * count < looked) return undefined;
  const off = offWhere(values, common, NaN)!;
  return 2 * off.count < n ? kindOfTwo(off, n, false) : undefined;
}

/** Which rows are not of a column's first value, or that of most; the bits of numbers. */
export interface Off {
  bits: Uint32Array;
  count: number;
}

/** 1 for a row that is one of them. */
export function isOff({ bits }: Off, row: number): number {
  return bits[row >> 5]! >>> (row & 31) & 1;
}

/** The rows of the four groups that two columns make: off in neither, the other, the one, both. */
export function rowsOfTable(n: number, one: Off, other: Off): number[] {
  let both = 0;
  for (let i = 0; i < one.bits.length; i++) {
    let bits = one.bits[i]! & other.bits[i]!;
    // As bits are counted in parallel (Warren, "Hacker's Delight").
    bits -= bits >>> 1 & 0x55555555;
    bits = (bits & 0x33333333) + (bits >>> 2 & 0x33333333);
    both += Math.imul(bits + (bits >>> 4) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return [n - one.count - other.count + both, other.count - both, one.count - both, both];
}

/**
 * Of two columns of many values: 0 for the rows in which the one follows from the other by the same
 * line, if these are more than half, and 1 for those in which it does not. Two columns that are the
 * same but in one person, in whatever units, show this person's difference.
 */
export function lineOf(
  [one, other]: readonly [Float64Array, Float64Array],
  [kind, another]: readonly (Kind | undefined)[],
  least: number,
): { places: Int32Array; off: number } | undefined {
  const n = one.length;
  const looked = Math.min(n, Math.max(LOOKED_AT, 4 * least));
  const points = pointsOf(n, (kind ?? another)?.off);
  for (let i = 0; i + 1 < points.length; i++) {
    const [a, b] = [points[i]!, points[i + 1]!];
    const [x, step] = [other[a]!, other[b]! - other[a]!];
    if (step === 0 || one[a] === one[b]) continue;
    const slope = (one[b]! - one[a]!) / step;
    const start = one[a]!;
    const isOn = (row: number) => {
      const [value, along] = [one[row]!, slope * (other[row]! - x)];
      const size = Math.abs(value) + Math.abs(start) + Math.abs(along);
      return Math.abs(value - start - along) <= ROUNDING * size;
    };
    let off = 0;
    for (let at = 0; at < looked && 2 * off <= looked; at++) {
      if (!isOn(Math.floor(at * n / looked))) off++;
    }
    if (2 * off > looked) continue;
    const places = new Int32Array(n);
    let more = 0;
    off = 0;
    for (let row = 0; row < n; row++) {
      if (!isOn(row)) off += places[row] = 1;
      else if (other[row] !== x && other[row] !== other[b]) more++;
    }
    // Any two points are on a line.
    if (2 * off < n && more >= 2) return { places, off };
  }
}

/** Rows from all over a column; of one that most rows have one value in, rows that have another. */
function pointsOf(n: number, off: Off | undefined): number[] {
  const spread = Array.from(
    { length: Math.min(n, POINTS) },
    (_, i, all = Math.min(n, POINTS)) => Math.floor(i * n / all),
  );
  if (!off) return spread;
  const points: number[] = [];
  for (let row = 0; row < n && points.length < POINTS; row++) {
    if (isOff(off, row) === 1) points.push(row);
  }
  return [...points, ...spread];
}
