/**
 * Arguments and outputs that many algorithms have, described once.
 * @module
 */
import type { Argument, Output } from "./api.ts";

export const organizations = {
  type: "organizations",
  optional: true,
  label: "Organizations",
  help: "Whose rows are used: all of the collaboration unless given",
} as const satisfies Argument;

export const where = {
  type: "condition",
  optional: true,
  label: "Where",
  help: "The rows that are used, as a condition: age >= 18 and (sex = 'f' or weight is missing)",
} as const satisfies Argument;

export const confidence = {
  type: "number",
  min: 0.5,
  max: 0.9999,
  default: 0.95,
  label: "Confidence",
  help: "Of the intervals",
} as const satisfies Argument;

/** What a result rests on, as `coverage` makes it. */
export const coverageOutputs = [
  { name: "n", kind: "count", help: "Rows used" },
  { name: "sites", kind: "count", help: "Rows used and left out, by organization" },
  {
    name: "left_out",
    kind: "count",
    help: "Rows left out, and for what; null where an organization's rules withhold a count",
  },
  {
    name: "withheld",
    kind: "setting",
    help: "What the rules of which organization withheld; only where one has rules",
  },
  { name: "notes", kind: "setting", help: "What a reader should know" },
] as const satisfies Output[];

/** What a part says that was withheld from it. */
export const withheldOutput = {
  name: "withheld",
  kind: "setting",
  help: "What the site's rules withheld of this part",
} as const satisfies Output;

/** Which rows a part rests on, for the site's ledger alone. */
export const selectionsOutput = {
  name: "selections",
  kind: "persons",
  help: "Which rows it rests on, for the site's ledger",
} as const satisfies Output;

export const personsOutput = {
  name: "persons",
  kind: "persons",
  help: "Whose rows they are",
} as const satisfies Output;

/** Of a method that is asked of each organization. */
export const partCoverageOutputs = [
  { name: "n", kind: "count", restsOn: "persons", help: "Rows used" },
  personsOutput,
  { name: "leftOut", kind: "count", keys: "setting", help: "Rows left out, and for what" },
  withheldOutput,
  selectionsOutput,
] as const satisfies Output[];

/** On what all of a part's values rest: rows, and persons where the site counts those. */
export const RESTS = ["n", "persons"] as const;

/** As `comomentsOf` makes them. */
export const comomentsOutput = {
  name: "comoments",
  kind: "moments",
  help: "Means, and sums of products about them",
  each: [
    { name: "n", kind: "count", restsOn: "persons", help: "Rows" },
    { name: "means", kind: "model", restsOn: RESTS, terms: "means", help: "By column" },
    { name: "products", kind: "model", restsOn: RESTS, terms: "means", help: "By two columns" },
  ],
} as const satisfies Output;

/** Of models: on how many coefficients the site's rules have to look. */
export const coefficientsOutput = {
  name: "coefficients",
  kind: "setting",
  help: "How many the model has; where the site has rules",
} as const satisfies Output;

/** The parts of moments, as `momentsOf` makes them. */
export const momentsOutputs = [
  { name: "n", kind: "count", restsOn: "persons", help: "Values" },
  personsOutput,
  {
    name: "mean",
    kind: "moments",
    restsOn: RESTS,
    contributions: "contributions",
    help: "Of the values",
  },
  {
    name: "squares",
    kind: "moments",
    restsOn: RESTS,
    contributions: "contributions",
    help: "The sum of squared distances from the mean",
  },
  {
    name: "contributions",
    kind: "contributions",
    help: "Of single persons, where a rule asks for them",
  },
] as const satisfies Output[];
