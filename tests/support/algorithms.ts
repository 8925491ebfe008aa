/** What a node's agent tells of an algorithm. */
import type { ToldAlgorithm } from "../../shared/node_protocol/algorithms.ts";

export const TOLD: ToldAlgorithm = {
  image: "deno:tally@1.0.0",
  digest: `sha256:${"a".repeat(64)}`,
  description: {
    name: "tally",
    version: "1.0.0",
    summary: "How many rows have a value in a column.",
    methods: {
      central: {
        label: "Tally",
        help: "Counts the values of all organizations",
        arguments: {
          column: { type: "column", label: "Column", help: "Whose values are counted" },
          above: { type: "number", label: "Above", help: "Only values above it", default: 0 },
        },
        outputs: [{ name: "count", kind: "count", help: "Rows with a value" }],
        rounds: "One",
      },
      partial: { help: "One organization's part", arguments: {}, outputs: [], internal: true },
    },
    citations: ["Of no book."],
  },
  methods: ["central", "partial"],
};
