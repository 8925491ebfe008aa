import type { Description } from "sextant/api.ts";
import { confidence, coverageOutputs, organizations } from "sextant/common_arguments.ts";
import { momentsOutputs, partCoverageOutputs, where } from "sextant/common_arguments.ts";

const question = {
  column: {
    type: "column",
    columnType: "number",
    label: "Column",
    help: "Whose means are compared",
  },
  group: {
    type: "column",
    optional: true,
    label: "Group",
    help: "The column whose levels are compared; without it, all rows are compared with a number",
  },
  where,
} as const;

export const description = {
  name: "compare_means",
  version: "1.0.0",
  summary: "Whether means differ: analysis of variance, t-tests, and Welch's of both.",
  methods: {
    central: {
      label: "Compare means",
      help:
        "Compares the means of groups of the rows of all organizations; without groups of too " +
        "few persons for an organization's rules on what may leave, where they are",
      rows: "none",
      arguments: {
        ...question,
        against: {
          type: "number",
          optional: true,
          label: "Against",
          help: "The mean that all rows are compared with, where there is no group",
        },
        confidence,
        organizations,
      },
      outputs: [
        { name: "groups", kind: "moments", help: "By group: n, mean, sd, error", restsOn: "n" },
        { name: "anova", kind: "estimate", help: "One-way analysis of variance", restsOn: "n" },
        { name: "welch_anova", kind: "estimate", help: "For unequal variances", restsOn: "n" },
        { name: "t_test", kind: "estimate", help: "Student's, of two groups", restsOn: "n" },
        { name: "welch_t_test", kind: "estimate", help: "For unequal variances", restsOn: "n" },
        { name: "one_sample", kind: "estimate", help: "Student's, against a number", restsOn: "n" },
        ...coverageOutputs,
      ],
      rounds: "One",
    },
    partial: {
      internal: true,
      help: "The moments of one organization",
      arguments: question,
      outputs: [
        {
          name: "groups",
          kind: "moments",
          help: "By group",
          each: [{ name: "*", kind: "moments", help: "Of a group", each: momentsOutputs }],
        },
        ...partCoverageOutputs,
      ],
    },
  },
  citations: ["Welch BL. Biometrika 1951;38:330-336."],
} as const satisfies Description;
