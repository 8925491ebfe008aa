/**
 * Tables of two rows and two columns `[[a, b], [c, d]]`, and several such, one a stratum.
 * @module
 */
import { chiSquaredAbove, normalQuantile } from "./distributions.ts";

export type TwoByTwo = [[a: number, b: number], [c: number, d: number]];

/** Null where it is not defined: a count that it divides by is 0. */
export interface Estimate {
  estimate: number;
  low: number;
  high: number;
}

/** An estimate from its logarithm and that one's standard error. */
export function fromLogarithm(
  estimate: number,
  error: number,
  confidence: number,
): Estimate | null {
  if (!(estimate > 0) || !Number.isFinite(estimate) || !Number.isFinite(error)) return null;
  const factor = Math.exp(normalQuantile(1 - (1 - confidence) / 2) * error);
  return { estimate, low: estimate / factor, high: estimate * factor };
}

/** The odds of the first column in the first row, beside those in the second (Woolf's interval). */
export function oddsRatio([[a, b], [c, d]]: TwoByTwo, confidence: number): Estimate | null {
  return fromLogarithm(a * d / (b * c), Math.sqrt(1 / a + 1 / b + 1 / c + 1 / d), confidence);
}

/** The share of the first column in the first row, beside that in the second. */
export function riskRatio([[a, b], [c, d]]: TwoByTwo, confidence: number): Estimate | null {
  const error = Math.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d));
  return fromLogarithm(a / (a + b) / (c / (c + d)), error, confidence);
}

/** The same difference of shares; the interval is Wald's. */
export function riskDifference([[a, b], [c, d]]: TwoByTwo, confidence: number): Estimate | null {
  const [first, second] = [a + b, c + d];
  if (first === 0 || second === 0) return null;
  const [p, q] = [a / first, c / second];
  const error = Math.sqrt(p * (1 - p) / first + q * (1 - q) / second);
  const reach = normalQuantile(1 - (1 - confidence) / 2) * error;
  return { estimate: p - q, low: p - q - reach, high: p - q + reach };
}

/** Sums over strata of what `value` gives of one; strata without rows on both sides say nothing. */
function sumOver(
  tables: TwoByTwo[],
  value: (a: number, b: number, c: number, d: number, n: number) => number,
): number {
  return tables.reduce((sum, [[a, b], [c, d]]) => {
    const n = a + b + c + d;
    return n === 0 ? sum : sum + value(a, b, c, d, n);
  }, 0);
}

/**
 * The pooled odds ratio of Mantel and Haenszel, with the interval of Robins, Breslow and Greenland.
 */
export function pooledOddsRatio(tables: TwoByTwo[], confidence: number): Estimate | null {
  const r = sumOver(tables, (a, _b, _c, d, n) => a * d / n);
  const s = sumOver(tables, (_a, b, c, _d, n) => b * c / n);
  const variance = sumOver(tables, (a, _b, _c, d, n) => (a + d) / n * (a * d / n)) / (2 * r * r) +
    sumOver(tables, (a, b, c, d, n) => ((a + d) * (b * c) + (b + c) * (a * d)) / n / n) /
      (2 * r * s) +
    sumOver(tables, (_a, b, c, _d, n) => (b + c) / n * (b * c / n)) / (2 * s * s);
  return fromLogarithm(r / s, Math.sqrt(variance), confidence);
}

/** The pooled risk ratio of Mantel and Haenszel, with the interval of Greenland and Robins. */
export function pooledRiskRatio(tables: TwoByTwo[], confidence: number): Estimate | null {
  const r = sumOver(tables, (a, _b, c, d, n) => a * (c + d) / n);
  const s = sumOver(tables, (a, b, c, _d, n) => c * (a + b) / n);
  const spread = sumOver(
    tables,
    (a, b, c, d, n) => ((a + b) * (c + d) * (a + c) - a * c * n) / n / n,
  );
  return fromLogarithm(r / s, Math.sqrt(spread / (r * s)), confidence);
}

export interface Test {
  statistic: number;
  p: number;
}

/** Whether the common odds ratio is 1 (Cochran, Mantel and Haenszel; without correction). */
export function mantelHaenszelTest(tables: TwoByTwo[]): Test | null {
  const above = sumOver(tables, (a, b, c, _d, n) => a - (a + b) * (a + c) / n);
  const variance = sumOver(
    tables,
    (a, b, c, d, n) => n < 2 ? 0 : (a + b) * (c + d) * (a + c) * (b + d) / n / n / (n - 1),
  );
  if (variance === 0) return null;
  const statistic = above * above / variance;
  return { statistic, p: chiSquaredAbove(statistic, 1) };
}

/** Whether the odds ratio is the same in all strata (Breslow and Day). */
export function homogeneityTest(tables: TwoByTwo[], common: number): Test | null {
  const used = tables.filter(([[a, b], [c, d]]) => a + b && c + d && a + c && b + d);
  if (used.length < 2 || !Number.isFinite(common) || common <= 0) return null;
  let statistic = 0;
  for (const [[a, b], [c, d]] of used) {
    const [row, column, rest] = [a + b, a + c, c + d];
    const expected = expectedCount({ row, column, rest, odds: common });
    const cells = [expected, row - expected, column - expected, rest - column + expected];
    statistic += (a - expected) ** 2 * cells.reduce((sum, cell) => sum + 1 / cell, 0);
  }
  return { statistic, p: chiSquaredAbove(statistic, used.length - 1) };
}

/** The first cell of the table with these margins and this odds ratio: the root of a square. */
function expectedCount(
  { row, column, rest, odds }: { row: number; column: number; rest: number; odds: number },
): number {
  const a = 1 - odds;
  const b = rest - column + odds * (row + column);
  const c = -odds * row * column;
  if (Math.abs(a) < 1e-12) return -c / b;
  const root = Math.sqrt(b * b - 4 * a * c);
  const inside = (x: number) => x > Math.max(0, column - rest) && x < Math.min(row, column);
  // The form that does not subtract near equals.
  const large = -(b + Math.sign(b) * root) / 2;
  return [large / a, c / large].find(inside) ?? NaN;
}
