import type { Description } from "sextant/api.ts";
import { organizations, where } from "sextant/common_arguments.ts";

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

export const description = {
  name: "summary",
  version: "1.0.0",
  summary: "Describes columns, in all and by group: how many values, mean and deviation, counts.",
  methods: {
    central: {
      label: "Summary (table 1)",
      help: "Describes columns over all organizations",
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
          help: "Rows without a group, and those that where takes away",
        },
      ],
      rounds: "One",
    },
    partial: {
      internal: true,
      help: "Describes columns at one organization",
      arguments: question,
      outputs: [
        { name: "rows", kind: "count", help: "Rows" },
        { name: "groups", kind: "count", help: "Rows by group" },
        { name: "without_group", kind: "count", help: "Rows whose group is missing" },
        { name: "where", kind: "count", help: "Rows that where takes away" },
        { name: "columns", kind: "moments", help: "By column: moments or counts", restsOn: "rows" },
      ],
    },
  },
} as const satisfies Description;
