import type { Description } from "sextant/api.ts";
import { confidence, coverageOutputs, organizations, where } from "sextant/common_arguments.ts";
import {
  coefficientsOutput,
  partCoverageOutputs,
  personsOutput,
} from "sextant/common_arguments.ts";
import { RESTS, selectionsOutput, withheldOutput } from "sextant/common_arguments.ts";
import { TIES } from "sextant/kernels/risk_sets.ts";
import { agreedArguments, iterations, levelArguments } from "sextant/model_arguments.ts";
import { predictors, startMomentsOutput, surveyMethod } from "sextant/model_arguments.ts";

const model = {
  time: {
    type: "column",
    columnType: "number",
    label: "Time",
    help: "The time until the event, or until a row was seen last",
  },
  event: {
    type: "column",
    label: "Event",
    help: "Whether the event happened: 1 or true, 0 or false",
  },
  strata: {
    type: "column",
    optional: true,
    label: "Strata",
    help: "A column, each of whose levels has a baseline of its own",
  },
  ties: {
    type: "choice",
    choices: TIES,
    default: "efron",
    label: "Ties",
    help: "How events at the same time are counted",
  },
  where,
} as const;

const at = {
  ...model,
  ...agreedArguments,
  coefficients: { type: "list", label: "Coefficients", help: "Where the iteration stands" },
} as const;

const eventTimes = {
  eventTimes: { type: "list", label: "Event times", help: "Of all organizations, by stratum" },
} as const;

