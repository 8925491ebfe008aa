/**
 * Study-level meta-analysis: each organization fits the model by itself, and only its estimates and
 * their standard errors leave it.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { PartWithheld } from "sextant/disclosure.ts";
import { requireModel, type Term, termColumn, termsOf } from "sextant/kernels/design.ts";
import { families, type LinkName } from "sextant/kernels/families.ts";
import { completeRows, coverage, readLeftOut } from "sextant/kernels/frame.ts";
import { type Frame, type Used, usedRows } from "sextant/kernels/frame.ts";
import { agreeOnColumns, checkRoles, surveyPart } from "sextant/kernels/model_columns.ts";
import { truthsOf } from "sextant/columns.ts";
import { type Variable } from "sextant/kernels/survey.ts";
import { type Part, PartError, readCount, readFields } from "sextant/parts.ts";
import { readNumber, readRecord, readText } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";
import { combineStudies, type Study } from "sextant/statistics/meta.ts";
import { type Estimates, fitHere, type Model } from "./fit_here.ts";

export { description } from "./description.ts";
export { surveyPart as partial_survey };

interface Central extends Model {
  predictors: string[];
  categories?: string[];
  reference: Record<string, unknown>;
  min_level_count: number;
  confidence: number;
  where?: string;
  organizations?: number[];
}

interface FitPart extends Used {
  estimates: Estimates;
  /** A sentence, where there are no estimates. */
  problem: string | null;
}

export async function central(context: Context, args: Central) {
  const model = modelOf(args);
  const { predictors, where, confidence } = args;
  const { outcome, offset, weights, time } = model;
  const binary = outcome && model.model === "binomial" ? [outcome] : [];
  const numbers = [...binary.length === 0 ? [outcome] : [], offset, weights, time]
    .filter((name) => name !== undefined);
  const sites = createSites(context, args.organizations);
  const { variables, notes } = await agreeOnColumns(sites, { ...args, numbers, binary });
  const terms = termsOf(variables.filter(({ name }) => predictors.includes(name)), args.reference);
  const parts = await sites.ask({
    method: "partial_fit",
    kwargs: { ...model, where, variables, terms },
    read: readPart,
  });
  const fitted = parts.filter(({ part }) => part.problem === null);
  const excluded = parts.flatMap(({ organization, part: { n, problem } }) =>
    problem === null ? [] : [{ organization, n, problem }]
  );
  if (fitted.length === 0) {
    const { organization, problem } = excluded[0]!;
    throw new Error(
      `No organization could fit the model; organization ${organization} says: ${problem}`,
    );
  }
  const names = [...model.model === "cox" ? [] : ["intercept"], ...terms.map(({ name }) => name)];
  const ratio = model.model === "cox" || model.link === "log" || model.link === "logit";
  const found = names.map((name) =>
    [name, combineTerm(fitted, { name, ratio, confidence })] as const
  );
  for (const [name, term] of found) {
    if (term === null) notes.push(`No organization could estimate "${name}".`);
  }
  return {
    terms: Object.fromEntries(found),
    excluded,
    model: model.model,
    ...coverage(fitted),
    ...sites.withheld(),
    notes: [...notes, ...sites.notes()],
  };
}

/** Combines estimates that are known already. */
export function combine(
  _context: Context,
  { studies, confidence }: { studies: unknown[]; confidence: number },
) {
  if (studies.length === 0) throw new TypeError('The argument "studies" must not be empty.');
  return showCombined(
    studies.map((one, i) => ({ study: i + 1, ...checkStudy(one, i + 1) })),
    { confidence, ratio: false },
  );
}

/** Returns this organization's estimates. */
export function partial_fit(
  context: Context,
  args: Model & { where?: string; variables: Variable[]; terms: Term[] },
): Promise<FitPart> {
  return answer(context, args.where, async (table): Promise<FitPart> => {
    const { variables, terms, outcome, event } = args;
    const events = event ? { [event]: truthsOf(table, event) } : {};
    const frame = completeRows(table, variables, events, outcome ? [outcome] : []);
    requireModel(frame, columnsOf(frame, args), terms.length + (event ? 0 : 1));
    const part = usedRows(frame);
    try {
      return { ...part, estimates: await fitHere(frame, args, terms), problem: null };
    } catch (error) {
      // A column that is not what it must be is for the researcher to mend; rows that do not carry
      // the model are a fact of this site.
      if (!(error instanceof Error) || error instanceof TypeError) throw error;
      if (error instanceof PartWithheld) throw error;
      // The words may tell how many rows there are of something; but where there are none at all.
      const problem = frame.site && table.length > 0 ? NO_MODEL : error.message;
      return { ...part, estimates: {}, problem };
    }
  });
}

