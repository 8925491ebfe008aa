/**
 * Times until an event, or until somebody was seen last, counted; and the curve of survival made of
 * the counts (Kaplan and Meier 1958).
 * @module
 */
import type { DisclosureRules } from "../api.ts";
import type { SiteRules } from "../disclosure.ts";
import { roomOf } from "../distinct.ts";
import { rangeOf } from "../levels.ts";
import { readCount, readFields, readList, readNumber } from "../parts.ts";
import { normalQuantile } from "../statistics/distributions.ts";
import { countsOf, firstAbove, intervalsOfRuns, roundedUp, roundest } from "./coarse.ts";
import { runsOfCounts, sumsBefore } from "./coarse.ts";

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
  for (let row = 0; row < times.length; row++) {
    if (times[row]! < 0) {
      throw new TypeError(`The times in "${name}" must not be negative, and some are.`);
    }
  }
}

/** Counts rows by their times; `events` has 1 for those with the event. */
export function lifeTableOf(times: Float64Array, events: Float64Array): LifeTable {
  const { least, room } = rangeOf(times);
  if (room > 0) return lifeTableOfWhole(times, events, { least, room });
  const [ended, seen] = [1, 0].map((kind) => countsOf(timesOfKind(times, events, kind)));
  const table: LifeTable = { times: [], events: [], censored: [] };
  for (let [i, j] = [0, 0]; i < ended!.values.length || j < seen!.values.length;) {
    const time = Math.min(ended!.values[i] ?? Infinity, seen!.values[j] ?? Infinity);
    table.times.push(time);
    table.events.push(ended!.values[i] === time ? ended!.counts[i++]! : 0);
    table.censored.push(seen!.values[j] === time ? seen!.counts[j++]! : 0);
  }
  return table;
}

/** The same of times that are whole numbers: nothing has to be sorted. */
function lifeTableOfWhole(
  times: Float64Array,
  events: Float64Array,
  { least, room }: { least: number; room: number },
): LifeTable {
  const counts = new Uint32Array(2 * room);
  for (let row = 0; row < times.length; row++) {
    counts[2 * (times[row]! - least) + (events[row] === 1 ? 1 : 0)]!++;
  }
  const table: LifeTable = { times: [], events: [], censored: [] };
  for (let i = 0; i < room; i++) {
    const [censored, ended] = [counts[2 * i]!, counts[2 * i + 1]!];
    if (censored + ended === 0) continue;
    table.times.push(least + i);
    table.events.push(ended);
    table.censored.push(censored);
  }
  return table;
}

/** The times of the rows with the event, kind 1, or of those without. */
function timesOfKind(times: Float64Array, events: Float64Array, kind: number): Float64Array {
  return times.filter((_, row) => (events[row] === 1 ? 1 : 0) === kind);
}

/**
 * With the persons behind each count, for the site's rules: counted no further than these ask for.
 */
export interface CoarseLifeTable extends LifeTable {
  persons: number[];
  eventPersons: number[];
  censoredPersons: number[];
}

/** The rows that life tables count, and whose they are. */
export interface TimedRows {
  times: Float64Array;
  /** 1 for those with the event. */
  events: Float64Array;
  /** Of each row its table; -1 for one that is in none. */
  groupOf: Int32Array;
  site: Pick<SiteRules, "rules" | "persons">;
}

/**
 * The same in intervals, each counted at its end: in each, those with the event are none or enough
 * persons, and so are those without. Undefined where all of a table together are too few. A time
 * that enough share is told as it is.
 */
export function coarseLifeTablesOf(
  fine: readonly LifeTable[],
  { site: { rules, persons }, ...rows }: TimedRows,
): (CoarseLifeTable | undefined)[] {
  const ordered = persons && orderByTime(fine, { ...rows, persons });
  return fine.map((table, group) => coarseOf(table, ordered?.[group], rules));
}

function coarseOf(
  fine: LifeTable,
  ordered: Ordered | undefined,
  { minSubset: least, minCell, minLevel }: DisclosureRules,
): CoarseLifeTable | undefined {
  const last = roundedUp(fine.times.at(-1) ?? 0);
  const cuts = intervalsOfRuns(decidingRuns(fine, ordered), { least, part: roundest, last });
  if (!cuts) return undefined;
  const ends = cuts.map(({ end }) => end);
  // What is censored after the last event.
  ends[ends.length - 1] = last;
  const counting: Counting = {
    ordered,
    least,
    most: Math.max(least, minCell, minLevel),
    rows: [sumsBefore(fine.censored), sumsBefore(fine.events)],
  };
  const merged: Span[] = [];
  let open: Span | undefined;
  let next = 0;
  for (const [i, end] of ends.entries()) {
    const first = next;
    while (next < fine.times.length && (fine.times[next]! <= end || i === ends.length - 1)) next++;
    if (first === next) continue;
    open ??= beginSpan(counting, first);
    extend(counting, open, { to: next, end });
    if (!isTold(counting, open)) continue;
    merged.push(open);
    open = undefined;
  }
  while (open) {
    const before = merged.pop();
    if (!before) return undefined;
    const { to } = open;
    open = beginSpan(counting, before.from);
    extend(counting, open, { to, end: last });
    if (!isTold(counting, open)) continue;
    merged.push(open);
    open = undefined;
  }
  return {
    times: merged.map(({ from, to, end }) => to - from === 1 ? fine.times[from]! : end),
    events: merged.map((span) => rowsOf(counting, span, 1)),
    censored: merged.map((span) => rowsOf(counting, span, 0)),
    persons: merged.map((span) =>
      span.seen
        ? span.seen[0].union(span.seen[1]).size
        : rowsOf(counting, span, 0) + rowsOf(counting, span, 1)
    ),
    eventPersons: merged.map((span) => personsOf(counting, span, 1)),
    censoredPersons: merged.map((span) => personsOf(counting, span, 0)),
  };
}

