/**
 * A model fitted on the rows of one organization by itself.
 * @module
 */
import { fitCox, siteSums } from "sextant/kernels/cox.ts";
import { scaleTerms, startMoments, startOf, type Term } from "sextant/kernels/design.ts";
import { termColumn, unscale } from "sextant/kernels/design.ts";
import { type FamilyName, type LinkName, links } from "sextant/kernels/families.ts";
import type { Frame } from "sextant/kernels/frame.ts";
import { checkOutcomes, fitGlm, glmStep } from "sextant/kernels/irls.ts";
import { checkTimes } from "sextant/kernels/life_table.ts";
import { requireSpreadHazards } from "sextant/kernels/predictions.ts";
import { orderRows, type SurvivalRows, type Ties } from "sextant/kernels/risk_sets.ts";
import type { Study } from "sextant/statistics/meta.ts";

/** What is fitted; a generalized linear model has an outcome, Cox's a time and an event. */
export interface Model {
  model: FamilyName | "cox";
  link?: LinkName | undefined;
  outcome?: string | undefined;
  offset?: string | undefined;
  weights?: string | undefined;
  time?: string | undefined;
  event?: string | undefined;
  ties: Ties;
  iterations: number;
}

export type Estimates = Record<string, Study>;

/** The estimates by term; throws if the rows do not carry the model. */
export async function fitHere(frame: Frame, model: Model, terms: Term[]): Promise<Estimates> {
  const estimates = model.model === "cox"
    ? await fitCoxHere(frame, model, terms)
    : await fitGlmHere(frame, { ...model, family: model.model }, terms);
  for (const [name, { estimate, standard_error }] of Object.entries(estimates)) {
    if (Number.isFinite(estimate) && standard_error > 0 && standard_error < Infinity) continue;
    throw new Error(`The coefficient of "${name}" has no standard error.`);
  }
  return estimates;
}

/**
 * The terms that vary here: a level without rows here has no coefficient, and needs none. Those
 * that are the same in all rows, and not 0, are `within` the intercept, which is then no other
 * site's.
 */
function varyingTerms(frame: Frame, terms: Term[], others: string[]) {
  const starts = [{ organization: 0, part: startOf(frame, terms, others) }];
  const varying = terms.filter(({ name }) => startMoments(starts, name).squares > 0);
  const within = terms.some((term) =>
    !varying.includes(term) && startMoments(starts, term.name).mean !== 0
  );
  return { starts, varying, within };
}

async function fitGlmHere(
  frame: Frame,
  { family, ...model }: Model & { family: FamilyName },
  all: Term[],
): Promise<Estimates> {
  const { outcome, offset, weights, link } = model;
  checkOutcomes(outcome!, frame.column(outcome!), family);
  if (weights && frame.column(weights).some((weight) => !(weight > 0))) {
    throw new TypeError(`The weights in "${weights}" must be above 0.`);
  }
  const { starts, varying, within } = varyingTerms(frame, all, [
    outcome!,
    ...offset ? [offset] : [],
  ]);
  const terms = scaleTerms(varying, starts);
  const { mean, squares } = startMoments(starts, ":" + outcome);
  if (squares === 0) throw new Error(`The outcome "${outcome}" has the same value in all rows.`);
  const rows = {
    family,
    link: link!,
    columns: terms.map((term) => termColumn(frame, term)),
    outcome: frame.column(outcome!),
    offset: offset ? frame.column(offset) : undefined,
    weights: weights ? frame.column(weights) : undefined,
  };
  const fit = await fitGlm({
    family,
    link: link!,
    terms,
    intercept: links[link!].of(mean) - (offset ? startMoments(starts, ":" + offset).mean : 0),
    iterations: model.iterations,
    step: (coefficients) => Promise.resolve([glmStep(rows, coefficients)]),
  });
  // Of the steps on the way nothing leaves.
  if (frame.site) glmStep(rows, fit.coefficients, frame.site);
  const { coefficients, covariances } = unscale(terms, fit.coefficients, fit.covariances);
  const estimates = ["intercept", ...terms.map(({ name }) => name)].map((name, i) =>
    [name, {
      estimate: coefficients[i]!,
      standard_error: Math.sqrt(covariances[i]![i]!),
    }] as const
  );
  return Object.fromEntries(within ? estimates.slice(1) : estimates);
}

async function fitCoxHere(frame: Frame, model: Model, all: Term[]): Promise<Estimates> {
  const { time, event, ties, iterations } = model;
  const times = frame.column(time!);
  checkTimes(time!, times);
  if (!frame.column(event!).includes(1)) throw new Error(`No row has the event "${event}".`);
  const { starts, varying } = varyingTerms(frame, all, []);
  if (varying.length === 0) throw new Error("Each predictor has the same value in all rows.");
  const terms = scaleTerms(varying, starts, varying.length);
  const rows: SurvivalRows = {
    times,
    events: frame.column(event!),
    columns: terms.map((term) => termColumn(frame, term)),
    strata: orderRows(times, undefined, 1),
  };
  const fit = await fitCox({
    terms,
    iterations,
    at: (coefficients) => Promise.resolve(siteSums(rows, coefficients, ties)),
  });
  requireSpreadHazards(frame.site, rows.columns, fit.coefficients);
  return Object.fromEntries(terms.map(({ name, scale }, i) => [name, {
    estimate: fit.coefficients[i]! / scale,
    standard_error: Math.sqrt(fit.covariances[i]![i]!) / scale,
  }]));
}
