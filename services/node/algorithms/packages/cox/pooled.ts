/**
 * The model with one baseline for all organizations: its risk sets are those of the pooled rows.
 * @module
 */
import { addCoxSums, combineSums, type CoxSums, noCoxSums } from "sextant/kernels/cox.ts";
import { addRiskSets, type EventTimes, mergeEventTimes } from "sextant/kernels/risk_sets.ts";
import { type RiskSets, type RowSums, weighRiskSets } from "sextant/kernels/risk_sets.ts";
import { type Part, readCount, readFields, readList, readNumber } from "sextant/parts.ts";
import { readSquare } from "sextant/parts.ts";
import type { Prepared, RiskSetLists } from "./rows.ts";

/** More numbers than this are not asked of a site at once. */
const MOST_NUMBERS = 1_000_000;

export type Ask = <T>(
  method: string,
  kwargs: Record<string, unknown>,
  read: (part: unknown) => T,
) => Promise<Part<T>[]>;

/** The event times of all organizations, by stratum. */
export function poolEventTimes(parts: EventTimes[][], strata: number, size: number): EventTimes[] {
  const pooled = Array.from(
    { length: strata },
    (_, i) => mergeEventTimes(parts.map((part) => part[i]!)),
  );
  const times = pooled.reduce((sum, { times }) => sum + times.length, 0);
  if (2 * times * (size + 1) <= MOST_NUMBERS) return pooled;
  throw new RangeError(
    `A pooled baseline has ${times} event times here, too many: take the baseline by site, or ` +
      "round the times.",
  );
}

export function readEventTimes(value: unknown): EventTimes {
  const { times } = readFields(value, { times: (one) => readList(one, readNumber) });
  const events = (one: unknown) => readList(one, readCount, times.length);
  return readFields<EventTimes>(value, { times: () => times, events });
}

/** The sums of all rows at these coefficients. */
export async function pooledSums(
  ask: Ask,
  prepared: Prepared,
  eventTimes: EventTimes[],
  coefficients: number[],
): Promise<CoxSums> {
  const size = coefficients.length;
  const sets = await pooledRiskSets(ask, prepared, eventTimes, coefficients);
  if (!sets) return noCoxSums(size);
  const weighed = sets.map((one, i) =>
    weighRiskSets(one, { events: eventTimes[i]!.events, size, ties: prepared.ties })
  );
  const weights = weighed.map(({ counts, spared }) => ({
    counts: [...counts],
    spared: [...spared],
  }));
  if (!weights.every(({ counts }) => counts.every(Number.isFinite))) return noCoxSums(size);
  const kwargs = { ...prepared, coefficients, eventTimes, weights };
  const rows = await ask("partial_weighted", kwargs, (part) => readRowSums(part, size));
  const none = { logarithms: 0, means: Array.from({ length: size }, () => zeros(size)) };
  const nobody = { predicted: 0, gradient: zeros(size), squares: none.means };
  return addCoxSums([
    ...rows.map(({ part }) => combineSums(part, none)),
    ...weighed.map((one) => combineSums(nobody, one)),
  ], size);
}

/** The risk sets of all organizations, by stratum; undefined where hazards are no numbers. */
export async function pooledRiskSets(
  ask: Ask,
  prepared: Prepared,
  eventTimes: EventTimes[],
  coefficients: number[],
): Promise<RiskSets[] | undefined> {
  const size = coefficients.length;
  const lengths = eventTimes.map(({ times }) => times.length);
  const kwargs = { ...prepared, coefficients, eventTimes };
  const parts = await ask(
    "partial_risk_sets",
    kwargs,
    (part) => readRiskSets(part, lengths, size),
  );
  if (parts.some(({ part }) => !part.finite)) return undefined;
  return lengths.map((length, i) =>
    addRiskSets(parts.flatMap(({ part }) => part.sets[i] ?? []), length, size)
  );
}

function readRiskSets(value: unknown, lengths: number[], size: number) {
  let next = 0;
  return readFields<{ finite: boolean; sets: (RiskSets | null)[] }>(value, {
    finite: (one) => one === true,
    sets: (one) =>
      readList(one, (set) => {
        const length = lengths[next++]!;
        return set === null ? null : readRiskSet(set, length, size);
      }, lengths.length),
  });
}

function readRiskSet(value: unknown, length: number, size: number): RiskSets {
  const floats = (count: number) => (one: unknown) =>
    Float64Array.from(readList(one, readNumber, count));
  return readFields<{ [K in keyof RiskSetLists]: Float64Array }>(value, {
    s0: floats(length),
    s1: floats(length * size),
    d0: floats(length),
    d1: floats(length * size),
  });
}

function readRowSums(value: unknown, size: number): RowSums {
  return readFields<RowSums>(value, {
    predicted: readNumber,
    gradient: (one) => readList(one, readNumber, size),
    squares: (one) => readSquare(one, size),
  });
}

function zeros(size: number): number[] {
  return new Array<number>(size).fill(0);
}
