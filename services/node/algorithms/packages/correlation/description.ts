import type { Description } from "sextant/api.ts";
import { confidence, coverageOutputs, organizations } from "sextant/common_arguments.ts";
import { comomentsOutput, partCoverageOutputs, where } from "sextant/common_arguments.ts";

const columns = {
  type: "columns",
  columnType: "number",
  label: "Columns",
  help: "Two or more columns of numbers",
} as const;

export const description = {
  name: "correlation",
  version: "1.0.0",
  summary: "Pearson's correlations between columns of numbers.",
  methods: {
    central: {
      label: "Correlations",
      help: "Correlates columns on the rows of all organizations that lack none of them; without " +
        "organizations whose rules on what may leave their rows are too few for",
      rows: "none",
      arguments: { columns, where, confidence, organizations },
      outputs: [
        {
          name: "correlations",
          kind: "estimate",
          help: "By pair: r, its test, and Fisher's interval",
          restsOn: "n",
        },
        ...coverageOutputs,
      ],
      rounds: "One",
    },
    partial: {
      internal: true,
      help: "The sums of products of one organization",
      arguments: { columns, where },
      outputs: [
        comomentsOutput,
        ...partCoverageOutputs,
      ],
    },
  },
} as const satisfies Description;
