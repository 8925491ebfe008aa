/**
 * A linear model with a random effect of each organization, from one triangle of sums of products
 * of each.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { readStart, scaleTerms, startMoments, startOf, type Term } from "sextant/kernels/design.ts";
import { requireModel, termColumn, termsOf, unscale, usedByModel } from "sextant/kernels/design.ts";
import { completeRows, coverage, type Frame } from "sextant/kernels/frame.ts";
import { agreeOnColumns, checkRoles, surveyPart } from "sextant/kernels/model_columns.ts";
import { type Estimator, fitRandomEffect, type RandomFit } from "sextant/kernels/random_effect.ts";
import type { SiteTriangle } from "sextant/kernels/random_effect.ts";
import type { Variable } from "sextant/kernels/survey.ts";
import { readCount, readFields, readSquare } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";
import { chiSquaredAbove, normalQuantile } from "sextant/statistics/distributions.ts";
import { normalTwoSided } from "sextant/statistics/distributions.ts";
import { createTriangle, dependentColumn, stackTriangles } from "sextant/statistics/triangle.ts";
import type { Rows } from "sextant/where.ts";

export { description } from "./description.ts";
export { surveyPart as partial_survey };

/** One predictor of whose length the others leave no more than this follows from them. */
const TOLERANCE = 1e-7;

interface Prepared {
  outcome: string;
  variables: Variable[];
  terms: Term[];
  where?: string | undefined;
}

interface Central {
  outcome: string;
  predictors: string[];
  estimator: Estimator;
  categories?: string[];
  reference: Record<string, unknown>;
  min_level_count: number;
  confidence: number;
  where?: string;
  organizations?: number[];
}

export async function central(context: Context, args: Central) {
  const { outcome, predictors, estimator, where } = args;
  checkRoles([outcome, ...predictors]);
  const sites = createSites(context, args.organizations);
  const { variables, notes } = await agreeOnColumns(sites, { ...args, numbers: [outcome] });
  const plain = termsOf(variables.filter(({ name }) => name !== outcome), args.reference);
  const starts = await sites.ask({
    method: "partial_start",
    kwargs: { outcome, variables, terms: plain, where },
    read: readStart,
  });
  sites.settle();
  const terms = scaleTerms(plain, starts);
  const { mean: centre, squares } = startMoments(starts, ":" + outcome);
  if (squares === 0) throw new Error(`The outcome "${outcome}" has the same value in all rows.`);
  if (starts.filter(({ part }) => part.n > 0).length < 2) {
    throw new Error("Fewer than two organizations have complete rows: their effects cannot vary.");
  }
  const size = terms.length + 1;
  const parts = await sites.ask({
    method: "partial_sums",
    kwargs: { outcome, variables, terms, where, centre },
    read: (part) =>
      readFields<SiteTriangle>(part, {
        n: readCount,
        triangle: (one) => readSquare(one, size + 1),
      }),
  });
  const filled = parts.filter(({ part }) => part.n > 0).map(({ organization, part }) => {
    // The rows as the triangle has them; their number may be rounded by a site's rules.
    const [[first]] = part.triangle as [[number]];
    return { organization, part: { ...part, n: Math.round(first ** 2) } };
  });
  throwIfDependent(terms, filled.map(({ part }) => part));
  const fit = fitRandomEffect(filled.map(({ part }) => part), size, estimator);
  if (fit.siteVariance === 0) {
    notes.push("The organizations differ no more than by chance: their variance is 0.");
  }
  return {
    ...show(args, { terms, centre, fit: unscaledLikelihood(terms, fit, estimator) }),
    site_effects: filled.map(({ organization }, i) => ({ organization, effect: fit.effects[i]! })),
    estimator,
    ...coverage(starts),
    ...sites.withheld(),
    notes: [...notes, ...sites.notes()],
  };
}

