/**
 * What benchmarks share: repeated measurement, percentiles, and a printed line beside its raw
 * floor.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";

/** The value below which `share` (0..1) of the samples lie. */
export function percentile(samples: number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

export interface Rate {
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/** Keeps `inFlight` calls of `work` going for `seconds`, after a warm-up of a quarter of that. */
export async function rateOf(
  work: () => Promise<unknown>,
  { inFlight, seconds = 4 }: { inFlight: number; seconds?: number },
): Promise<Rate> {
  await keepGoing(work, inFlight, seconds / 4);
  const began = performance.now();
  const samples = await keepGoing(work, inFlight, seconds);
  const took = (performance.now() - began) / 1000;
  return {
    perSecond: samples.length / took,
    p50: percentile(samples, 0.5),
    p99: percentile(samples, 0.99),
  };
}

async function keepGoing(work: () => Promise<unknown>, inFlight: number, seconds: number) {
  const samples: number[] = [];
  const until = performance.now() + seconds * 1000;
  async function caller() {
    while (performance.now() < until) {
      const began = performance.now();
      await work();
      samples.push(performance.now() - began);
    }
  }
  await Promise.all(Array.from({ length: inFlight }, caller));
  return samples;
}

/**
 * Begins `work` so many times a second for `seconds`, whatever the ones before take, after a
 * warm-up of a quarter of that. Each counts from when it was due, so that no wait is left out.
 */
export async function pacedAt(
  work: () => Promise<unknown>,
  { perSecond, seconds = 8 }: { perSecond: number; seconds?: number },
): Promise<Rate> {
  const samples: number[] = [];
  const first = performance.now();
  const warm = perSecond * seconds / 4;
  await Promise.all(Array.from({ length: warm + perSecond * seconds }, async (_, n) => {
    const due = first + 1000 * n / perSecond;
    await delay(Math.max(0, due - performance.now()));
    await work();
    if (n >= warm) samples.push(performance.now() - due);
  }));
  const took = (performance.now() - first) / 1000;
  return {
    perSecond: (warm + samples.length) / took,
    p50: percentile(samples, 0.5),
    p99: percentile(samples, 0.99),
  };
}

/** One line: what, how much, and how that compares with the floor of the same run. */
export function report(what: string, figures: Record<string, string | number>): void {
  const parts = Object.entries(figures).map(([name, value]) =>
    `${name} ${typeof value === "number" ? short(value) : value}`
  );
  console.log(`${what.padEnd(44)} ${parts.join("   ")}`);
}

function short(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}
