/**
 * Linear models in which each site has an effect of its own, drawn from a normal distribution:
 * fitted from one triangle for each site, of its intercept, predictors and outcome. With the ratio
 * θ of the sites' variance to that of the residuals, a site's rows weigh as if its triangle's first
 * row, which holds the sums, were divided by √(1 + nθ); what remains is a search for the best θ.
 * @module
 */
import { inverse, solveTriangle, stackTriangles } from "../statistics/triangle.ts";

/** A site's rows. */
export interface SiteTriangle {
  n: number;
  /** Of the columns: ones, the predictors, the outcome. */
  triangle: number[][];
}

export const ESTIMATORS = ["reml", "ml"] as const;
export type Estimator = typeof ESTIMATORS[number];

export interface RandomFit {
  coefficients: number[];
  covariances: number[][];
  /** Of the residuals. */
  variance: number;
  /** Of the sites' effects. */
  siteVariance: number;
  logLikelihood: number;
  /** Without an effect of the sites. */
  nullLogLikelihood: number;
  /** Of the sites, as predicted. */
  effects: number[];
}

/** The ratios that are tried first, and no effect at all. */
const RATIOS = Array.from({ length: 121 }, (_, i) => 10 ** (-8 + i / 8));

/** Fits a model of so many coefficients, the intercept among them. */
export function fitRandomEffect(
  sites: SiteTriangle[],
  size: number,
  estimator: Estimator,
): RandomFit {
  const fit = (ratio: number) => fitAt(sites, { size, estimator, ratio });
  const none = fit(0);
  let best = none;
  let place = -1;
  for (const [i, ratio] of RATIOS.entries()) {
    const found = fit(ratio);
    if (!(found.logLikelihood > best.logLikelihood)) continue;
    [best, place] = [found, i];
  }
  if (place >= 0 || none.slope > 0) {
    // Halved until no number lies between: the best is where the slope changes its sign.
    let [low, high] = [RATIOS[place - 1] ?? 0, RATIOS[place + 1] ?? RATIOS.at(-1)!];
    for (let middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2) {
      if (fit(middle).slope > 0) low = middle;
      else high = middle;
    }
    best = fit(low);
  }
  return {
    coefficients: best.coefficients,
    covariances: best.covariances(),
    variance: best.variance,
    siteVariance: best.ratio * best.variance,
    logLikelihood: best.logLikelihood,
    nullLogLikelihood: none.logLikelihood,
    effects: sites.map(({ n }, i) => best.ratio * best.residuals[i]! / (1 + n * best.ratio)),
  };
}

function fitAt(
  sites: SiteTriangle[],
  { size, estimator, ratio }: { size: number; estimator: Estimator; ratio: number },
) {
  const weighed = sites.map(({ n, triangle }) => {
    const root = Math.sqrt(1 + n * ratio);
    return triangle.map((row, i) => i === 0 ? row.map((value) => value / root) : row);
  });
  const triangle = stackTriangles(weighed, size + 1);
  const coefficients = solveTriangle(triangle, triangle.slice(0, size).map((row) => row[size]!));
  const squares = triangle[size]![size]! ** 2;
  const rows = sites.reduce((sum, { n }) => sum + n, 0);
  const freedom = estimator === "reml" ? rows - size : rows;
  const variance = squares / freedom;
  // The sums of each site's residuals.
  const residuals = sites.map(({ triangle: [first] }) =>
    first![0]! * (first![size]! - coefficients.reduce((sum, one, j) => sum + one * first![j]!, 0))
  );
  let [determinant, slope] = [0, 0];
  for (const [i, { n }] of sites.entries()) {
    determinant += Math.log1p(n * ratio);
    slope += n / (1 + n * ratio) - (residuals[i]! / (1 + n * ratio)) ** 2 / variance;
  }
  const covariances = () => inverse(triangle, size).map((row) => row.map((one) => one * variance));
  if (estimator === "reml") {
    for (let i = 0; i < size; i++) determinant += 2 * Math.log(triangle[i]![i]!);
    const unscaled = inverse(triangle, size);
    for (const { n, triangle: [first] } of sites) {
      const sums = first!.slice(0, size).map((value) => first![0]! * value);
      const product = sums.reduce(
        (all, a, i) => all + a * sums.reduce((sum, b, j) => sum + b * unscaled[i]![j]!, 0),
        0,
      );
      slope -= product / (1 + n * ratio) ** 2;
    }
  }
  return {
    ratio,
    coefficients,
    covariances,
    variance,
    residuals,
    logLikelihood: -(freedom * (Math.log(2 * Math.PI * variance) + 1) + determinant) / 2,
    /** Of the likelihood, by the ratio; its sign is what counts. */
    slope: -slope / 2,
  };
}
