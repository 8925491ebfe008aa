/**
 * Estimates of several studies taken together.
 * @module
 */
import { chiSquaredAbove, normalQuantile, normalTwoSided } from "./distributions.ts";

export interface Study {
  estimate: number;
  standard_error: number;
}

/**
 * The mean of the studies' estimates if they differ by chance alone (fixed), and if what they
 * measure differs too (random: DerSimonian and Laird 1986), with how much they differ: Cochran's Q,
 * and the part of it that is more than chance, I² (Higgins and Thompson 2002).
 */
export function combineStudies(studies: Study[], confidence: number) {
  const estimates = studies.map(({ estimate }) => estimate);
  const variances = studies.map(({ standard_error }) => standard_error ** 2);
  const precise = variances.map((variance) => 1 / variance);
  const fixed = meanOf(estimates, precise, confidence);
  const freedom = studies.length - 1;
  const q = sum(estimates.map((value, i) => precise[i]! * (value - fixed.estimate) ** 2));
  const total = sum(precise);
  const spread = total - sum(precise.map((weight) => weight ** 2)) / total;
  const tauSquared = freedom === 0 ? 0 : Math.max(0, (q - freedom) / spread);
  const wide = variances.map((variance) => 1 / (variance + tauSquared));
  const share = (weights: number[]) => weights.map((weight) => weight / sum(weights));
  return {
    fixed,
    random: meanOf(estimates, wide, confidence),
    tau_squared: tauSquared,
    heterogeneity: freedom === 0 ? null : {
      q,
      degrees_of_freedom: freedom,
      p: chiSquaredAbove(q, freedom),
      i_squared: q === 0 ? 0 : Math.max(0, 1 - freedom / q),
    },
    weights: { fixed: share(precise), random: share(wide) },
  };
}

function meanOf(estimates: number[], weights: number[], confidence: number) {
  const total = sum(weights);
  const estimate = sum(estimates.map((value, i) => weights[i]! / total * value));
  const error = 1 / Math.sqrt(total);
  const reach = normalQuantile(1 - (1 - confidence) / 2) * error;
  return {
    estimate,
    standard_error: error,
    statistic: estimate / error,
    p: normalTwoSided(estimate / error),
    low: estimate - reach,
    high: estimate + reach,
  };
}

function sum(values: number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
