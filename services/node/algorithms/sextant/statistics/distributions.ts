/**
 * Probabilities of the usual distributions. Both tails are computed as such, so that small p-values
 * keep their digits; the functions beneath are those of stdlib (ported from Boost and FreeBSD).
 * @module
 */
import betainc from "@stdlib/math-base-special-betainc";
import erfc from "@stdlib/math-base-special-erfc";
import erfcinv from "@stdlib/math-base-special-erfcinv";
import { gammaAbove } from "./incomplete_gamma.ts";

/** The probability that a standard normal value lies above `z`. */
export function normalAbove(z: number): number {
  return erfc(z / Math.SQRT2) / 2;
}

/** The probability that a standard normal value is at least as far from 0 as `z`. */
export function normalTwoSided(z: number): number {
  return erfc(Math.abs(z) / Math.SQRT2);
}

/** The standard normal value below which the probability is `p`. */
export function normalQuantile(p: number): number {
  return -Math.SQRT2 * erfcinv(2 * p);
}

/** The probability that a value of Student's t is at least as far from 0 as `t`. */
export function tTwoSided(t: number, freedom: number): number {
  return Number.isFinite(t) ? betainc(freedom / (freedom + t * t), freedom / 2, 0.5) : 0;
}

/** The value of Student's t below which the probability is `p`. */
export function tQuantile(p: number, freedom: number): number {
  if (p < 0.5) return -tQuantile(1 - p, freedom);
  return solve((t) => tTwoSided(t, freedom) / 2, 1 - p);
}

/** The probability that a value of chi-squared lies above `x`. */
export function chiSquaredAbove(x: number, freedom: number): number {
  return x <= 0 ? 1 : gammaAbove(x / 2, freedom / 2);
}

/** The probability that a value of F lies above `f`. */
export function fAbove(f: number, above: number, below: number): number {
  if (f <= 0) return 1;
  return Number.isFinite(f) ? betainc(below / (below + above * f), below / 2, above / 2) : 0;
}

/**
 * The value of a gamma distribution of this shape (and scale 1) below which the probability is `p`.
 */
export function gammaQuantile(p: number, shape: number): number {
  if (shape === 0) return 0;
  return solve((x) => gammaAbove(x, shape), 1 - p);
}

/**
 * The x ≥ 0 where a falling function reaches a probability, halving the interval until no number
 * lies in between.
 */
function solve(above: (x: number) => number, probability: number): number {
  let [low, high] = [0, 1];
  while (above(high) > probability && high < 1e300) [low, high] = [high, high * 2];
  for (let middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2) {
    if (above(middle) > probability) low = middle;
    else high = middle;
  }
  return high;
}
