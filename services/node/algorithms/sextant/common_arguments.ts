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
  { name: "left_out", kind: "count", help: "Rows left out, and for what" },
  { name: "notes", kind: "other", help: "What a reader should know" },
] as const satisfies Output[];

/** Of a method that is asked of each organization. */
export const partCoverageOutputs = [
  { name: "n", kind: "count", help: "Rows used" },
  { name: "leftOut", kind: "count", help: "Rows left out, and for what" },
] as const satisfies Output[];
