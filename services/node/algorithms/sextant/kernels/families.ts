/**
 * The families of generalized linear models: how an outcome spreads about its mean, and how the
 * mean follows from the predictors.
 * @module
 */
import gammaln from "@stdlib/math-base-special-gammaln";

export const FAMILIES = ["gaussian", "binomial", "poisson", "gamma"] as const;
export const LINKS = ["identity", "logit", "log", "inverse"] as const;
export type FamilyName = typeof FAMILIES[number];
export type LinkName = typeof LINKS[number];

export interface Link {
  /** The sum of the predictors at a mean. */
  of(mean: number): number;
  /** The mean at a sum of the predictors. */
  mean(eta: number): number;
  /** The slope of `of`. */
  slope(mean: number): number;
}

export interface Family {
  /** The first is taken if none is asked for. */
  links: readonly LinkName[];
  /** The dispersion is estimated; else it is 1. */
  dispersed: boolean;
  /** What an outcome must be, in words. */
  outcomes: string;
  isOutcome(y: number): boolean;
  isMean(mean: number): boolean;
  variance(mean: number): number;
  /** The deviance of one row. */
  deviance(y: number, mean: number): number;
  /** What of one row the log-likelihood needs beside the deviance; summed. */
  likelihoodTerms(y: number, mean: number): [number, number];
  /** The log-likelihood, from sums over the rows and their number. */
  logLikelihood(sums: LikelihoodSums): number;
}

export interface LikelihoodSums {
  n: number;
  deviance: number;
  /** Sums of `likelihoodTerms`. */
  terms: [number, number];
  dispersion: number;
}

export const links: Readonly<Record<LinkName, Link>> = {
  identity: { of: (mean) => mean, mean: (eta) => eta, slope: () => 1 },
  logit: {
    of: (mean) => Math.log(mean / (1 - mean)),
    // Never 0 or 1 by rounding: where outcomes are separated the iteration must get so far as to
    // see it.
    mean: (eta) => {
      const mean = 1 / (1 + Math.exp(-eta));
      return Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, mean));
    },
    slope: (mean) => 1 / (mean * (1 - mean)),
  },
  log: { of: Math.log, mean: Math.exp, slope: (mean) => 1 / mean },
  inverse: { of: (mean) => 1 / mean, mean: (eta) => 1 / eta, slope: (mean) => -1 / mean ** 2 },
};

const isPositive = (value: number) => value > 0 && Number.isFinite(value);
/** y log(y / mean), which is 0 at 0. */
const surprise = (y: number, mean: number) => y === 0 ? 0 : y * Math.log(y / mean);

export const families: Readonly<Record<FamilyName, Family>> = {
  gaussian: {
    links: ["identity", "log", "inverse"],
    dispersed: true,
    outcomes: "numbers",
    isOutcome: Number.isFinite,
    isMean: Number.isFinite,
    variance: () => 1,
    deviance: (y, mean) => (y - mean) ** 2,
    likelihoodTerms: () => [0, 0],
    logLikelihood: ({ n, deviance }) => -n / 2 * (Math.log(2 * Math.PI * deviance / n) + 1),
  },
  binomial: {
    links: ["logit"],
    dispersed: false,
    outcomes: "0 and 1, or two levels",
    isOutcome: (y) => y === 0 || y === 1,
    isMean: (mean) => mean > 0 && mean < 1,
    variance: (mean) => mean * (1 - mean),
    deviance: (y, mean) => 2 * (surprise(y, mean) + surprise(1 - y, 1 - mean)),
    likelihoodTerms: () => [0, 0],
    logLikelihood: ({ deviance }) => -deviance / 2,
  },
  poisson: {
    links: ["log"],
    dispersed: false,
    outcomes: "counts, none of them negative",
    isOutcome: (y) => y >= 0,
    isMean: isPositive,
    variance: (mean) => mean,
    deviance: (y, mean) => 2 * (surprise(y, mean) - (y - mean)),
    likelihoodTerms: (y, mean) => [y * Math.log(mean) - mean - gammaln(y + 1), 0],
    logLikelihood: ({ terms }) => terms[0],
  },
  gamma: {
    links: ["log", "inverse", "identity"],
    dispersed: true,
    outcomes: "numbers above 0",
    isOutcome: (y) => y > 0,
    isMean: isPositive,
    variance: (mean) => mean ** 2,
    deviance: (y, mean) => 2 * ((y - mean) / mean - Math.log(y / mean)),
    likelihoodTerms: (y, mean) => [y / mean, Math.log(y)],
    logLikelihood({ n, deviance, terms: [ratios, logs], dispersion }) {
      // From the deviance: the sum of log(y / mean).
      const logRatios = ratios - n - deviance / 2;
      const shape = 1 / dispersion;
      return shape * (logRatios - ratios) + n * (shape * Math.log(shape) - gammaln(shape)) - logs;
    },
  },
};
