/**
 * Moments: how many values, their mean, and their squares about it. Those of two parts give those
 * of the whole without a loss of digits (Chan, Golub and LeVeque 1983).
 * @module
 */
import { exactSum } from "../statistics/sum.ts";

export interface Moments {
  n: number;
  mean: number;
  /** The sum of squared distances from the mean. */
  squares: number;
}

export const NO_MOMENTS: Readonly<Moments> = { n: 0, mean: 0, squares: 0 };

/** The moments of values; `NaN` is none. */
export function momentsOf(values: ArrayLike<number>): Moments {
  let [n, sum, lost] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    n++;
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  if (n === 0) return { ...NO_MOMENTS };
  const mean = (sum + lost) / n;
  let [squares, rest] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const distance = values[i]! - mean;
    if (Number.isNaN(distance)) continue;
    squares += distance * distance;
    rest += distance;
  }
  return { n, mean, squares: squares - rest * rest / n };
}

/** The moments of the whole. */
export function mergeMoments(parts: readonly Moments[]): Moments {
  const filled = parts.filter(({ n }) => n > 0);
  if (filled.length === 0) return { ...NO_MOMENTS };
  const n = filled.reduce((sum, part) => sum + part.n, 0);
  const first = filled[0]!.mean;
  const mean = first + exactSum(filled.map((part) => part.n / n * (part.mean - first)));
  const between = filled.map((part) => part.n * (part.mean - mean) ** 2);
  return { n, mean, squares: exactSum([...filled.map(({ squares }) => squares), ...between]) };
}

/**
 * The same variance of so many rows as a site's rules let it tell, which may be rounded: so the
 * rounding of the number does not change what is made of both.
 */
export function roundedMoments<T extends Moments>(moments: T, roundTo: number): T {
  const n = Math.round(moments.n / roundTo) * roundTo;
  if (n === moments.n || moments.n < 2 || n < 2) return moments;
  return { ...moments, n, squares: moments.squares / (moments.n - 1) * (n - 1) };
}

/** The variance, as of a sample; null for fewer than two values. */
export function variance({ n, squares }: Moments): number | null {
  return n < 2 ? null : squares / (n - 1);
}

/** The standard deviation, as of a sample; null for fewer than two values. */
export function deviation(moments: Moments): number | null {
  const found = variance(moments);
  return found === null ? null : Math.sqrt(found);
}