/** What a site with rules says in place of why. */
const NO_MODEL = "The rows here do not carry the model.";

function columnsOf(frame: Frame, model: Model & { terms: Term[] }): Float64Array[] {
  const { terms, outcome, offset, weights, event } = model;
  const others = [outcome, offset, weights, event].filter((name) => name !== undefined);
  return [
    ...terms.map((term) => termColumn(frame, term)),
    ...others.map((name) => frame.column(name)),
  ];
}

/** The model with what it needs, and nothing that it has no use for. */
function modelOf(args: Central): Model & { link?: LinkName | undefined } {
  const { model, outcome, offset, weights, time, event, ties, iterations } = args;
  const needed = model === "cox" ? { time, event } : { outcome };
  const other = model === "cox" ? { outcome, offset, weights, link: args.link } : { time, event };
  for (const [name, value] of Object.entries(needed)) {
    if (value === undefined) throw new TypeError(`A ${model} model needs the argument "${name}".`);
  }
  for (const [name, value] of Object.entries(other)) {
    if (value !== undefined) throw new TypeError(`A ${model} model has no argument "${name}".`);
  }
  checkRoles([outcome, ...args.predictors, offset, weights, time, event]);
  if (model === "cox") return { model, time, event, ties, iterations };
  const link = args.link ?? families[model].links[0]!;
  if (families[model].links.includes(link)) {
    return { model, link, outcome, offset, weights, ties, iterations };
  }
  const known = families[model].links.join(", ");
  throw new TypeError(`The argument "link" of a ${model} model must be one of ${known}.`);
}

function combineTerm(
  parts: Part<FitPart>[],
  { name, ratio, confidence }: { name: string; ratio: boolean; confidence: number },
) {
  const studies = parts.flatMap(({ organization, part: { estimates } }) => {
    const found = Object.hasOwn(estimates, name) ? estimates[name] : undefined;
    return found ? [{ organization, ...found }] : [];
  });
  return studies.length === 0 ? null : showCombined(studies, { confidence, ratio });
}

function showCombined<S extends Study>(
  studies: S[],
  { confidence, ratio }: { confidence: number; ratio: boolean },
) {
  const { weights, fixed, random, ...rest } = combineStudies(studies, confidence);
  const withRatio = (mean: typeof fixed) => ({
    ...mean,
    ratio: ratio
      ? {
        estimate: Math.exp(mean.estimate),
        low: Math.exp(mean.low),
        high: Math.exp(mean.high),
      }
      : null,
  });
  return {
    fixed: withRatio(fixed),
    random: withRatio(random),
    ...rest,
    studies: studies.map((study, i) => ({
      ...study,
      weight_fixed: weights.fixed[i]!,
      weight_random: weights.random[i]!,
    })),
  };
}

function checkStudy(value: unknown, place: number): Study {
  const { estimate, standard_error } = (value ?? {}) as Partial<Record<keyof Study, unknown>>;
  const good = typeof estimate === "number" && Number.isFinite(estimate) &&
    typeof standard_error === "number" && standard_error > 0 && standard_error < Infinity;
  if (good) return { estimate, standard_error };
  throw new TypeError(
    `Study ${place} of "studies" must have a number "estimate" and a "standard_error" above 0.`,
  );
}

function readPart(value: unknown): FitPart {
  return readFields<FitPart>(value, {
    n: readCount,
    leftOut: readLeftOut,
    estimates: (one) =>
      readRecord(
        one,
        (study) => readFields<Study>(study, { estimate: readNumber, standard_error: readPositive }),
      ),
    problem: (one) => one === null ? null : readText(one),
  });
}

function readPositive(value: unknown): number {
  const found = readNumber(value);
  if (found > 0) return found;
  throw new PartError("a standard error is not above 0");
}