/** Returns this organization's rows and their moments. */
export function partial_start(context: Context, args: Prepared) {
  const { outcome, terms, where } = args;
  return answer(context, where, (table) => startOf(frameOf(table, args), terms, [outcome]));
}

/** The rows that the model uses; under rules, refuses such as would show a few of them. */
function frameOf(table: Rows, { outcome, variables, terms }: Prepared): Frame {
  const frame = completeRows(table, variables, {}, [outcome]);
  const columns = terms.map((term) => termColumn(frame, term));
  requireModel(frame, [...columns, frame.column(outcome)], terms.length + 1);
  return frame;
}

/** Returns the triangle of this organization's rows. */
export function partial_sums(
  context: Context,
  args: Prepared & { centre: number },
): SiteTriangle {
  return answer(context, args.where, (table) => {
    const { outcome, terms, centre } = args;
    const frame = frameOf(table, args);
    const columns = terms.map((term) => termColumn(frame, term));
    const values = frame.column(outcome);
    const size = terms.length + 2;
    const triangle = createTriangle(size);
    const row = new Float64Array(size).fill(1);
    for (let i = 0; i < frame.n; i++) {
      for (let j = 0; j < columns.length; j++) row[j + 1] = columns[j]![i]!;
      row[size - 1] = values[i]! - centre;
      triangle.add(row);
    }
    return { ...usedByModel(frame, terms.length + 1), triangle: triangle.finish() };
  });
}

function throwIfDependent(terms: Term[], sites: SiteTriangle[]) {
  const size = terms.length + 1;
  const all = stackTriangles(sites.map(({ triangle }) => triangle), size + 1);
  const column = dependentColumn(all, size, TOLERANCE);
  if (column !== undefined) {
    const before = terms.slice(0, column - 1).map(({ name }) => `"${name}"`).join(", ");
    throw new Error(
      `The model has no single solution: the predictor "${terms[column - 1]!.name}" follows from ` +
        `${before || "the intercept"}.`,
    );
  }
  // Of the outcome, too, something must be left.
  if (dependentColumn(all, size + 1, TOLERANCE) === undefined) return;
  throw new Error("The predictors tell the outcome exactly: nothing is left that could vary.");
}

/** The restricted likelihood depends on the units of the predictors: this is that of their own. */
function unscaledLikelihood(terms: Term[], fit: RandomFit, estimator: Estimator): RandomFit {
  if (estimator === "ml") return fit;
  const shift = terms.reduce((sum, { scale }) => sum + Math.log(scale), 0);
  return {
    ...fit,
    logLikelihood: fit.logLikelihood - shift,
    nullLogLikelihood: fit.nullLogLikelihood - shift,
  };
}

function show(
  { confidence }: Central,
  { terms, centre, fit }: { terms: Term[]; centre: number; fit: RandomFit },
) {
  const { coefficients, covariances } = unscale(terms, fit.coefficients, fit.covariances);
  coefficients[0]! += centre;
  const reach = normalQuantile(1 - (1 - confidence) / 2);
  const rows = ["intercept", ...terms.map(({ name }) => name)].map((name, i) => {
    const estimate = coefficients[i]!;
    const error = Math.sqrt(covariances[i]![i]!);
    const row = {
      estimate,
      standard_error: error,
      statistic: estimate / error,
      p: normalTwoSided(estimate / error),
      low: estimate - reach * error,
      high: estimate + reach * error,
    };
    return [name, row] as const;
  });
  const statistic = Math.max(0, 2 * (fit.logLikelihood - fit.nullLogLikelihood));
  return {
    coefficients: Object.fromEntries(rows),
    residual_variance: fit.variance,
    site_variance: fit.siteVariance,
    icc: fit.siteVariance / (fit.siteVariance + fit.variance),
    log_likelihood: fit.logLikelihood,
    site_effect_test: { statistic, p: statistic === 0 ? 1 : chiSquaredAbove(statistic, 1) / 2 },
  };
}
