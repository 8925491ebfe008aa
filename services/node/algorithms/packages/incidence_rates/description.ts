import type { Description } from "sextant/api.ts";
import { confidence, coverageOutputs, organizations, where } from "sextant/common_arguments.ts";
import { partCoverageOutputs, personsOutput } from "sextant/common_arguments.ts";

const question = {
  events: {
    type: "column",
    label: "Events",
    help: "How many events each row has: whole numbers, or truth values",
  },
  person_time: {
    type: "column",
    columnType: "number",
    label: "Person-time",
    help: "How long each row was at risk",
  },
  group: {
    type: "column",
    optional: true,
    label: "Group",
    help: "The column whose levels are compared",
  },
  strata: {
    type: "column",
    optional: true,
    label: "Strata",
    help: "The column that rates are standardised by, as a group of age",
  },
  where,
} as const;

export const description = {
  name: "incidence_rates",
  version: "1.0.0",
  summary: "Incidence rates and their ratios, also standardised directly and indirectly (SMR).",
  methods: {
    central: {
      label: "Incidence rates",
      help:
        "Counts events and person-time of the rows of all organizations. What an organization's " +
        "rules on what may leave withhold is null, and so is what it is a part of",
      rows: "none",
      arguments: {
        ...question,
        reference: {
          type: "text",
          optional: true,
          label: "Reference group",
          help: "The group that others are compared with: the first unless given",
        },
        standard: {
          type: "object",
          optional: true,
          label: "Standard population",
          help:
            "By stratum, how much it counts in directly standardised rates: the person-time of " +
            "all groups unless given",
        },
        standard_rates: {
          type: "object",
          optional: true,
          label: "Standard rates",
          help:
            "By stratum, the rate by one unit of person-time, from which the expected events of " +
            "an SMR follow: the rate of all groups unless given",
        },
        per: {
          type: "number",
          min: 1e-9,
          default: 1,
          label: "Per",
          help: "Rates are given for so much person-time, as 1000",
        },
        confidence,
        organizations,
      },
      outputs: [
        {
          name: "groups",
          kind: "estimate",
          help:
            "By group: rows, events, person-time, the rate with its exact interval, its exact " +
            "ratio to and difference from the reference group's, the directly standardised rate " +
            "with Fay and Feuer's interval, and the SMR with its exact interval",
          restsOn: "n",
        },
        { name: "total", kind: "estimate", help: "Of all groups together", restsOn: "n" },
        { name: "strata", kind: "table", help: "By stratum: events and person-time", restsOn: "n" },
        { name: "reference", kind: "setting", help: "The group that others are compared with" },
        { name: "per", kind: "setting", help: "The person-time that rates are given for" },
        ...coverageOutputs,
      ],
      rounds: "One",
    },
    partial: {
      internal: true,
      help: "Counts events and person-time of one organization by group and stratum",
      arguments: question,
      outputs: [
        {
          name: "cells",
          kind: "table",
          help: "By group and stratum",
          each: [
            { name: "group", kind: "levels", help: "Its level", restsOn: "persons" },
            { name: "stratum", kind: "levels", help: "Its level", restsOn: "persons" },
            { name: "n", kind: "count", help: "Rows", restsOn: "persons" },
            { name: "events", kind: "count", help: "Of these", restsOn: "eventPersons" },
            {
              name: "time",
              kind: "moments",
              help: "Person-time",
              restsOn: ["n", "persons"],
              contributions: "contributions",
            },
            personsOutput,
            { name: "eventPersons", kind: "persons", help: "With an event" },
            {
              name: "contributions",
              kind: "contributions",
              help: "Of single persons to the person-time, where a rule asks for them",
            },
          ],
        },
        ...partCoverageOutputs,
      ],
    },
  },
  citations: [
    "Garwood F. Biometrika 1936;28:437-442.",
    "Fay MP, Feuer EJ. Stat Med 1997;16:791-801.",
    "Breslow NE, Day NE. Statistical Methods in Cancer Research II. IARC 1987.",
  ],
} as const satisfies Description;
