import type { Description } from "sextant/api.ts";
import { confidence, coverageOutputs, organizations, where } from "sextant/common_arguments.ts";
import { coefficientsOutput, partCoverageOutputs, RESTS } from "sextant/common_arguments.ts";
import { ESTIMATORS } from "sextant/kernels/random_effect.ts";
import { agreedArguments, levelArguments, predictors } from "sextant/model_arguments.ts";
import { startMomentsOutput, surveyMethod } from "sextant/model_arguments.ts";

const outcome = {
  type: "column",
  columnType: "number",
  label: "Outcome",
  help: "The column of numbers that the model explains",
} as const;

export const description = {
  name: "mixed_model",
  version: "1.0.0",
  summary: "Linear regression in which each organization has a random effect of its own.",
  methods: {
    central: {
      label: "Fit a model",
      help: "Fits the model on the rows of all organizations, as if they had been pooled with a " +
        "column that names the organization; without those whose rules on what may leave their " +
        "rows are too few for",
      rows: "none",
      arguments: {
        outcome,
        predictors,
        estimator: {
          type: "choice",
          choices: ESTIMATORS,
          default: "reml",
          label: "Estimator",
          help: "Restricted maximum likelihood, or maximum likelihood",
        },
        ...levelArguments,
        confidence,
        where,
        organizations,
      },
      outputs: [
        {
          name: "coefficients",
          kind: "model",
          help: "By term: estimate, standard error, test, interval",
          restsOn: "n",
        },
        { name: "residual_variance", kind: "estimate", help: "Within organizations", restsOn: "n" },
        { name: "site_variance", kind: "estimate", help: "Between organizations", restsOn: "n" },
        { name: "icc", kind: "estimate", help: "The part of it that is between", restsOn: "n" },
        { name: "log_likelihood", kind: "model", help: "Of the estimator", restsOn: "n" },
        {
          name: "site_effect_test",
          kind: "estimate",
          help: "Likelihood ratio against no effect of the organizations; the p-value is of half " +
            "a chi-squared, as a variance cannot be negative",
          restsOn: "n",
        },
        {
          name: "site_effects",
          kind: "estimate",
          help: "By organization, the effect as predicted",
          restsOn: "n",
        },
        { name: "estimator", kind: "setting", help: "What was used" },
        ...coverageOutputs,
      ],
      rounds: "One for the levels, one for means, one for the sums of products",
    },
    partial_survey: surveyMethod,
    partial_start: {
      internal: true,
      help: "How many rows one organization will use, and their moments",
      arguments: { outcome, ...agreedArguments, where },
      outputs: [
        ...partCoverageOutputs,
        coefficientsOutput,
        startMomentsOutput,
      ],
    },
    partial_sums: {
      internal: true,
      help: "The sums of products of one organization's rows",
      arguments: {
        outcome,
        ...agreedArguments,
        where,
        centre: { type: "number", label: "Centre", help: "Subtracted from the outcome" },
      },
      outputs: [
        ...partCoverageOutputs,
        coefficientsOutput,
        {
          name: "triangle",
          kind: "model",
          help: "Of ones, terms and outcome: its products are their sums of products",
          restsOn: RESTS,
          terms: "coefficients",
        },
      ],
    },
  },
  citations: ["Laird NM, Ware JH. Biometrics 1982;38:963-974."],
} as const satisfies Description;
