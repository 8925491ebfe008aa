/**
 * Sums over those who are still at risk at each time of an event, of which the proportional hazards
 * model's likelihood, gradient and information are made (Cox 1972; ties by Efron 1977 or Breslow
 * 1974).
 * @module
 */

export const TIES = ["efron", "breslow"] as const;
export type Ties = typeof TIES[number];

/** The rows of a site. */
export interface SurvivalRows {
  times: Float64Array;
  /** 1 for rows that end with the event. */
  events: Float64Array;
  /** The columns of the predictors. */
  columns: Float64Array[];
  /** Of each stratum, its rows by their times. */
  strata: Uint32Array[];
}

/** The rows of each of so many strata, by their times; all rows are of one without `places`. */
export function orderRows(
  times: Float64Array,
  places: Float64Array | undefined,
  strata: number,
): Uint32Array[] {
  const order = orderOf(times);
  return Array.from(
    { length: strata },
    (_, stratum) => places ? order.filter((row) => places[row] === stratum) : order,
  );
}

/** The rows by their times, those of one time as they stand: numbers are counted, not compared. */
function orderOf(times: Float64Array): Uint32Array {
  const sorted = times.slice().sort();
  let different = 0;
  for (let i = 0; i < sorted.length; i++) {
    if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[different++] = sorted[i]!;
  }
  const ranks = new Uint32Array(times.length);
  const starts = new Uint32Array(different + 1);
  for (let row = 0; row < times.length; row++) {
    let [low, high] = [0, different - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < times[row]!) low = middle + 1;
      else high = middle;
    }
    ranks[row] = low;
    starts[low + 1]!++;
  }
  for (let rank = 0; rank < different; rank++) starts[rank + 1]! += starts[rank]!;
  const order = new Uint32Array(times.length);
  for (let row = 0; row < times.length; row++) order[starts[ranks[row]!]!++] = row;
  return order;
}

/**
 * The same rows with those of a stratum beside each other by time, so that memory is read in order.
 */
