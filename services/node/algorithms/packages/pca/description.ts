import type { Description } from "sextant/api.ts";
import { coverageOutputs, organizations, where } from "sextant/common_arguments.ts";
import { comomentsOutput, partCoverageOutputs } from "sextant/common_arguments.ts";

const question = {
  columns: {
    type: "columns",
    columnType: "number",
    label: "Columns",
    help: "Columns of numbers, two or more",
  },
  where,
} as const;

export const description = {
  name: "pca",
  version: "1.0.0",
  summary: "Principal components of columns of numbers: how they vary together.",
  methods: {
    central: {
      label: "Principal components",
      help:
        "Finds the components of the rows of all organizations; no row's scores leave a site. " +
        "Organizations whose rules on what may leave their rows are too few for are left out",
      rows: "none",
      arguments: {
        ...question,
        scale: {
          type: "boolean",
          default: false,
          label: "Scale",
          help: "Whether each column is divided by its standard deviation before",
        },
        components: {
          type: "integer",
          min: 1,
          optional: true,
          label: "Components",
          help: "How many are returned: all unless given",
        },
        organizations,
      },
      outputs: [
        {
          name: "components",
          kind: "model",
          help:
            "By falling variance: loadings of length 1, of which the largest is positive, the " +
            "variance, and its share of that of all",
          restsOn: "n",
        },
        { name: "means", kind: "moments", help: "By column, subtracted before", restsOn: "n" },
        { name: "scales", kind: "moments", help: "By column, divided by before", restsOn: "n" },
        ...coverageOutputs,
      ],
      rounds: "One",
    },
    partial: {
      internal: true,
      help: "The moments of one organization",
      arguments: question,
      outputs: [
        comomentsOutput,
        ...partCoverageOutputs,
      ],
    },
  },
  citations: ["Pearson K. Philos Mag 1901;2:559-572."],
} as const satisfies Description;
