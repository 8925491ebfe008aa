import type { Description } from "sextant/api.ts";
import { confidence, coverageOutputs, organizations, where } from "sextant/common_arguments.ts";
import { partCoverageOutputs, RESTS } from "sextant/common_arguments.ts";
import { FAMILIES, LINKS } from "sextant/kernels/families.ts";
import { TIES } from "sextant/kernels/risk_sets.ts";
import { agreedArguments, iterations, levelArguments } from "sextant/model_arguments.ts";
import { predictors, surveyMethod } from "sextant/model_arguments.ts";

const model = {
  model: {
    type: "choice",
    choices: [...FAMILIES, "cox"],
    default: "gaussian",
    label: "Model",
    help: "What each organization fits: a generalized linear model of this family, or Cox's",
  },
  link: {
    type: "choice",
    choices: LINKS,
    optional: true,
    label: "Link",
    help: "Of a generalized linear model: the family's usual one unless given",
  },
  outcome: {
    type: "column",
    optional: true,
    label: "Outcome",
    help: "The column that a generalized linear model explains",
  },
  offset: {
    type: "column",
    columnType: "number",
    optional: true,
    label: "Offset",
    help: "A column of numbers that is added to the predictors with the coefficient 1",
  },
  weights: {
    type: "column",
    columnType: "number",
    optional: true,
    label: "Weights",
    help: "A column that says how many rows each row stands for",
  },
  time: {
    type: "column",
    columnType: "number",
    optional: true,
    label: "Time",
    help: "Of Cox's model: the time until the event, or until a row was seen last",
  },
  event: {
    type: "column",
    optional: true,
    label: "Event",
    help: "Of Cox's model: whether the event happened: 1 or true, 0 or false",
  },
  ties: {
    type: "choice",
    choices: TIES,
    default: "efron",
    label: "Ties",
    help: "Of Cox's model: how events at the same time are counted",
  },
  iterations,
  where,
} as const;

const combined = [
  { name: "fixed", kind: "estimate", help: "The mean if studies differ by chance alone" },
  { name: "random", kind: "estimate", help: "The mean if they differ otherwise, too" },
  { name: "tau_squared", kind: "estimate", help: "The variance of what they measure" },
  {
    name: "heterogeneity",
    kind: "estimate",
    help: "Cochran's Q, its degrees of freedom, its p, and I²; null for one study",
  },
  { name: "studies", kind: "estimate", help: "Each with its estimate and its weights" },
] as const;

export const description = {
  name: "meta_analysis",
  version: "1.0.0",
  summary: "A model fitted at each organization by itself, and the estimates taken together.",
  methods: {
    central: {
      label: "Fit and combine",
      help: "Fits the model at each organization by itself and combines the estimates, which is " +
        "not the same as the model of the pooled rows; without those whose rules on what may leave " +
        "their rows are too few for",
      rows: "none",
      arguments: {
        model: model.model,
        predictors,
        outcome: model.outcome,
        time: model.time,
        event: model.event,
        link: model.link,
        offset: model.offset,
        weights: model.weights,
        ties: model.ties,
        ...levelArguments,
        confidence,
        iterations,
        where,
        organizations,
      },
      outputs: [
        {
          name: "terms",
          kind: "estimate",
          help: "By term: the fixed and the random mean, heterogeneity, and each organization's " +
            "estimate with its weights",
          restsOn: "n",
        },
        {
          name: "excluded",
          kind: "setting",
          help: "Organizations that could not fit the model, and why",
        },
        { name: "model", kind: "setting", help: "What was fitted" },
        ...coverageOutputs,
      ],
      rounds: "One for the levels, one for the models",
    },
    combine: {
      label: "Combine estimates",
      help: "Combines estimates that are known already, of whatever model, with the same methods",
      rows: "none",
      arguments: {
        studies: {
          type: "list",
          label: "Studies",
          help: "Of each an object with its estimate and its standard_error",
        },
        confidence,
      },
      outputs: combined,
    },
    partial_survey: surveyMethod,
    partial_fit: {
      internal: true,
      help: "Fits the model on the rows of one organization",
      arguments: { ...model, ...agreedArguments },
      outputs: [
        ...partCoverageOutputs,
        {
          name: "estimates",
          kind: "model",
          help: "By term: estimate and standard error",
          restsOn: RESTS,
        },
        { name: "problem", kind: "setting", help: "Why there is no model here" },
      ],
    },
  },
  citations: [
    "DerSimonian R, Laird N. Control Clin Trials 1986;7:177-188.",
    "Higgins JPT, Thompson SG. Stat Med 2002;21:1539-1558.",
  ],
} as const satisfies Description;
