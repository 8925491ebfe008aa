/**
 * Returns what it is told to: for tests of how results are shown.
 * @module
 */
import type { Context, Description } from "../../services/node/algorithms/sextant/api.ts";

const value = { type: "object", label: "Value", help: "What it returns" } as const;

export const description = {
  name: "shown",
  version: "1.0.0",
  summary: "Returns what it is told to.",
  methods: {
    model: {
      label: "A model",
      help: "A value with the parts of a model",
      rows: "none",
      arguments: { value },
      outputs: [
        { name: "coefficients", kind: "model", restsOn: "n", help: "By term" },
        { name: "n", kind: "count", help: "Rows" },
        { name: "withheld", kind: "setting", help: "What was withheld" },
      ],
    },
    anything: {
      label: "Anything",
      help: "A value of no kind",
      rows: "none",
      arguments: { value },
      outputs: [],
    },
  },
} as const satisfies Description;

export function model(_context: Context, { value }: { value: unknown }) {
  return value;
}

export function anything(_context: Context, { value }: { value: unknown }) {
  return value;
}
