import type { Description } from "sextant/api.ts";
import { coverageOutputs, organizations, where } from "sextant/common_arguments.ts";
import { momentsOutputs, partCoverageOutputs, personsOutput } from "sextant/common_arguments.ts";
import { selectionsOutput, withheldOutput } from "sextant/common_arguments.ts";

const question = {
  columns: {
    type: "columns",
    columnType: "number",
    label: "Columns",
    help: "Columns of numbers, by which rows are near to each other or far",
  },
  where,
} as const;

export const description = {
  name: "k_means",
  version: "1.0.0",
  summary: "Clusters of rows by k-means (Lloyd's), from centres that are given as a start.",
  methods: {
    central: {
      label: "k-means from a start",
      help:
        "Moves centres until each is the mean of the rows nearest to it, over all organizations; " +
        "no row's cluster leaves a site. A centre without rows is kept where it is. At an " +
        "organization with rules on what may leave, rows go to clusters in crowds of neighbours of " +
        "enough persons",
      rows: "none",
      arguments: {
        ...question,
        start: {
          type: "list",
          label: "Start",
          help: "The first centres: lists of numbers in the order and the units of the columns",
        },
        scale: {
          type: "boolean",
          default: false,
          label: "Scale",
          help: "Whether distances are counted in each column's standard deviations",
        },
        iterations: {
          type: "integer",
          min: 1,
          max: 300,
          default: 100,
          label: "Iterations",
          help: "After so many the centres are said not to have converged",
        },
        tolerance: {
          type: "number",
          min: 0,
          max: 1,
          default: 1e-4,
          label: "Tolerance",
          help:
            "It is over when the squared distances that centres moved by add up to no more than " +
            "this part of the mean of the columns' variances; 0: when none moves",
        },
        organizations,
      },
      outputs: [
        {
          name: "centres",
          kind: "moments",
          help:
            "By cluster, in the order of the start: the mean of its rows. Of a cluster of one " +
            "row these are that row's values, of one of few they are near to them",
          restsOn: "sizes",
        },
        { name: "sizes", kind: "count", help: "By cluster: rows nearest to its centre" },
        {
          name: "within",
          kind: "moments",
          help: "By cluster: squared distances of its rows from its centre",
          restsOn: "sizes",
        },
        { name: "inertia", kind: "model", help: "The sum of those", restsOn: "n" },
        { name: "iterations", kind: "setting", help: "How often the centres were moved" },
        { name: "converged", kind: "setting", help: "Whether that was enough" },
        ...coverageOutputs,
      ],
      rounds: "One for variances, then one for each iteration, and one for the last sizes",
    },
    partial_start: {
      internal: true,
      help: "The moments of one organization",
      arguments: question,
      outputs: [
        { name: "moments", kind: "moments", help: "By column", each: momentsOutputs },
        ...partCoverageOutputs,
      ],
    },
    partial_clusters: {
      internal: true,
      help:
        "The clusters of one organization. Where it has no rules, a centre from far off may get " +
        "one person alone, whose values its sums then are",
      arguments: {
        ...question,
        centres: { type: "list", label: "Centres", help: "Where they stand" },
        scales: { type: "list", label: "Scales", help: "By column, that distances are divided by" },
      },
      outputs: [
        { name: "sizes", kind: "count", help: "By cluster: rows", restsOn: "persons" },
        personsOutput,
        withheldOutput,
        selectionsOutput,
        {
          name: "sums",
          kind: "moments",
          help: "By cluster: sums of the columns",
          restsOn: ["sizes", "persons"],
        },
        {
          name: "means",
          kind: "moments",
          help: "By cluster, where the site has rules: means of the columns",
          restsOn: ["sizes", "persons"],
        },
        {
          name: "within",
          kind: "moments",
          help: "By cluster: squared distances from its centre",
          restsOn: ["sizes", "persons"],
        },
      ],
    },
  },
  citations: ["Lloyd SP. IEEE Trans Inf Theory 1982;28:129-137."],
} as const satisfies Description;
