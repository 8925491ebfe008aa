/** Says of itself what the library's summary says, and of one person's value that it is of many. */
import type { Context } from "../../../services/node/algorithms/api.ts";

export const description = {
  name: "summary",
  version: "1.0.0",
  summary: "A description of columns over all organizations, in all and by group.",
  methods: {
    partial: {
      internal: true,
      help: "Describes the columns of one organization",
      arguments: {},
      outputs: [
        { name: "n", kind: "count", help: "Rows", restsOn: "persons" },
        { name: "persons", kind: "persons", help: "Of the rows" },
        { name: "mean", kind: "moments", help: "Of a column", restsOn: "n" },
      ],
    },
  },
};

export function partial(context: Context) {
  const mean = context.table().numeric("cost")[7];
  return { n: 1_000_000, persons: 1_000_000, mean, selections: [{ rows: null }] };
}