export const description = {
  name: "cox",
  version: "1.0.0",
  summary: "Proportional hazards regression (Cox), with a baseline by site or a pooled one.",
  methods: {
    central: {
      label: "Fit a model",
      help:
        "Fits the model on the rows of all organizations, as if they had been pooled; without " +
        "those whose rules on what may leave their rows or events are too few for",
      rows: "none",
      arguments: {
        time: model.time,
        event: model.event,
        predictors,
        baseline: {
          type: "choice",
          choices: ["site", "pooled"],
          default: "site",
          label: "Baseline",
          help: "Whether each site has a baseline of its own (stratified by site), or all share " +
            "one; for a pooled one sums over those at risk leave each site at each event time, " +
            "whose differences may be of single rows: no organization with rules on what may leave " +
            "takes part in it, and an owner may refuse it besides",
        },
        strata: model.strata,
        ties: model.ties,
        ...levelArguments,
        show_baseline: {
          type: "boolean",
          default: false,
          label: "Show the baseline",
          help: "Whether the baseline's cumulative hazard is returned, at each event time; it " +
            "leaves each site whose baseline it is, and under rules has steps of several persons",
        },
        confidence,
        iterations,
        where,
        organizations,
      },
      outputs: [
        {
          name: "coefficients",
          kind: "model",
          help: "By term: estimate, standard error, test, interval, and as a hazard ratio",
          restsOn: "events",
        },
        { name: "events", kind: "count", help: "Rows used that have the event" },
        {
          name: "log_likelihood",
          kind: "model",
          help: "Partial, at its highest",
          restsOn: "events",
        },
        {
          name: "null_log_likelihood",
          kind: "model",
          help: "With coefficients of 0",
          restsOn: "events",
        },
        { name: "aic", kind: "model", help: "Of the partial likelihood", restsOn: "events" },
        { name: "likelihood_ratio", kind: "estimate", help: "Test of all", restsOn: "events" },
        { name: "score_test", kind: "estimate", help: "Test of all", restsOn: "events" },
        {
          name: "concordance",
          kind: "estimate",
          help: "Harrell's, of pairs within a site (and stratum); null with a pooled baseline",
          restsOn: "events",
        },
        {
          name: "baselines",
          kind: "curve",
          help: "Breslow's cumulative hazards for the means of the predictors, if asked for",
          restsOn: "events",
        },
        { name: "means", kind: "moments", help: "Of the terms, over all rows", restsOn: "n" },
        { name: "baseline", kind: "setting", help: "What was fitted" },
        { name: "ties", kind: "setting", help: "What was fitted" },
        { name: "iterations", kind: "setting", help: "Until it converged" },
        ...coverageOutputs,
      ],
      rounds: "One for the levels, one for means, then one for each iteration (about 5), or two " +
        "with a pooled baseline, and one for the concordance or baseline",
    },
    partial_survey: surveyMethod,
    partial_start: {
      internal: true,
      help: "How many rows and events one organization has, and the moments of the terms",
      arguments: {
        ...model,
        ...agreedArguments,
        pooled: { type: "boolean", label: "Pooled", help: "Whether event times are returned" },
      },
      outputs: [
        ...partCoverageOutputs,
        coefficientsOutput,
        startMomentsOutput,
        { name: "events", kind: "count", restsOn: "persons", help: "Rows with the event" },
        {
          name: "eventTimes",
          kind: "table",
          help: "For a pooled baseline: events by time, by stratum",
          restsOn: "events",
        },
      ],
    },
    partial_step: {
      internal: true,
      help: "The likelihood of one organization and its derivatives, with a baseline of its own",
      arguments: at,
      outputs: [
        ...partCoverageOutputs,
        coefficientsOutput,
        {
          name: "logLikelihood",
          kind: "model",
          help: "Of these rows",
          restsOn: RESTS,
          terms: "coefficients",
        },
        { name: "gradient", kind: "model", help: "By term", restsOn: RESTS, terms: "coefficients" },
        {
          name: "information",
          kind: "model",
          help: "By two terms",
          restsOn: RESTS,
          terms: "coefficients",
        },
      ],
    },
    partial_risk_sets: {
      internal: true,
      help: "For a pooled baseline: sums over those at risk at one organization, by event time",
      arguments: { ...at, ...eventTimes },
      outputs: [
        {
          name: "fewest",
          kind: "count",
          help: "The fewest rows by which the sums at two times that follow each other differ",
        },
        { name: "finite", kind: "setting", help: "Whether all hazards are numbers" },
        withheldOutput,
        selectionsOutput,
        {
          name: "sets",
          kind: "table",
          help: "By stratum and time: sums of hazards, and of terms times hazards",
          restsOn: "fewest",
        },
      ],
    },
    partial_weighted: {
      internal: true,
      help: "For a pooled baseline: sums over the rows of one organization",
      arguments: {
        ...at,
        ...eventTimes,
        weights: { type: "list", label: "Weights", help: "By stratum and event time" },
      },
      outputs: [
        { name: "n", kind: "count", help: "Rows" },
        withheldOutput,
        selectionsOutput,
        { name: "predicted", kind: "moments", help: "Sum over the events", restsOn: "n" },
        { name: "gradient", kind: "moments", help: "By term", restsOn: "n" },
        { name: "squares", kind: "moments", help: "By two terms", restsOn: "n" },
      ],
    },
    partial_finish: {
      internal: true,
      help: "How well the model orders the rows of one organization, and its baseline",
      arguments: {
        ...at,
        origin: { type: "number", label: "Origin", help: "What the means of the terms say" },
        show_baseline: { type: "boolean", label: "Baseline", help: "Whether it is returned" },
      },
      outputs: [
        ...partCoverageOutputs,
        coefficientsOutput,
        { name: "events", kind: "count", restsOn: "persons", help: "Rows with the event" },
        {
          name: "pairs",
          kind: "estimate",
          help: "Pairs of rows: all, in order, tied",
          restsOn: RESTS,
        },
        {
          name: "baselines",
          kind: "curve",
          help: "By stratum",
          each: [
            { name: "times", kind: "curve", help: "Where hazards end", restsOn: "persons" },
            { name: "hazards", kind: "curve", help: "Up to those times", restsOn: "persons" },
            personsOutput,
          ],
        },
      ],
    },
  },
  citations: [
    "Cox DR. J R Stat Soc B 1972;34:187-220.",
    "Efron B. J Am Stat Assoc 1977;72:557-565.",
    "Breslow NE. Biometrics 1974;30:89-99.",
    "Harrell FE et al. JAMA 1982;247:2543-2546.",
  ],
} as const satisfies Description;
