import type { Description } from "sextant/api.ts";
import { coverageOutputs, organizations } from "sextant/common_arguments.ts";
import { partCoverageOutputs, where } from "sextant/common_arguments.ts";

const column = {
  type: "column",
  columnType: "number",
  label: "Column",
  help: "Whose quantiles are found",
} as const;

export const description = {
  name: "quantiles",
  version: "1.0.0",
  summary: "Exact quantiles, the median among them, found by counting.",
  methods: {
    central: {
      label: "Quantiles",
      help:
        "Finds quantiles of a column over all organizations, between ranks in proportion. One with " +
        "rules on what may leave counts in intervals of enough persons: a quantile is then where " +
        "one ends, and null at the ends",
      rows: "none",
      arguments: {
        column,
        probabilities: {
          type: "list",
          default: [0.25, 0.5, 0.75],
          label: "Probabilities",
          help: "Numbers between 0 and 1: 0.5 is the median",
        },
        where,
        organizations,
      },
      outputs: [
        { name: "quantiles", kind: "quantiles", help: "The value of each", restsOn: "n" },
        ...coverageOutputs,
      ],
      rounds: "About nine: in each, sites count values at or below some hundred numbers",
    },
    partial: {
      internal: true,
      help: "Counts one organization's values",
      arguments: {
        column,
        where,
        limits: { type: "list", label: "Limits", help: "Numbers that values are counted up to" },
      },
      outputs: [
        {
          name: "counts",
          kind: "count",
          help: "Values at or below each",
          restsOn: "countPersons",
        },
        { name: "countPersons", kind: "persons", help: "Whose they are" },
        {
          name: "ends",
          kind: "setting",
          help: "Where the site has rules: how many values at each end are told of together",
        },
        ...partCoverageOutputs,
      ],
    },
  },
} as const satisfies Description;
