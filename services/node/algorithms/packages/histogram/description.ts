import type { Description } from "sextant/api.ts";
import { coverageOutputs, organizations } from "sextant/common_arguments.ts";
import { partCoverageOutputs, where } from "sextant/common_arguments.ts";

const question = {
  column: {
    type: "column",
    columnType: "number",
    label: "Column",
    help: "Whose values are counted",
  },
  from: { type: "number", label: "From", help: "Where the first bin begins" },
  to: { type: "number", label: "To", help: "Where the last bin ends, its end included" },
  bins: {
    type: "integer",
    min: 1,
    max: 1000,
    default: 20,
    label: "Bins",
    help: "Into how many equal parts the range is cut",
  },
  where,
} as const;

export const description = {
  name: "histogram",
  version: "1.0.0",
  summary: "How many values of a column lie in each of equal bins.",
  methods: {
    central: {
      label: "Histogram",
      help: "Counts the values of all organizations by bins",
      arguments: { ...question, organizations },
      outputs: [
        { name: "bins", kind: "table", help: "From, to and count of each", restsOn: "n" },
        { name: "below", kind: "count", help: "Values below the first bin" },
        { name: "above", kind: "count", help: "Values above the last bin" },
        ...coverageOutputs,
      ],
      rounds: "One",
    },
    partial: {
      internal: true,
      help: "Counts one organization's values",
      arguments: question,
      outputs: [
        { name: "counts", kind: "table", help: "By bin", restsOn: "n" },
        { name: "below", kind: "count", help: "Values below the first bin" },
        { name: "above", kind: "count", help: "Values above the last bin" },
        ...partCoverageOutputs,
      ],
    },
  },
} as const satisfies Description;
