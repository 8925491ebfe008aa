/**
 * Counts of events in a time at risk: rates, their ratios, and both standardised. Intervals of
 * counts are exact (Garwood 1936), those of ratios of two rates too (Clopper and Pearson 1934,
 * given the sum of events).
 * @module
 */
import betainc from "@stdlib/math-base-special-betainc";
import { gammaQuantile, normalQuantile } from "./distributions.ts";
import { gammaAbove, gammaBelow } from "./incomplete_gamma.ts";
import { type Estimate, fromLogarithm } from "./two_by_two.ts";

export interface Count {
  events: number;
  /** Person-time, or how many events are expected. */
  time: number;
}

/** Events by time; null without time. */
export function rateOf({ events, time }: Count, confidence: number): Estimate | null {
  if (!(time > 0)) return null;
  const tail = (1 - confidence) / 2;
  return {
    estimate: events / time,
    low: gammaQuantile(tail, events) / time,
    high: gammaQuantile(1 - tail, events + 1) / time,
  };
}

/** Twice the smaller tail: whether so many events are what is expected. */
export function countP({ events, time }: Count): number {
  const above = events === 0 ? 1 : gammaBelow(time, events);
  const below = gammaAbove(time, events + 1);
  return Math.min(1, 2 * Math.min(above, below));
}

/** The first rate by the second; null without events or without time. */
export function rateRatio(a: Count, b: Count, confidence: number) {
  const [all, share] = [a.events + b.events, a.time / (a.time + b.time)];
  if (all === 0 || !(a.time > 0) || !(b.time > 0)) return null;
  const tail = (1 - confidence) / 2;
  const ratio = (part: number) => part / (1 - part) * b.time / a.time;
  // Of all events, the first has a binomial part.
  const low = a.events === 0 ? 0 : betaQuantile(tail, a.events, b.events + 1);
  const high = b.events === 0 ? null : betaQuantile(1 - tail, a.events + 1, b.events);
  const above = a.events === 0 ? 1 : betainc(share, a.events, b.events + 1);
  const below = b.events === 0 ? 1 : betainc(share, a.events + 1, b.events, true, true);
  return {
    /** Null, as `high`, where the second has no events: it is infinite. */
    estimate: b.events === 0 ? null : a.events / a.time / (b.events / b.time),
    low: ratio(low),
    high: high === null ? null : ratio(high),
    p: Math.min(1, 2 * Math.min(above, below)),
  };
}

/** The first rate less the second; the interval is Wald's. */
export function rateDifference(a: Count, b: Count, confidence: number): Estimate | null {
  if (!(a.time > 0) || !(b.time > 0)) return null;
  const estimate = a.events / a.time - b.events / b.time;
  const error = Math.sqrt(a.events / a.time ** 2 + b.events / b.time ** 2);
  const reach = normalQuantile(1 - (1 - confidence) / 2) * error;
  return { estimate, low: estimate - reach, high: estimate + reach };
}

export interface DirectRate extends Estimate {
  variance: number;
}

/**
 * The rate in a population whose time is spread over the strata as the weights say; the interval is
 * that of Fay and Feuer (1997). Null where a stratum that counts has no time.
 */
export function directRate(
  strata: Count[],
  standard: number[],
  confidence: number,
): DirectRate | null {
  const total = standard.reduce((sum, weight) => sum + weight, 0);
  const used = strata.map((count, i) => ({ ...count, weight: standard[i]! / total }))
    .filter(({ weight }) => weight > 0);
  if (used.some(({ time }) => !(time > 0))) return null;
  const estimate = used.reduce((sum, { events, time, weight }) => sum + weight * events / time, 0);
  const variance = used.reduce(
    (sum, { events, time, weight }) => sum + weight ** 2 * events / time ** 2,
    0,
  );
  const largest = Math.max(...used.map(({ time, weight }) => weight / time));
  const tail = (1 - confidence) / 2;
  const gamma = (p: number, mean: number, spread: number) =>
    mean === 0 ? 0 : spread / mean * gammaQuantile(p, mean ** 2 / spread);
  return {
    estimate,
    variance,
    low: gamma(tail, estimate, variance),
    high: gamma(1 - tail, estimate + largest, variance + largest ** 2),
  };
}

/** The ratio of two standardised rates, with an interval on the scale of the logarithm. */
export function directRatio(a: DirectRate, b: DirectRate, confidence: number): Estimate | null {
  const error = Math.sqrt(a.variance / a.estimate ** 2 + b.variance / b.estimate ** 2);
  return fromLogarithm(a.estimate / b.estimate, error, confidence);
}

/** The value of a beta distribution below which the probability is `p`. */
function betaQuantile(p: number, a: number, b: number): number {
  let [low, high] = [0, 1];
  for (let middle = 0.5; low < middle && middle < high; middle = (low + high) / 2) {
    // The smaller tail keeps its digits.
    const isBelow = p < 0.5 ? betainc(middle, a, b) < p : betainc(middle, a, b, true, true) > 1 - p;
    if (isBelow) low = middle;
    else high = middle;
  }
  return high;
}
