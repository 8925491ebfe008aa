/**
 * What one organization is asked for.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { PartWithheld, rulesOfRows } from "sextant/disclosure.ts";
import type { SiteRules } from "sextant/disclosure.ts";
import { intervalsOf, roundedUp, roundest } from "sextant/kernels/coarse.ts";
import { pairsOf } from "sextant/kernels/concordance.ts";
import { type CoxSums, siteSums } from "sextant/kernels/cox.ts";
import { requireModel, type Start, startOf, usedByModel } from "sextant/kernels/design.ts";
import { type Term, termColumn } from "sextant/kernels/design.ts";
import { completeRows, type Frame } from "sextant/kernels/frame.ts";
import { checkTimes } from "sextant/kernels/life_table.ts";
import { requireSpreadHazards } from "sextant/kernels/predictions.ts";
import { type EventTimes, eventTimesOf, orderRows, predict } from "sextant/kernels/risk_sets.ts";
import { sortRows } from "sextant/kernels/risk_sets.ts";
import { type RiskSets, riskSetsOf, smallestStep, sumRows } from "sextant/kernels/risk_sets.ts";
import type { SurvivalRows, Ties } from "sextant/kernels/risk_sets.ts";
import { truthsOf } from "sextant/columns.ts";
import { type Variable } from "sextant/kernels/survey.ts";
import type { Rows } from "sextant/where.ts";

export interface Prepared {
  time: string;
  event: string;
  strata?: string | undefined;
  ties: Ties;
  where?: string | undefined;
  variables: Variable[];
  terms: Term[];
}

type At = Prepared & { coefficients: number[] };

/** This organization's rows, and its moments. */
export function partial_start(
  context: Context,
  args: Prepared & { pooled: boolean },
): Start & { events: number; eventTimes: EventTimes[] } {
  if (args.pooled && context.settings.pooled_baseline === false) {
    throw new Error(
      "The owner of this node lets no sums by event time leave, which a pooled baseline needs: " +
        "take the baseline by site.",
    );
  }
  return answer(context, args.where, (table) => {
    const { frame, rows } = read(table, args);
    checkTimes(args.time, rows.times);
    if (args.pooled) refuseByTime(table);
    return {
      ...startOf(frame, args.terms, [], args.terms.length),
      events: rows.events.reduce((sum, one) => sum + one, 0),
      eventTimes: args.pooled ? rows.strata.map((stratum) => eventTimesOf(rows, stratum)) : [],
    };
  });
}

/**
 * Under rules nothing leaves by event time: the sums at two times may differ by a single row, and
 * no coarser times would be those of all organizations.
 */
function refuseByTime({ site }: Rows) {
  if (site) throw new PartWithheld("min_cell");
}

/** The likelihood here and its derivatives, each stratum with a baseline of its own. */
export function partial_step(context: Context, args: At): CoxSums & { n: number } {
  return answer(context, args.where, (table) => {
    const { frame, rows, columns } = read(table, args);
    requireSpreadHazards(frame.site, columns, args.coefficients);
    return { ...usedIn(frame, args), ...siteSums(rows, args.coefficients, args.ties) };
  });
}

/** Rows, and under rules the persons that they are of. */
function usedIn(frame: Frame, { terms }: Prepared): { n: number } {
  return frame.site ? usedByModel(frame, terms.length) : { n: frame.n };
}

export interface RiskSetLists {
  s0: number[];
  s1: number[];
  d0: number[];
  d1: number[];
}

/**
 * The sums over those at risk here, at the event times of all organizations; null for a stratum
 * without rows, and for all where a hazard is too large to be a number.
 */
export function partial_risk_sets(
  context: Context,
  args: At & { eventTimes: EventTimes[] },
): { fewest: number; finite: boolean; sets: (RiskSetLists | null)[] } {
  return answer(context, args.where, (table) => {
    refuseByTime(table);
    return riskSetsHere(read(table, args).rows, args);
  });
}

function riskSetsHere(rows: SurvivalRows, args: At & { eventTimes: EventTimes[] }) {
  const hazards = predict(rows, args.coefficients).map(Math.exp);
  const steps = rows.strata.map((stratum, i) =>
    smallestStep(rows, stratum, args.eventTimes[i]!.times)
  ).filter((step) => step > 0);
  const sets = rows.strata.map((stratum, i) =>
    stratum.length === 0
      ? null
      : listsOf(riskSetsOf(rows, { stratum, hazards, at: args.eventTimes[i]!, ties: args.ties }))
  );
  const finite = sets.every((lists) =>
    !lists || [...lists.s0, ...lists.s1].every((value) => Number.isFinite(value))
  );
  return {
    fewest: steps.length === 0 ? 0 : Math.min(...steps),
    finite,
    sets: finite ? sets : sets.map(() => null),
  };
}

function listsOf({ s0, s1, d0, d1 }: RiskSets): RiskSetLists {
  return { s0: [...s0], s1: [...s1], d0: [...d0], d1: [...d1] };
}

