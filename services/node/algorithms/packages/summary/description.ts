import type { Description, Output } from "sextant/api.ts";
import { momentsOutputs, organizations, personsOutput } from "sextant/common_arguments.ts";
import { selectionsOutput, where, withheldOutput } from "sextant/common_arguments.ts";

const question = {
  columns: { type: "columns", label: "Columns", help: "The columns that are described" },
  categories: {
    type: "list",
    default: [],
    label: "Categories",
    help: "Those of them that hold numbers which are levels of a category",
  },
  group: {
    type: "column",
    optional: true,
    label: "Group",
    help: "A column by whose levels they are described too",
  },
  where,
} as const;

const cell = [
  { name: "missing", kind: "count", help: "Rows without a value" },
  { name: "moments", kind: "moments", help: "Of numbers", each: momentsOutputs },
  { name: "counts", kind: "count", help: "Rows by level", restsOn: "countPersons" },
  { name: "countPersons", kind: "persons", help: "Whose they are" },
  { name: "unnamed", kind: "setting", help: "Whether levels of too few persons are not named" },
] as const satisfies Output[];

export const description = {
  name: "summary",
  version: "1.0.0",
  summary: "Describes columns, in all and by group: how many values, mean and deviation, counts.",
  methods: {
    central: {
      label: "Summary (table 1)",
      help:
        "Describes columns over all organizations. A count that an organization's rules on what " +
        "may leave withhold is null; a mean is of the rows of those that tell theirs. Groups and " +
        "levels of too few persons are left out where they are",
      rows: "none",
      arguments: { ...question, organizations },
      outputs: [
        {
          name: "columns",
          kind: "table",
          help: "By column, in all and by group: n, missing, mean and sd, or counts by level",
          restsOn: "n",
        },
        { name: "groups", kind: "count", help: "Rows by group" },
        { name: "n", kind: "count", help: "Rows" },
        { name: "sites", kind: "count", help: "Rows by organization" },
        {
          name: "left_out",
          kind: "count",
          help:
            "Rows without a group, of groups of too few persons, and those that where takes away",
        },
        {
          name: "withheld",
          kind: "setting",
          help: "What the rules of which organization withheld; only where one has rules",
        },
      ],
      rounds: "One",
    },
    partial: {
      internal: true,
      help: "Describes columns at one organization",
      arguments: question,
      outputs: [
        { name: "rows", kind: "count", help: "Rows", restsOn: "persons" },
        personsOutput,
        { name: "groups", kind: "count", help: "Rows by group", restsOn: "groupPersons" },
        { name: "groupPersons", kind: "persons", help: "Whose they are" },
        { name: "without_group", kind: "count", help: "Rows whose group is missing" },
        { name: "left_out", kind: "count", help: "Rows of groups of too few persons" },
        { name: "where", kind: "count", keys: "setting", help: "Rows that where takes away" },
        withheldOutput,
        selectionsOutput,
        {
          name: "columns",
          kind: "moments",
          help: "By column",
          each: [{
            name: "*",
            kind: "moments",
            keys: "setting",
            help: "Of a column",
            each: [
              { name: "type", kind: "setting", help: "Numbers, a category, or no value" },
              { name: "all", kind: "moments", help: "Of all rows", each: cell },
              {
                name: "groups",
                kind: "moments",
                help: "By group",
                each: [{ name: "*", kind: "moments", help: "Of a group", each: cell }],
              },
            ],
          }],
        },
      ],
    },
  },
} as const satisfies Description;
