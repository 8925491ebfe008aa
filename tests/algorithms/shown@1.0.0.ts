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
    everything: {
      label: "Everything",
      help: "A value with a part for each picture that the page draws",
      rows: "none",
      arguments: { value },
      outputs: [
        { name: "coefficients", kind: "model", restsOn: "n", help: "By term" },
        { name: "n", kind: "count", help: "Rows" },
        { name: "survival", kind: "curve", restsOn: "n", help: "By arm" },
        { name: "ages", kind: "table", help: "By bin" },
        { name: "counts", kind: "table", help: "By level of both" },
        { name: "rows", kind: "levels", help: "Of counts" },
        { name: "columns", kind: "levels", help: "Of counts" },
        { name: "quantiles", kind: "quantiles", restsOn: "n", help: "By probability" },
        { name: "levels", kind: "count", help: "By level" },
        { name: "components", kind: "model", restsOn: "n", help: "By falling variance" },
        { name: "centres", kind: "moments", restsOn: "n", help: "By cluster" },
        { name: "more", kind: "other", help: "Anything else" },
        { name: "notes", kind: "setting", help: "To know" },
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

export function everything(_context: Context, { value }: { value: unknown }) {
  return value;
}

export function anything(_context: Context, { value }: { value: unknown }) {
  return value;
}