export function sortRows({ times, events, columns, strata }: SurvivalRows): SurvivalRows {
  const order = new Uint32Array(strata.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  const sorted = strata.map((stratum) => {
    order.set(stratum, filled);
    return Uint32Array.from(stratum, () => filled++);
  });
  const sort = (values: Float64Array) => {
    const found = new Float64Array(order.length);
    for (let i = 0; i < found.length; i++) found[i] = values[order[i]!]!;
    return found;
  };
  return { times: sort(times), events: sort(events), columns: columns.map(sort), strata: sorted };
}

/** The times of events of a stratum, and how many there are at each. */
export interface EventTimes {
  times: number[];
  events: number[];
}

export function eventTimesOf({ times, events }: SurvivalRows, stratum: Uint32Array): EventTimes {
  const found: EventTimes = { times: [], events: [] };
  let [last, count] = [NaN, 0];
  for (let i = 0; i < stratum.length; i++) {
    const row = stratum[i]!;
    if (events[row] !== 1) continue;
    if (times[row] !== last) {
      if (count > 0) found.events.push(count);
      found.times.push(last = times[row]!);
      count = 0;
    }
    count++;
  }
  if (count > 0) found.events.push(count);
  return found;
}

/** The event times of several parts together. */
export function mergeEventTimes(parts: EventTimes[]): EventTimes {
  const counts = new Map<number, number>();
  for (const { times, events } of parts) {
    for (const [i, time] of times.entries()) counts.set(time, (counts.get(time) ?? 0) + events[i]!);
  }
  const times = [...counts.keys()].sort((a, b) => a - b);
  return { times, events: times.map((time) => counts.get(time)!) };
}

/** Sums of hazards, and of predictors times hazards (`…1`, row by row), at each event time. */
export interface RiskSets {
  /** Over all at risk. */
  s0: Float64Array;
  s1: Float64Array;
  /** Over those with the event then. */
  d0: Float64Array;
  d1: Float64Array;
}

/** What the predictors of each row say at these coefficients. */
export function predict({ columns, times }: SurvivalRows, coefficients: number[]): Float64Array {
  const eta = new Float64Array(times.length);
  for (const [j, column] of columns.entries()) {
    const coefficient = coefficients[j]!;
    for (let i = 0; i < eta.length; i++) eta[i]! += coefficient * column[i]!;
  }
  return eta;
}

/**
 * The sums of a stratum at the times of events given, for rows with these hazards. Those over
 * events are 0 where no ties need them.
 */
export function riskSetsOf(
  { times, events, columns }: SurvivalRows,
  { stratum, hazards, at: { times: at, events: counts }, ties }: {
    stratum: Uint32Array;
    hazards: Float64Array;
    at: EventTimes;
    ties: Ties;
  },
): RiskSets {
  const size = columns.length;
  const sets = emptyRiskSets(at.length, size);
  let sum = 0;
  const sums = new Float64Array(size);
  let next = stratum.length - 1;
  for (let k = at.length - 1; k >= 0; k--) {
    for (; next >= 0 && times[stratum[next]!]! >= at[k]!; next--) {
      const row = stratum[next]!;
      const hazard = hazards[row]!;
      sum += hazard;
      for (let j = 0; j < size; j++) sums[j]! += hazard * columns[j]![row]!;
      if (ties === "breslow" || counts[k] === 1) continue;
      if (events[row] !== 1 || times[row] !== at[k]) continue;
      sets.d0[k]! += hazard;
      for (let j = 0; j < size; j++) sets.d1[k * size + j]! += hazard * columns[j]![row]!;
    }
    sets.s0[k] = sum;
    sets.s1.set(sums, k * size);
  }
  return sets;
}

export function emptyRiskSets(times: number, size: number): RiskSets {
  return {
    s0: new Float64Array(times),
    s1: new Float64Array(times * size),
    d0: new Float64Array(times),
    d1: new Float64Array(times * size),
  };
}

/** The sums of several parts together. */
export function addRiskSets(parts: RiskSets[], times: number, size: number): RiskSets {
  const sum = emptyRiskSets(times, size);
  for (const part of parts) {
    for (const name of ["s0", "s1", "d0", "d1"] as const) {
      for (let i = 0; i < sum[name].length; i++) sum[name][i]! += part[name][i]!;
    }
  }
  return sum;
}

/** The fewest rows by which the sets at two times that follow each other differ; 0 without rows. */
export function smallestStep({ times }: SurvivalRows, stratum: Uint32Array, at: number[]): number {
  const steps = new Array<number>(at.length + 1).fill(0);
  let k = 0;
  for (const row of stratum) {
    while (k < at.length && at[k]! <= times[row]!) k++;
    steps[k]!++;
  }
  const filled = steps.filter((count) => count > 0);
  return filled.length === 0 ? 0 : Math.min(...filled);
}

/** What risk sets say of the likelihood, and how much each row at risk then counts. */
export interface Weighed {
  /** The sum of the logarithms of the hazards at risk, one for each event. */
  logarithms: number;
  /** The sum of the products of the predictors' means at risk. */
  means: number[][];
  /**
   * By event time: how much of a row's hazard counts, and of how much of that an event is spared.
   */
  counts: Float64Array;
  spared: Float64Array;
}

export function weighRiskSets(
  { s0, s1, d0, d1 }: RiskSets,
  { events, size, ties }: { events: number[]; size: number; ties: Ties },
): Weighed {
  const means = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  const [counts, spared] = [new Float64Array(events.length), new Float64Array(events.length)];
  const mean = new Float64Array(size);
  let logarithms = 0;
  for (const [k, count] of events.entries()) {
    for (let i = 0; i < count; i++) {
      // By Efron, those with the event at one time leave one after the other, each in part.
      const gone = ties === "efron" ? i / count : 0;
      const atRisk = s0[k]! - gone * d0[k]!;
      logarithms += Math.log(atRisk);
      counts[k]! += 1 / atRisk;
      spared[k]! += gone / atRisk;
      for (let j = 0; j < size; j++) {
        mean[j] = (s1[k * size + j]! - gone * d1[k * size + j]!) / atRisk;
      }
      for (let j = 0; j < size; j++) {
        for (let l = 0; l <= j; l++) means[j]![l]! += mean[j]! * mean[l]!;
      }
    }
  }
  for (let j = 0; j < size; j++) for (let l = 0; l < j; l++) means[l]![j] = means[j]![l]!;
  return { logarithms, means, counts, spared };
}

/** Sums over rows, and of each by how much of its hazard counts. */
export interface RowSums {
  /** The sum of what the predictors say of the events. */
  predicted: number;
  gradient: number[];
  /** The sum of the products of predictors. */
  squares: number[][];
}

export function sumRows(
  { times, events, columns }: SurvivalRows,
  { stratum, eta, hazards, at, counts, spared }:
    & { stratum: Uint32Array; eta: Float64Array; hazards: Float64Array; at: number[] }
    & Pick<Weighed, "counts" | "spared">,
): RowSums {
  const size = columns.length;
  const gradient = new Float64Array(size);
  const lower = new Float64Array(size * size);
  const values = new Float64Array(size);
  let [predicted, k, counted] = [0, 0, 0];
  // Loops over places and flat arrays: this is most of the time that a fit takes.
  for (let i = 0; i < stratum.length; i++) {
    const row = stratum[i]!;
    for (; k < at.length && at[k]! <= times[row]!; k++) counted += counts[k]!;
    const event = events[row] === 1;
    const share = hazards[row]! * (event ? counted - spared[k - 1]! : counted);
    if (event) predicted += eta[row]!;
    const part = (event ? 1 : 0) - share;
    for (let j = 0; j < size; j++) values[j] = columns[j]![row]!;
    for (let j = 0; j < size; j++) {
      gradient[j]! += part * values[j]!;
      const weighted = share * values[j]!;
      for (let l = 0; l <= j; l++) lower[j * size + l]! += weighted * values[l]!;
    }
  }
  const squares = Array.from(
    { length: size },
    (_, j) =>
      Array.from({ length: size }, (_, l) => lower[Math.max(j, l) * size + Math.min(j, l)]!),
  );
  return { predicted, gradient: [...gradient], squares };
}
