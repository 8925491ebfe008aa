import type { Description } from "sextant/api.ts";
import { confidence, coverageOutputs, organizations, where } from "sextant/common_arguments.ts";
import { coefficientsOutput, partCoverageOutputs, RESTS } from "sextant/common_arguments.ts";
import { FAMILIES, LINKS } from "sextant/kernels/families.ts";
import { agreedArguments, iterations, levelArguments } from "sextant/model_arguments.ts";
import { predictors, startMomentsOutput, surveyMethod } from "sextant/model_arguments.ts";

const model = {
  outcome: { type: "column", label: "Outcome", help: "The column that the model explains" },
  predictors,
  family: {
    type: "choice",
    choices: FAMILIES,
    default: "gaussian",
    label: "Family",
    help: "How the outcome spreads about its mean: binomial is logistic regression",
  },
  link: {
    type: "choice",
    choices: LINKS,
    optional: true,
    label: "Link",
    help:
      "Which function of the mean is a sum of the predictors: the family's usual one unless given",
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
  where,
} as const;

export const description = {
  name: "glm",
  version: "1.0.0",
  summary: "Generalized linear models: linear, logistic, Poisson and gamma regression.",
  methods: {
    central: {
      label: "Fit a model",
      help:
        "Fits the model on the rows of all organizations, as if they had been pooled; without " +
        "those whose rules on what may leave their rows are too few for",
      rows: "none",
      arguments: {
        ...model,
        ...levelArguments,
        confidence,
        iterations,
        organizations,
      },
      outputs: [
        {
          name: "coefficients",
          kind: "model",
          help: "By term: estimate, standard error, test, interval, and as a ratio",
          restsOn: "n",
        },
        { name: "deviance", kind: "model", help: "Of the model", restsOn: "n" },
        { name: "null_deviance", kind: "model", help: "Of the intercept alone", restsOn: "n" },
        { name: "pearson_chi2", kind: "model", help: "Pearson's chi-squared", restsOn: "n" },
        { name: "dispersion", kind: "model", help: "1 where the family fixes it", restsOn: "n" },
        { name: "degrees_of_freedom", kind: "count", help: "Of the residuals", restsOn: "n" },
        { name: "log_likelihood", kind: "model", help: "At its highest", restsOn: "n" },
        {
          name: "aic",
          kind: "model",
          help: "Akaike's criterion; the dispersion is not counted as a coefficient",
          restsOn: "n",
        },
        { name: "family", kind: "setting", help: "And link: what was fitted" },
        { name: "link", kind: "setting", help: "What was fitted" },
        { name: "iterations", kind: "setting", help: "Until it converged" },
        ...coverageOutputs,
      ],
      rounds: "One for the levels, one for means, then one or two for each iteration (about 6)",
    },
    partial_survey: surveyMethod,
    partial_start: {
      internal: true,
      help: "How many rows one organization will use, and their moments",
      arguments: { ...model, ...agreedArguments },
      outputs: [
        ...partCoverageOutputs,
        coefficientsOutput,
        startMomentsOutput,
      ],
    },
    partial_step: {
      internal: true,
      help: "The part of one organization in one iteration",
      arguments: {
        ...model,
        ...agreedArguments,
        coefficients: { type: "list", label: "Coefficients", help: "Where the iteration stands" },
      },
      outputs: [
        ...partCoverageOutputs,
        coefficientsOutput,
        {
          name: "weight",
          kind: "model",
          help: "The sum of the rows' weights: their number, where there are none",
          restsOn: RESTS,
          terms: "coefficients",
        },
        {
          name: "deviance",
          kind: "model",
          help: "Of these rows",
          restsOn: RESTS,
          terms: "coefficients",
        },
        {
          name: "pearson",
          kind: "model",
          help: "Of these rows",
          restsOn: RESTS,
          terms: "coefficients",
        },
        {
          name: "terms",
          kind: "model",
          help: "Of the likelihood",
          restsOn: RESTS,
          terms: "coefficients",
        },
        {
          name: "triangle",
          kind: "model",
          help: "Of the weighted rows",
          restsOn: RESTS,
          terms: "coefficients",
        },
      ],
    },
  },
  citations: ["McCullagh P, Nelder JA. Generalized Linear Models. 2nd ed. Chapman & Hall 1989."],
} as const satisfies Description;
