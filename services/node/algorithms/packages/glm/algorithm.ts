/**
 * Generalized linear models on the rows of all organizations. What leaves a site is, at each
 * iteration, the triangle of its weighted rows and a few sums.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import {
  commonLevels,
  readStart,
  requireModel,
  scaleTerms,
  startMoments,
  startOf,
  type Term,
  termColumn,
  termsOf,
  unscale,
  usedByModel,
} from "sextant/kernels/design.ts";
import { families, type FamilyName, type LinkName, links } from "sextant/kernels/families.ts";
import { completeRows, coverage, type Frame } from "sextant/kernels/frame.ts";
import { checkOutcomes, fitGlm, type GlmFit, type GlmRows } from "sextant/kernels/irls.ts";
import { glmStep, readGlmStep } from "sextant/kernels/irls.ts";
import { surveyPart } from "sextant/kernels/model_columns.ts";
import { agreeOn, levelNotes, readSurvey } from "sextant/kernels/survey.ts";
import type { Variable } from "sextant/kernels/survey.ts";
import { createSites, type Sites } from "sextant/sites.ts";
import { normalQuantile, normalTwoSided } from "sextant/statistics/distributions.ts";
import { tQuantile, tTwoSided } from "sextant/statistics/distributions.ts";
import type { Rows } from "sextant/where.ts";

export { description } from "./description.ts";
export { surveyPart as partial_survey };

interface Model {
  outcome: string;
  predictors: string[];
  family: FamilyName;
  link?: LinkName | undefined;
  offset?: string | undefined;
  weights?: string | undefined;
  where?: string | undefined;
}

interface Central extends Model {
  categories?: string[];
  reference: Record<string, unknown>;
  min_level_count: number;
  confidence: number;
  iterations: number;
  organizations?: number[];
}

/** What is agreed before the first iteration. */
interface Prepared extends Model {
  variables: Variable[];
  terms: Term[];
}

export async function central(context: Context, args: Central) {
  checkRoles(args);
  const { family } = args;
  const link = args.link ?? families[family].links[0]!;
  if (!families[family].links.includes(link)) {
    throw new TypeError(
      `The argument "link" of a ${family} model must be one of ${
        families[family].links.join(", ")
      }.`,
    );
  }
  const { outcome, predictors, offset, weights, where } = args;
  const model: Model = { outcome, predictors, family, link, offset, weights, where };
  const sites = createSites(context, args.organizations);
  const { variables, notes } = await survey(sites, args);
  const terms = termsOf(variables.filter(({ name }) => predictors.includes(name)), args.reference);
  const ask = <T>(method: string, kwargs: Prepared, read: (part: unknown) => T) =>
    sites.ask({ method, kwargs: { ...kwargs }, read });
  const starts = await ask("partial_start", { ...model, variables, terms }, readStart);
  sites.settle();
  const prepared: Prepared = { ...model, variables, terms: scaleTerms(terms, starts) };

  const fit = async (terms: Term[], intercept: number) =>
    await fitGlm({
      family,
      link,
      terms,
      intercept,
      iterations: args.iterations,
      async step(coefficients) {
        const kwargs = { ...prepared, terms, coefficients };
        const read = (part: unknown) => readGlmStep(part, terms.length + 1);
        return (await ask("partial_step", kwargs, read)).map(({ part }) => part);
      },
    });
  const { mean, squares } = startMoments(starts, ":" + outcome);
  if (squares === 0) throw new Error(`The outcome "${outcome}" has the same value in all rows.`);
  let intercept = links[link].of(mean);
  // With an offset or weights, the best intercept alone has to be looked for.
  if (offset) intercept -= startMoments(starts, ":" + offset).mean;
  const alone = offset || weights ? await fit([], intercept) : undefined;
  intercept = alone?.coefficients[0] ?? intercept;
  const found = await fit(prepared.terms, intercept);
  return {
    ...show(args, link, prepared.terms, found),
    ...coverage(starts),
    ...sites.withheld(),
    notes: [...notes, ...sites.notes()],
  };
}

/** Returns this organization's rows and their moments. */
export function partial_start(context: Context, args: Prepared) {
  return answer(context, args.where, (table) => {
    const { frame } = modelRows(table, args);
    checkOutcomes(args.outcome, frame.column(args.outcome), args.family);
    if (args.weights && frame.column(args.weights).some((weight) => !(weight > 0))) {
      throw new TypeError(`The weights in "${args.weights}" must be above 0.`);
    }
    return startOf(frame, args.terms, [args.outcome, ...args.offset ? [args.offset] : []]);
  });
}

