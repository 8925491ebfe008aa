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
      help:
        "Counts the values of all organizations by bins; bins in which one with rules on what may " +
        "leave has too few persons are taken together with others",
      rows: "none",
      arguments: { ...question, organizations },
      outputs: [
        {
          name: "bins",
          kind: "table",
          help:
            "From, to and count of each; from or to is null where what is below or above is in it",
          restsOn: "n",
        },
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
        { name: "counts", kind: "count", help: "By bin", restsOn: "persons" },
        {
          name: "below",
          kind: "count",
          help: "Values below the first bin",
          restsOn: "persons",
        },
        { name: "above", kind: "count", help: "Values above the last bin", restsOn: "persons" },
        {
          name: "ends",
          kind: "setting",
          help: "Where the site has rules: which bins are taken together",
        },
        { name: "runs", kind: "count", help: "Values in those", restsOn: "runPersons" },
        { name: "runPersons", kind: "persons", help: "Whose they are" },
        ...partCoverageOutputs,
      ],
    },
  },
} as const satisfies Description;