/**
 * What the intervals are cut by: the events, as the curve is made of them, or all where none is.
 */
function decidingRuns(fine: LifeTable, ordered: Ordered | undefined) {
  const kind = fine.events.some((count) => count > 0) ? 1 : 0;
  const counts = kind === 1 ? fine.events : fine.censored;
  const starts = ordered ? firstsOf(ordered, kind) : new Uint32Array(counts.length + 1);
  if (!ordered) starts.set(counts, 1);
  return runsOfCounts(counts, starts, (place) => fine.times[place]!);
}

/** Of each time, one place on, the persons whose first row of that kind it is. */
function firstsOf({ codes, starts, room }: Ordered, kind: number): Uint32Array {
  const firsts = new Uint32Array(starts.length);
  const seen = new Uint8Array(room);
  let place = 0;
  for (let i = starts[0]!; i < starts[starts.length - 1]!; i++) {
    while (i >= starts[place + 1]!) place++;
    const code = codes[i]!;
    const person = code >>> 1;
    if ((code & 1) !== kind || seen[person] === 1) continue;
    seen[person] = 1;
    firsts[place + 1]!++;
  }
  return firsts;
}

/** Rows without the event, 0, or with it. */
type Kind = 0 | 1;

/** Times that are told as one: those at the places `from` to below `to` of the fine table. */
interface Span {
  from: number;
  to: number;
  end: number;
  /** Persons of each kind, no more than are asked for; undefined where each row is one. */
  seen: readonly [Set<number>, Set<number>] | undefined;
}

/** What spans of one table are counted by. */
interface Counting {
  ordered: Ordered | undefined;
  /** So many persons of each kind are told of, and so many counted. */
  least: number;
  most: number;
  /** Of each kind the rows before each place. */
  rows: readonly [Uint32Array, Uint32Array];
}

function beginSpan({ ordered }: Counting, from: number): Span {
  return { from, to: from, end: NaN, seen: ordered && [new Set(), new Set()] };
}

/** Takes the times in that follow, up to a place. */
function extend({ ordered, most }: Counting, span: Span, { to, end }: Pick<Span, "to" | "end">) {
  const { to: from, seen } = span;
  span.to = to;
  span.end = end;
  if (!ordered || !seen) return;
  const { codes, starts } = ordered;
  // Enough are among the first rows of most.
  for (let i = starts[from]!; i < starts[to]!; i++) {
    const code = codes[i]!;
    const own = seen[(code & 1) as Kind];
    if (own.size < most) own.add(code >>> 1);
    else if (seen[0].size >= most && seen[1].size >= most) break;
  }
}

function rowsOf({ rows }: Counting, { from, to }: Span, kind: Kind): number {
  return rows[kind][to]! - rows[kind][from]!;
}

function personsOf(counting: Counting, span: Span, kind: Kind): number {
  return span.seen ? span.seen[kind].size : rowsOf(counting, span, kind);
}

/** Whether those with the event are none or enough persons, and so are those without. */
function isTold(counting: Counting, span: Span): boolean {
  const { least } = counting;
  const ended = personsOf(counting, span, 1);
  const censored = personsOf(counting, span, 0);
  return (ended === 0 || ended >= least) && (censored === 0 || censored >= least);
}

/** Rows in the order of their times. */
interface Ordered {
  /** Of each its person, twice, and one more with the event. */
  codes: Uint32Array;
  /** By place in the list of the different times where its rows begin; at the end all rows. */
  starts: Uint32Array;
  /** More than any person's number. */
  room: number;
}

/** Of each table its rows, which lie one table after the other. */
function orderByTime(
  fine: readonly LifeTable[],
  { times, events, groupOf, persons }: Omit<TimedRows, "site"> & { persons: Uint32Array },
): Ordered[] {
  const lists = fine.map((table) => Float64Array.from(table.times));
  const ranges = lists.map((list) => rangeOf(list, times.length));
  const firsts = sumsBefore(lists.map(({ length }) => length));
  // Of whole numbers none has to be looked for.
  const placeAt = ranges.map(({ least, room }, group) => {
    const at = new Uint32Array(room);
    if (room > 0) lists[group]!.forEach((time, i) => at[time - least] = firsts[group]! + i);
    return at;
  });
  const leasts = ranges.map(({ least }) => least);
  const counts = fine.flatMap(({ events, censored }) => events.map((one, i) => one + censored[i]!));
  const starts = sumsBefore(counts);
  const next = starts.slice();
  const codes = new Uint32Array(starts.at(-1)!);
  for (let row = 0; row < groupOf.length; row++) {
    const group = groupOf[row]!;
    if (group < 0) continue;
    const time = times[row]!;
    const at = placeAt[group]!;
    const place = at.length > 0
      ? at[time - leasts[group]!]!
      : firsts[group]! + firstAbove(lists[group]!, time, 0, lists[group]!.length) - 1;
    codes[next[place]!++] = 2 * persons[row]! + (events[row] === 1 ? 1 : 0);
  }
  const room = roomOf(persons);
  return fine.map((_, group) => ({
    codes,
    starts: starts.subarray(firsts[group], firsts[group + 1]! + 1),
    room,
  }));
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
