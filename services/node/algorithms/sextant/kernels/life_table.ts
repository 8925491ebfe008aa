/**
 * Times until an event, or until somebody was seen last, counted; and the curve of survival made of
 * the counts (Kaplan and Meier 1958).
 * @module
 */
import { readCount, readFields, readList, readNumber } from "../parts.ts";
import { normalQuantile } from "../statistics/distributions.ts";

/** How many rows end at each time, in the order of the times. */
export interface LifeTable {
  times: number[];
  events: number[];
  /** Rows that end there without the event. */
  censored: number[];
}

export interface Point {
  time: number;
  at_risk: number;
  events: number;
  survival: number;
  /** Null where the survival is 1 or 0. */
  low: number | null;
  high: number | null;
}

/** Refuses times that are none; the error is for the researcher. */
export function checkTimes(name: string, times: Float64Array) {
  if (!times.some((time) => time < 0)) return;
  throw new TypeError(`The times in "${name}" must not be negative, and some are.`);
}

/** Counts rows by their times; `events` has 1 for those with the event. */
export function lifeTableOf(times: Float64Array, events: Float64Array): LifeTable {
  // Sorted as numbers, without a function that compares: it is ten times faster.
  const ended = times.filter((_, i) => events[i] === 1).sort();
  const seen = times.filter((_, i) => events[i] !== 1).sort();
  const table: LifeTable = { times: [], events: [], censored: [] };
  for (let [i, j] = [0, 0]; i < ended.length || j < seen.length;) {
    const time = Math.min(ended[i] ?? Infinity, seen[j] ?? Infinity);
    const [before, without] = [i, j];
    while (ended[i] === time) i++;
    while (seen[j] === time) j++;
    table.times.push(time);
    table.events.push(i - before);
    table.censored.push(j - without);
  }
  return table;
}

export function mergeLifeTables(tables: LifeTable[]): LifeTable {
  const counts = new Map<number, [events: number, censored: number]>();
  for (const { times, events, censored } of tables) {
    for (const [i, time] of times.entries()) {
      const [before, without] = counts.get(time) ?? [0, 0];
      counts.set(time, [before + events[i]!, without + censored[i]!]);
    }
  }
  const times = [...counts.keys()].sort((a, b) => a - b);
  return {
    times,
    events: times.map((time) => counts.get(time)![0]),
    censored: times.map((time) => counts.get(time)![1]),
  };
}

export function readLifeTable(value: unknown): LifeTable {
  const { times } = readFields(value, { times: (one) => readList(one, readNumber) });
  return readFields<LifeTable>(value, {
    times: () => times,
    events: (events) => readList(events, readCount, times.length),
    censored: (censored) => readList(censored, readCount, times.length),
  });
}

/** Rows in all, and with the event. */
export function countRows({ events, censored }: LifeTable) {
  const sum = (counts: number[]) => counts.reduce((all, count) => all + count, 0);
  return { n: sum(events) + sum(censored), events: sum(events) };
}

/**
 * The curve at the times of events, with Greenwood's variance and intervals on the scale
 * log(-log S), which stay between 0 and 1.
 */
export function survivalCurve(table: LifeTable, confidence: number): Point[] {
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const points: Point[] = [];
  let [atRisk, survival, variance] = [countRows(table).n, 1, 0];
  for (const [i, time] of table.times.entries()) {
    const events = table.events[i]!;
    if (events > 0) {
      survival *= 1 - events / atRisk;
      variance += events / (atRisk * (atRisk - events));
      const log = Math.log(survival);
      const reach = z * Math.sqrt(variance) / -log;
      const inside = survival > 0 && survival < 1;
      points.push({
        time,
        at_risk: atRisk,
        events,
        survival,
        low: inside ? Math.exp(-Math.exp(Math.log(-log) + reach)) : null,
        high: inside ? Math.exp(-Math.exp(Math.log(-log) - reach)) : null,
      });
    }
    atRisk -= events + table.censored[i]!;
  }
  return points;
}

/** A survival of a half comes out of a product that rounding may have left above it. */
const HALF = 0.5 + 1e-12;

/** The first time at which no more than half survive, with its interval; null where none is. */
export function medianOf(points: Point[]) {
  const first = (value: (point: Point) => number | null) =>
    points.find((point) => (value(point) ?? point.survival) <= HALF)?.time ?? null;
  return {
    estimate: first(({ survival }) => survival),
    low: first(({ low }) => low),
    high: first(({ high }) => high),
  };
}

/** The mean time survived until the horizon, and its standard error. */
export function restrictedMean(points: Point[], horizon: number) {
  const before = points.filter(({ time }) => time < horizon);
  const areas = before.map(({ time, survival }, i) =>
    survival * ((before[i + 1]?.time ?? horizon) - time)
  );
  let [after, variance] = [0, 0];
  for (let i = before.length - 1; i >= 0; i--) {
    const { at_risk, events } = before[i]!;
    after += areas[i]!;
    if (at_risk > events) variance += after * after * events / (at_risk * (at_risk - events));
  }
  return {
    estimate: after + (before[0]?.time ?? horizon),
    standard_error: Math.sqrt(variance),
    horizon,
  };
}
