/**
 * Times until an event, or until somebody was seen last, counted; and the curve of survival made of
 * the counts (Kaplan and Meier 1958).
 * @module
 */
import type { SiteRules } from "../disclosure.ts";
import { readCount, readFields, readList, readNumber } from "../parts.ts";
import { normalQuantile } from "../statistics/distributions.ts";
import { firstWhere, intervalsOf, roundedUp, roundest } from "./coarse.ts";
import { floatsOfRows } from "../fill.ts";

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

/** With the persons behind each count, for the site's rules. */
export interface CoarseLifeTable extends LifeTable {
  persons: number[];
  eventPersons: number[];
  censoredPersons: number[];
}

/**
 * The same in intervals, each counted at its end: in each, those with the event are none or enough
 * persons, and so are those without. Undefined where all together are too few. A time that enough
 * share is told as it is.
 */
export function coarseLifeTableOf(
  times: Float64Array,
  events: Float64Array,
  site: SiteRules,
): CoarseLifeTable | undefined {
  const least = Math.max(site.rules.minCell, site.rules.minSubset);
  const rowsWhere = (isOne: (row: number) => boolean) => Array.from(times.keys()).filter(isOne);
  const ended = rowsWhere((row) => events[row] === 1);
  // Cut by the events, as the curve is made of them.
  const deciding = ended.length > 0 ? ended : rowsWhere(() => true);
  const last = roundedUp(times.reduce((most, time) => Math.max(most, time), 0));
  const cuts = intervalsOf(
    floatsOfRows(deciding, (row) => times[row]!),
    { persons: site.persons && Uint32Array.from(deciding, (row) => site.persons![row]!) },
    { least, part: roundest, last },
  );
  if (!cuts) return undefined;
  const ends = cuts.map(({ end }) => end);
  // What is censored after the last event.
  ends[ends.length - 1] = last;
  const cells = ends.map(() => [] as number[]);
  for (const row of times.keys()) {
    cells[firstWhere(0, ends.length - 1, (place) => times[row]! <= ends[place]!)]!.push(row);
  }
  const isTold = (rows: number[]) =>
    [1, 0].every((kind) => {
      const some = rows.filter((row) => (events[row] === 1 ? 1 : 0) === kind);
      return some.length === 0 || personsIn(some) >= least;
    });
  const merged: { end: number; rows: number[] }[] = [];
  let open: number[] = [];
  for (const [i, rows] of cells.entries()) {
    open = open.length === 0 ? rows : open.concat(rows);
    if (!isTold(open)) continue;
    merged.push({ end: ends[i]!, rows: open });
    open = [];
  }
  while (open.length > 0) {
    const before = merged.pop();
    if (!before) return undefined;
    open = before.rows.concat(open);
    if (!isTold(open)) continue;
    merged.push({ end: last, rows: open });
    open = [];
  }
  const filled = merged.filter(({ rows }) => rows.length > 0);
  const of = (value: (rows: number[]) => number, kind?: number) =>
    filled.map(({ rows }) =>
      value(rows.filter((row) => kind === undefined || (events[row] === 1 ? 1 : 0) === kind))
    );
  return {
    times: filled.map(({ end, rows }) =>
      rows.every((row) => times[row] === times[rows[0]!]) ? times[rows[0]!]! : end
    ),
    events: of((rows) => rows.length, 1),
    censored: of((rows) => rows.length, 0),
    persons: of(personsIn),
    eventPersons: of(personsIn, 1),
    censoredPersons: of(personsIn, 0),
  };

  function personsIn(rows: number[]): number {
    return site.persons ? new Set(rows.map((row) => site.persons![row])).size : rows.length;
  }
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