/** Returns this organization's part of an iteration. */
export function partial_step(context: Context, args: Prepared & { coefficients: number[] }) {
  return answer(context, args.where, (table) => {
    const { frame, columns } = modelRows(table, args);
    const step = glmStep(rowsOf(frame, columns, args), args.coefficients, frame.site);
    return frame.site ? { ...usedByModel(frame, args.terms.length + 1), ...step } : step;
  });
}

/**
 * The rows that the model uses, and the columns of its predictors; under rules, refuses such as
 * would show a few of them.
 */
function modelRows(
  table: Rows,
  { variables, terms, outcome, offset, weights }: Prepared,
): { frame: Frame; columns: Float64Array[] } {
  const frame = completeRows(table, variables, {}, [outcome]);
  const columns = terms.map((term) => termColumn(frame, term));
  const others = [outcome, offset, weights].filter((name) => name !== undefined);
  const all = [...columns, ...others.map((name) => frame.column(name))];
  requireModel(frame, all, terms.length + 1);
  return { frame, columns };
}

function rowsOf(
  frame: Frame,
  columns: Float64Array[],
  { family, link, outcome, offset, weights }: Prepared,
): GlmRows {
  return {
    family,
    link: link!,
    columns,
    outcome: frame.column(outcome),
    offset: offset ? frame.column(offset) : undefined,
    weights: weights ? frame.column(weights) : undefined,
  };
}

function checkRoles({ outcome, predictors, offset, weights, categories = [] }: Central) {
  const names = [outcome, ...predictors, offset, weights].filter((name) => name !== undefined);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new TypeError(`The column "${twice}" stands for two things in this model.`);
  const stray = categories.find((name) => !predictors.includes(name));
  if (stray) throw new TypeError(`"categories" names "${stray}", which is no predictor.`);
}

/** Asks what the columns are, and agrees on the levels. */
async function survey(sites: Sites, args: Central) {
  const { outcome, predictors, offset, weights, categories = [], where } = args;
  const columns = [outcome, ...predictors, offset, weights].filter((name) => name !== undefined);
  const parts = await sites.ask({
    method: "partial_survey",
    kwargs: { columns, categories, where },
    read: readSurvey,
  });
  const notes: string[] = [];
  const variables = columns.map((name) => {
    const agreed = agreeOn(name, parts);
    const isPredictor = predictors.includes(name);
    const found = commonLevels(agreed, isPredictor ? args.min_level_count : 1);
    notes.push(...found.notes, ...isPredictor ? levelNotes(found.variable, parts) : []);
    const { levels } = found.variable;
    if (isPredictor || !levels) return found.variable;
    if (name !== outcome || args.family !== "binomial") {
      throw new TypeError(
        `The column "${name}" must hold numbers in this model, and holds levels.`,
      );
    }
    if (levels.length !== 2) {
      throw new TypeError(`The outcome "${name}" must have two levels, and has ${levels.length}.`);
    }
    notes.push(`The model is of the outcome "${levels[1]}" against "${levels[0]}".`);
    return found.variable;
  });
  return { variables, notes };
}

function show({ family, confidence }: Central, link: LinkName, terms: Term[], fit: GlmFit) {
  const { coefficients, covariances } = unscale(terms, fit.coefficients, fit.covariances);
  const { dispersed } = families[family];
  const above = 1 - (1 - confidence) / 2;
  const reach = dispersed ? tQuantile(above, fit.freedom) : normalQuantile(above);
  const rows = ["intercept", ...terms.map(({ name }) => name)].map((name, i) => {
    const estimate = coefficients[i]!;
    const error = Math.sqrt(covariances[i]![i]!);
    const statistic = estimate / error;
    const [low, high] = [estimate - reach * error, estimate + reach * error];
    return [name, {
      estimate,
      standard_error: error,
      statistic,
      p: dispersed ? tTwoSided(statistic, fit.freedom) : normalTwoSided(statistic),
      low,
      high,
      ratio: link === "log" || link === "logit"
        ? { estimate: Math.exp(estimate), low: Math.exp(low), high: Math.exp(high) }
        : null,
    }];
  });
  return {
    coefficients: Object.fromEntries(rows),
    family,
    link,
    deviance: fit.deviance,
    null_deviance: fit.nullDeviance,
    pearson_chi2: fit.pearson,
    dispersion: fit.dispersion,
    degrees_of_freedom: fit.freedom,
    log_likelihood: fit.logLikelihood,
    aic: 2 * coefficients.length - 2 * fit.logLikelihood,
    iterations: fit.iterations,
  };
}
