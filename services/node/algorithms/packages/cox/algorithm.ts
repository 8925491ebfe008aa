/**
 * Proportional hazards on the rows of all organizations. With a baseline by site, which is the
 * default, each gives the likelihood of its rows and its derivatives, and nothing by time.
 * @module
 */
import type { Context } from "sextant/api.ts";
import { readPairs } from "sextant/kernels/concordance.ts";
import { addCoxSums, type CoxFit, fitCox, readCoxSums } from "sextant/kernels/cox.ts";
import { readStart, scaleTerms, startMoments } from "sextant/kernels/design.ts";
import { type Start, type Term, termsOf } from "sextant/kernels/design.ts";
import { coverage } from "sextant/kernels/frame.ts";
import { agreeOnColumns, checkRoles, surveyPart } from "sextant/kernels/model_columns.ts";
import type { EventTimes, Ties } from "sextant/kernels/risk_sets.ts";
import { readCount, readFields, readList, readNumber } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";
import { chiSquaredAbove, normalQuantile } from "sextant/statistics/distributions.ts";
import { normalTwoSided } from "sextant/statistics/distributions.ts";
import { type Ask, pooledRiskSets, pooledSums, poolEventTimes, readEventTimes } from "./pooled.ts";
import type { Prepared } from "./rows.ts";

export { description } from "./description.ts";
export { partial_finish, partial_risk_sets, partial_start, partial_step } from "./rows.ts";
export { partial_weighted } from "./rows.ts";
export { surveyPart as partial_survey };

interface Central {
  time: string;
  event: string;
  predictors: string[];
  baseline: "site" | "pooled";
  strata?: string;
  ties: Ties;
  categories?: string[];
  reference: Record<string, unknown>;
  min_level_count: number;
  show_baseline: boolean;
  confidence: number;
  iterations: number;
  where?: string;
  organizations?: number[];
}

type CoxStart = Start & { events: number; eventTimes: EventTimes[] };

interface Baseline {
  /** Null for the baseline of all. */
  organization: number | null;
  /** The level of the strata; null if there are none. */
  stratum: string | null;
  curve: { time: number; cumulative_hazard: number; survival: number }[];
}

export async function central(context: Context, args: Central) {
  const { time, event, predictors, strata, ties, where } = args;
  checkRoles([time, event, ...predictors, strata]);
  const pooled = args.baseline === "pooled";
  const levels = strata ? [strata] : [];
  const sites = createSites(context, args.organizations);
  const { variables, notes } = await agreeOnColumns(sites, { ...args, numbers: [], levels });
  const terms = termsOf(variables.filter(({ name }) => name !== strata), args.reference);
  const ask: Ask = (method, kwargs, read) => sites.ask({ method, kwargs, read });
  const model: Prepared = { time, event, strata, ties, where, variables, terms };
  const strataLevels = variables.find(({ name }) => name === strata)?.levels;
  const count = strataLevels?.length ?? 1;
  const readPart = (part: unknown) => readCoxStart(part, pooled ? count : 0);
  const starts = await ask("partial_start", { ...model, pooled }, readPart);
  sites.settle();
  const prepared = { ...model, terms: scaleTerms(terms, starts, terms.length) };
  const events = starts.reduce((sum, { part }) => sum + part.events, 0);
  if (events === 0) throw new Error(`No row that the model uses has the event "${event}".`);
  const eventTimes = pooled
    ? poolEventTimes(starts.map(({ part }) => part.eventTimes), count, terms.length)
    : [];
  const fit = await fitCox({
    terms: prepared.terms,
    iterations: args.iterations,
    async at(coefficients) {
      if (pooled) return await pooledSums(ask, prepared, eventTimes, coefficients);
      const read = (part: unknown) => readCoxSums(part, terms.length);
      const parts = await ask("partial_step", { ...prepared, coefficients }, read);
      return addCoxSums(parts.map(({ part }) => part), terms.length);
    },
  });
  const means = terms.map(({ name }) => startMoments(starts, name).mean);
  const finish = pooled ? finishPooled : finishBySite;
  const ending: Ending = {
    ask,
    prepared,
    eventTimes,
    coefficients: fit.coefficients,
    show: args.show_baseline,
    strata: strataLevels,
    origin: prepared.terms.reduce(
      (sum, { centre, scale }, i) => sum + fit.coefficients[i]! * (means[i]! - centre) / scale,
      0,
    ),
  };
  return {
    ...show(args, prepared.terms, fit),
    ...await finish(ending),
    means: Object.fromEntries(terms.map(({ name }, i) => [name, means[i]!])),
    baseline: args.baseline,
    ties,
    events,
    ...coverage(starts),
    ...sites.withheld(),
    notes: [...notes, ...sites.notes()],
  };
}

