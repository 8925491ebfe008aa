/**
 * What one organization is asked for.
 * @module
 */
import type { Context } from "sextant/api.ts";
import { pairsOf } from "sextant/kernels/concordance.ts";
import { type CoxSums, siteSums } from "sextant/kernels/cox.ts";
import { type Start, startOf, type Term, termColumn } from "sextant/kernels/design.ts";
import { completeRows } from "sextant/kernels/frame.ts";
import { checkTimes } from "sextant/kernels/life_table.ts";
import { type EventTimes, eventTimesOf, orderRows, predict } from "sextant/kernels/risk_sets.ts";
import { sortRows } from "sextant/kernels/risk_sets.ts";
import { type RiskSets, riskSetsOf, smallestStep, sumRows } from "sextant/kernels/risk_sets.ts";
import type { Ties } from "sextant/kernels/risk_sets.ts";
import { truthsOf, type Variable } from "sextant/kernels/survey.ts";
import { selectRows } from "sextant/where.ts";

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
  const { frame, rows } = read(context, args);
  checkTimes(args.time, rows.times);
  return {
    ...startOf(frame, args.terms, []),
    events: rows.events.reduce((sum, one) => sum + one, 0),
    eventTimes: args.pooled ? rows.strata.map((stratum) => eventTimesOf(rows, stratum)) : [],
  };
}

/** The likelihood here and its derivatives, each stratum with a baseline of its own. */
export function partial_step(context: Context, args: At): CoxSums & { n: number } {
  const { rows } = read(context, args);
  return { n: rows.times.length, ...siteSums(rows, args.coefficients, args.ties) };
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
  const { rows } = read(context, args);
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
  const { rows } = read(context, args);
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
  const { rows } = read(context, args);
  const eta = predict(rows, args.coefficients);
  const found = rows.strata.map((stratum) => pairsOf(rows, stratum, eta));
  const sum = (name: "pairs" | "concordant" | "tied") =>
    found.reduce((all, pairs) => all + pairs[name], 0);
  const hazards = eta.map((value) => Math.exp(value - args.origin));
  return {
    n: rows.times.length,
    events: rows.events.reduce((all, one) => all + one, 0),
    pairs: { pairs: sum("pairs"), concordant: sum("concordant"), tied: sum("tied") },
    baselines: !args.show_baseline ? [] : rows.strata.map((stratum) => {
      const at = eventTimesOf(rows, stratum);
      const { s0 } = riskSetsOf(rows, { stratum, hazards, at, ties: "breslow" });
      return { times: at.times, hazards: at.events.map((count, k) => count / s0[k]!) };
    }),
  };
}

function read(context: Context, { time, event, strata, where, variables, terms }: Prepared) {
  const table = selectRows(context.table(), where);
  const events = truthsOf(table, event);
  const frame = completeRows(table, [...variables, { name: time }], { [event]: events });
  const times = frame.column(time);
  const levels = variables.find(({ name }) => name === strata)?.levels;
  const rows = sortRows({
    times,
    events: frame.column(event),
    columns: terms.map((term) => termColumn(frame, term)),
    strata: orderRows(times, levels && frame.column(strata!), levels?.length ?? 1),
  });
  return { frame, rows };
}
