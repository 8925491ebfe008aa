import type { Description } from "sextant/api.ts";
import { confidence, coverageOutputs, organizations, where } from "sextant/common_arguments.ts";
import { partCoverageOutputs, personsOutput } from "sextant/common_arguments.ts";

const question = {
  time: {
    type: "column",
    columnType: "number",
    label: "Time",
    help: "The time until the event, or until a row was seen last",
  },
  event: {
    type: "column",
    label: "Event",
    help: "Whether the event happened: 1 or true, 0 or false",
  },
  group: {
    type: "column",
    optional: true,
    label: "Group",
    help: "The column whose levels are compared",
  },
  where,
} as const;

export const description = {
  name: "kaplan_meier",
  version: "1.0.0",
  summary: "Survival curves by group, with medians, restricted means and the log-rank test.",
  methods: {
    central: {
      label: "Survival curves",
      help:
        "Estimates survival on the rows of all organizations. One with rules on what may leave " +
        "counts in intervals of time of enough persons, and leaves out groups with too few of them " +
        "or too few events",
      rows: "none",
      arguments: {
        ...question,
        horizon: {
          type: "number",
          min: 0,
          optional: true,
          label: "Horizon",
          help: "Until when the restricted mean is taken",
        },
        confidence,
        organizations,
      },
      outputs: [
        {
          name: "groups",
          kind: "curve",
          help: "By group: n, events, median, restricted mean, and the curve at the events' times",
          restsOn: "n",
        },
        { name: "log_rank", kind: "estimate", help: "Whether groups differ", restsOn: "n" },
        ...coverageOutputs,
      ],
      rounds: "One",
    },
    partial: {
      internal: true,
      help: "Counts one organization's rows by time",
      arguments: question,
      outputs: [
        {
          name: "groups",
          kind: "table",
          help: "By group: at a time it may be a single row, where the site has no rules",
          each: [{
            name: "*",
            kind: "curve",
            help: "Of a group",
            each: [
              { name: "times", kind: "curve", help: "By size", restsOn: "persons" },
              { name: "events", kind: "count", help: "At each time", restsOn: "eventPersons" },
              {
                name: "censored",
                kind: "count",
                help: "Rows that end there without the event",
                restsOn: "censoredPersons",
              },
              { ...personsOutput, help: "At each time" },
              { name: "eventPersons", kind: "persons", help: "With the event" },
              { name: "censoredPersons", kind: "persons", help: "Without it" },
            ],
          }],
        },
        ...partCoverageOutputs,
      ],
    },
  },
  citations: [
    "Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481.",
    "Mantel N. Cancer Chemother Rep 1966;50:163-170.",
  ],
} as const satisfies Description;
