/**
 * How often the row that a model says is in more danger has its event earlier (Harrell 1982).
 * @module
 */
import { readCount, readFields } from "../parts.ts";
import type { SurvivalRows } from "./risk_sets.ts";

/** Pairs of rows of a stratum, of which it is known which one's event was first. */
export interface Pairs {
  pairs: number;
  concordant: number;
  /** Of which the model says the same. */
  tied: number;
}

/**
 * A row that is censored at the time of an event has its own later; two events at one time do not
 * count.
 */
export function pairsOf(
  { times, events }: SurvivalRows,
  stratum: Uint32Array,
  eta: Float64Array,
): Pairs {
  const found = { pairs: 0, concordant: 0, tied: 0 };
  const sorted = Float64Array.from(stratum, (row) => eta[row]!).sort();
  const earlier = createRanks(sorted.length);
  const places = new Uint32Array(eta.length);
  for (let i = 0; i < stratum.length; i++) {
    places[stratum[i]!] = placeIn(sorted, eta[stratum[i]!]!);
  }
  for (let from = 0; from < stratum.length;) {
    let to = from;
    while (to < stratum.length && times[stratum[to]!] === times[stratum[from]!]) to++;
    const rows = stratum.subarray(from, to);
    compare(rows.filter((row) => events[row] === 1));
    for (const row of rows) if (events[row] === 1) earlier.add(places[row]!);
    compare(rows.filter((row) => events[row] !== 1));
    from = to;
  }
  return found;

  function compare(rows: Uint32Array) {
    for (const row of rows) {
      const place = places[row]!;
      found.pairs += earlier.size();
      found.concordant += earlier.size() - earlier.count(place);
      found.tied += earlier.at(place);
    }
  }
}

/** The first place of a value among sorted ones. */
function placeIn(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many were added at places up to one (Fenwick 1994). */
function createRanks(length: number) {
  const counts = new Uint32Array(length + 1);
  const exact = new Uint32Array(length);
  let size = 0;
  return {
    size: () => size,
    at: (place: number) => exact[place]!,
    add(place: number) {
      size++;
      exact[place]!++;
      for (let i = place + 1; i <= length; i += i & -i) counts[i]!++;
    },
    count(place: number) {
      let sum = 0;
      for (let i = place + 1; i > 0; i -= i & -i) sum += counts[i]!;
      return sum;
    },
  };
}

export function readPairs(value: unknown): Pairs {
  return readFields<Pairs>(value, { pairs: readCount, concordant: readCount, tied: readCount });
}
