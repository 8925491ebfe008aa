/**
 * An algorithm's description as v6's algorithm store takes it (`POST /algorithm`, store 4.15.2,
 * `algorithm/store/resource/schema/input_schema.py`).
 * @module
 */
import type { Argument, ArgumentType, Description } from "../algorithms/sextant/description.ts";

const TYPES: Readonly<Record<ArgumentType, string>> = {
  column: "column",
  columns: "column_list",
  number: "float",
  integer: "integer",
  text: "string",
  boolean: "boolean",
  choice: "string",
  organizations: "organization_list",
  condition: "string",
  list: "json",
  object: "json",
};

/** The entry for the algorithm as nodes know it by `image`, whose source is at `codeUrl`. */
export function storeEntry(
  { name, summary, methods, databases = 1 }: Description,
  { image, codeUrl }: { image: string; codeUrl: string },
) {
  const labels = databases === 1
    ? ["default"]
    : Array.from({ length: databases }, (_, index) => `database ${index + 1}`);
  return {
    name,
    description: summary,
    image,
    partitioning: "horizontal",
    vantage6_version: "4.15",
    code_url: codeUrl,
    functions: Object.entries(methods).map(([method, described]) => ({
      name: method,
      ...(described.label ? { display_name: described.label } : {}),
      description: described.help,
      type: described.internal ? "federated" : "central",
      standalone: !described.internal,
      databases: labels.map((label) => ({ name: label })),
      arguments: Object.entries(described.arguments).map(storeArgument),
      ui_visualizations: [],
    })),
  };
}

function storeArgument([name, argument]: [string, Argument]) {
  const { type, label, help, optional, choices } = argument;
  const byDefault = argument.default;
  const isText = typeof byDefault === "string";
  return {
    name,
    display_name: label,
    description: help,
    type: type === "choice" && choices!.every(Number.isInteger) ? "integer" : TYPES[type],
    ...(choices ? { allowed_values: [...choices] } : {}),
    has_default_value: optional === true || byDefault !== undefined,
    default_value: byDefault === undefined ? null : isText ? byDefault : JSON.stringify(byDefault),
  };
}