/** The sums over the rows here, each counted as the event times of all organizations say. */
export function partial_weighted(
  context: Context,
  args: At & { eventTimes: EventTimes[]; weights: { counts: number[]; spared: number[] }[] },
) {
  return answer(context, args.where, (table) => {
    refuseByTime(table);
    return sumsHere(read(table, args).rows, args);
  });
}

function sumsHere(
  rows: SurvivalRows,
  args: At & { eventTimes: EventTimes[]; weights: { counts: number[]; spared: number[] }[] },
) {
  const eta = predict(rows, args.coefficients);
  const hazards = eta.map(Math.exp);
  const sums = rows.strata.map((stratum, i) => {
    const { counts, spared } = args.weights[i]!;
    return sumRows(rows, {
      stratum,
      eta,
      hazards,
      at: args.eventTimes[i]!.times,
      counts: Float64Array.from(counts),
      spared: Float64Array.from(spared),
    });
  });
  const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);
  return {
    n: rows.times.length,
    predicted: sum(sums.map(({ predicted }) => predicted)),
    gradient: args.terms.map((_, j) => sum(sums.map(({ gradient }) => gradient[j]!))),
    squares: args.terms.map((_, j) =>
      args.terms.map((_, k) => sum(sums.map(({ squares }) => squares[j]![k]!)))
    ),
  };
}

/** How well the model orders the rows here, and the hazards of the baseline of each stratum. */
export function partial_finish(
  context: Context,
  args: At & { origin: number; show_baseline: boolean },
) {
  return answer(context, args.where, (table) => {
    const { frame, rows, order, columns } = read(table, args);
    requireSpreadHazards(frame.site, columns, args.coefficients);
    const eta = predict(rows, args.coefficients);
    const found = rows.strata.map((stratum) => pairsOf(rows, stratum, eta));
    const sum = (name: "pairs" | "concordant" | "tied") =>
      found.reduce((all, pairs) => all + pairs[name], 0);
    const hazards = eta.map((value) => Math.exp(value - args.origin));
    return {
      ...usedIn(frame, args),
      events: rows.events.reduce((all, one) => all + one, 0),
      pairs: { pairs: sum("pairs"), concordant: sum("concordant"), tied: sum("tied") },
      baselines: !args.show_baseline ? [] : rows.strata.map((stratum) => {
        const at = eventTimesOf(rows, stratum);
        const { s0 } = riskSetsOf(rows, { stratum, hazards, at, ties: "breslow" });
        const found = { times: at.times, hazards: at.events.map((count, k) => count / s0[k]!) };
        return frame.site ? coarser(found, { site: frame.site, rows, stratum, order }) : found;
      }),
    };
  });
}

/** A baseline whose steps are of enough persons each; none where there are too few. */
function coarser(
  { times, hazards }: { times: number[]; hazards: number[] },
  { site, rows, stratum, order }: {
    site: SiteRules;
    rows: SurvivalRows;
    stratum: Uint32Array;
    order: Uint32Array;
  },
) {
  const ended = stratum.filter((row) => rows.events[row] === 1);
  const ends = Float64Array.from(ended, (row) => rows.times[row]!);
  const intervals = intervalsOf(ends, rulesOfRows(site, ended.map((row) => order[row]!)), {
    least: site.rules.minSubset,
    part: roundest,
    last: roundedUp(times.at(-1) ?? 0),
  });
  if (!intervals) site.withhold("baselines", "min_cell", times.length);
  else if (intervals.some(({ exact }) => !exact)) {
    site.withhold("baselines", "min_cell", times.length - intervals.length);
  }
  let next = 0;
  const steps = (intervals ?? []).map(({ upTo }) => {
    let sum = 0;
    for (; next < times.length && times[next]! <= upTo; next++) sum += hazards[next]!;
    return sum;
  });
  return {
    times: (intervals ?? []).map(({ upTo }) => upTo),
    hazards: steps,
    persons: (intervals ?? []).map(({ persons }) => persons),
  };
}

function read(table: Rows, { time, event, strata, variables, terms }: Prepared) {
  const events = truthsOf(table, event);
  const frame = completeRows(table, [...variables, { name: time }], { [event]: events });
  const times = frame.column(time);
  const levels = variables.find(({ name }) => name === strata)?.levels;
  const columns = terms.map((term) => termColumn(frame, term));
  requireModel(frame, [...columns, frame.column(event)], terms.length);
  const ordered = orderRows(times, levels && frame.column(strata!), levels?.length ?? 1);
  const rows = sortRows({ times, events: frame.column(event), columns, strata: ordered });
  // Of each sorted row, the frame's.
  const order = new Uint32Array(ordered.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const stratum of frame.site ? ordered : []) {
    order.set(stratum, filled);
    filled += stratum.length;
  }
  return { frame, rows, order, columns };
}