function readCoxStart(value: unknown, strata: number): CoxStart {
  const { events, eventTimes } = readFields(value, {
    events: readCount,
    eventTimes: (one) => readList(one, readEventTimes, strata),
  });
  return { ...readStart(value), events, eventTimes };
}

/** What is asked for when the coefficients are known. */
interface Ending {
  ask: Ask;
  prepared: Prepared;
  eventTimes: EventTimes[];
  coefficients: number[];
  show: boolean;
  strata: string[] | undefined;
  /** What the means of the terms say: the baseline is that of a row that has them. */
  origin: number;
}

async function finishBySite({ ask, prepared, coefficients, show, strata, origin }: Ending) {
  const kwargs = { ...prepared, coefficients, origin, show_baseline: show };
  const parts = await ask("partial_finish", kwargs, (part) =>
    readFields(part, {
      pairs: readPairs,
      baselines: (one) => readList(one, readHazards, show ? strata?.length ?? 1 : 0),
    }));
  const sum = (name: "pairs" | "concordant" | "tied") =>
    parts.reduce((all, { part }) => all + part.pairs[name], 0);
  const baselines = parts.flatMap(({ organization, part }) =>
    part.baselines.flatMap((found, i): Baseline[] =>
      found.times.length === 0
        ? []
        : [{ organization, stratum: strata?.[i] ?? null, curve: curveOf(found) }]
    )
  );
  const all = sum("pairs");
  return {
    concordance: all === 0 ? null : (sum("concordant") + sum("tied") / 2) / all,
    baselines: show ? baselines : null,
  };
}

async function finishPooled(
  { ask, prepared, eventTimes, coefficients, show, strata, origin }: Ending,
) {
  const sets = show ? await pooledRiskSets(ask, prepared, eventTimes, coefficients) : undefined;
  const baselines = sets?.map(({ s0 }, i): Baseline => {
    const { times, events } = eventTimes[i]!;
    const hazards = events.map((count, k) => count / s0[k]! * Math.exp(origin));
    return { organization: null, stratum: strata?.[i] ?? null, curve: curveOf({ times, hazards }) };
  });
  return { concordance: null, baselines: baselines ?? null };
}

function readHazards(value: unknown) {
  const { times } = readFields(value, { times: (one) => readList(one, readNumber) });
  const { hazards } = readFields(value, {
    hazards: (one) => readList(one, readNumber, times.length),
  });
  return { times, hazards };
}

function curveOf({ times, hazards }: { times: number[]; hazards: number[] }) {
  let hazard = 0;
  return times.map((time, i) => {
    hazard += hazards[i]!;
    return { time, cumulative_hazard: hazard, survival: Math.exp(-hazard) };
  });
}

function show({ confidence }: Central, terms: Term[], fit: CoxFit) {
  const reach = normalQuantile(1 - (1 - confidence) / 2);
  const rows = terms.map(({ name, scale }, i) => {
    const estimate = fit.coefficients[i]! / scale;
    const error = Math.sqrt(fit.covariances[i]![i]!) / scale;
    const [low, high] = [estimate - reach * error, estimate + reach * error];
    const row = {
      estimate,
      standard_error: error,
      statistic: estimate / error,
      p: normalTwoSided(estimate / error),
      low,
      high,
      ratio: { estimate: Math.exp(estimate), low: Math.exp(low), high: Math.exp(high) },
    };
    return [name, row] as const;
  });
  const test = (statistic: number) => ({
    statistic,
    degrees_of_freedom: terms.length,
    p: chiSquaredAbove(statistic, terms.length),
  });
  return {
    coefficients: Object.fromEntries(rows),
    log_likelihood: fit.logLikelihood,
    null_log_likelihood: fit.nullLogLikelihood,
    aic: 2 * terms.length - 2 * fit.logLikelihood,
    likelihood_ratio: test(2 * (fit.logLikelihood - fit.nullLogLikelihood)),
    score_test: test(fit.score),
    iterations: fit.iterations,
  };
}
