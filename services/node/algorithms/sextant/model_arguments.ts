/**
 * Arguments of models, described once, and the method that agrees on their columns.
 * @module
 */
import type { Argument, Method, Output } from "./api.ts";
import { momentsOutputs, personsOutput, RESTS, where } from "./common_arguments.ts";
import { selectionsOutput, withheldOutput } from "./common_arguments.ts";

export const predictors = {
  type: "columns",
  label: "Predictors",
  help: "Columns that explain it: numbers, or categories of text or truth values",
} as const satisfies Argument;

/** How levels of categories become coefficients. */
export const levelArguments = {
  categories: {
    type: "columns",
    optional: true,
    label: "Categories",
    help: "Predictors of numbers that are levels of a category",
  },
  reference: {
    type: "object",
    default: {},
    label: "Reference levels",
    help: "By category, the level that others are compared with: the first unless given",
  },
  min_level_count: {
    type: "integer",
    min: 1,
    default: 1,
    label: "Smallest level",
    help: "Levels of fewer rows in all are left out with their rows, and counted; an " +
      "organization whose rules ask for more persons leaves out those that are rare there, and of " +
      "the others it tells only how many rows there are at least",
  },
} as const satisfies Record<string, Argument>;

export const iterations = {
  type: "integer",
  min: 1,
  max: 100,
  default: 25,
  label: "Iterations",
  help: "After so many the model is said not to converge",
} as const satisfies Argument;

/** What a model's own methods are told of its columns. */
export const agreedArguments = {
  variables: { type: "list", label: "Variables", help: "The columns and their levels" },
  terms: { type: "list", label: "Terms", help: "The coefficients and their scales" },
} as const satisfies Record<string, Argument>;

/** Of the columns that a model is to use. */
export const startMomentsOutput = {
  name: "moments",
  kind: "moments",
  help: "By term, and of the outcome",
  each: [{
    name: "*",
    kind: "moments",
    keys: "setting",
    help: "Of a term's column",
    each: [
      { name: "n", kind: "count", restsOn: "persons", help: "Values" },
      {
        name: "mean",
        kind: "model",
        restsOn: RESTS,
        terms: "coefficients",
        help: "Of the values",
      },
      {
        name: "squares",
        kind: "model",
        restsOn: RESTS,
        terms: "coefficients",
        help: "The sum of squared distances from the mean",
      },
    ],
  }],
} as const satisfies Output;

export const surveyMethod = {
  internal: true,
  help: "What the columns are at one organization",
  arguments: {
    columns: { type: "columns", label: "Columns", help: "Of the model" },
    categories: { type: "list", label: "Categories", help: "Columns that are levels" },
    where,
  },
  outputs: [
    withheldOutput,
    selectionsOutput,
    {
      name: "columns",
      kind: "moments",
      help: "By column",
      each: [{
        name: "*",
        kind: "moments",
        keys: "setting",
        help: "Of a column",
        each: [
          { name: "type", kind: "setting", help: "Numbers, a category, or no value" },
          { name: "missing", kind: "count", help: "Rows without a value" },
          { name: "moments", kind: "moments", help: "Of numbers", each: momentsOutputs },
          { name: "levels", kind: "count", restsOn: "persons", help: "Rows by level" },
          personsOutput,
        ],
      }],
    },
  ],
} as const satisfies Method;
