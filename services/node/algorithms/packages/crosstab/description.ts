import type { Description } from "sextant/api.ts";
import { confidence, coverageOutputs, organizations } from "sextant/common_arguments.ts";
import { partCoverageOutputs, personsOutput, where } from "sextant/common_arguments.ts";

const question = {
  row: { type: "column", label: "Rows", help: "The column whose levels are the rows" },
  column: { type: "column", label: "Columns", help: "The column whose levels are the columns" },
  stratum: {
    type: "column",
    optional: true,
    label: "Strata",
    help: "A column by whose levels tables of two rows and two columns are pooled",
  },
  where,
} as const;

export const description = {
  name: "crosstab",
  version: "1.0.0",
  summary: "A table of counts, with chi-squared, Fisher's test, odds and risk ratios, by strata.",
  methods: {
    central: {
      label: "Table of counts",
      help:
        "Counts the rows of all organizations by two columns, and tests their independence. A " +
        "cell that an organization's rules on what may leave withhold is null, and with it what " +
        "needs every cell; levels of too few persons are left out where they are",
      rows: "none",
      arguments: { ...question, confidence, organizations },
      outputs: [
        { name: "rows", kind: "levels", help: "The levels of the rows" },
        { name: "columns", kind: "levels", help: "The levels of the columns" },
        { name: "counts", kind: "table", help: "Rows by both", restsOn: "n" },
        { name: "chi_squared", kind: "estimate", help: "Pearson's test", restsOn: "n" },
        { name: "yates", kind: "estimate", help: "The same, with Yates' correction", restsOn: "n" },
        { name: "cramers_v", kind: "estimate", help: "Cramér's V", restsOn: "n" },
        {
          name: "smallest_expected",
          kind: "estimate",
          help: "The smallest expected count: below 5, trust Fisher's test",
          restsOn: "n",
        },
        { name: "fisher", kind: "estimate", help: "Fisher's exact test, two-sided", restsOn: "n" },
        { name: "odds_ratio", kind: "estimate", help: "With its interval", restsOn: "n" },
        { name: "risk_ratio", kind: "estimate", help: "With its interval", restsOn: "n" },
        { name: "risk_difference", kind: "estimate", help: "With its interval", restsOn: "n" },
        { name: "strata", kind: "table", help: "The counts by stratum", restsOn: "n" },
        {
          name: "mantel_haenszel",
          kind: "estimate",
          help: "Over the strata: odds ratio, risk ratio, test, and whether it is the same in all",
          restsOn: "n",
        },
        ...coverageOutputs,
      ],
      rounds: "One",
    },
    partial: {
      internal: true,
      help: "Counts the rows of one organization",
      arguments: question,
      outputs: [
        {
          name: "cells",
          kind: "table",
          help: "Rows by levels",
          each: [
            { name: "row", kind: "levels", help: "Its level", restsOn: "persons" },
            { name: "column", kind: "levels", help: "Its level", restsOn: "persons" },
            { name: "stratum", kind: "levels", help: "Its level", restsOn: "persons" },
            { name: "count", kind: "count", help: "Rows", restsOn: "persons" },
            personsOutput,
          ],
        },
        ...partCoverageOutputs,
      ],
    },
  },
  citations: [
    "Mantel N, Haenszel W. J Natl Cancer Inst 1959;22:719-748.",
    "Robins J, Breslow N, Greenland S. Biometrics 1986;42:311-323.",
    "Breslow NE, Day NE. Statistical Methods in Cancer Research I. IARC 1980.",
  ],
} as const satisfies Description;
