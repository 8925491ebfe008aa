/**
 * What is wrong with a node.yaml, in a line for each thing.
 * @module
 */
import { z } from "zod";
import { closest } from "../../../shared/command_line/closest.ts";
import { configSchema } from "./schema.ts";
import { adviceOnV6Option } from "./v6_options.ts";

/** What is said of the shapes that have no message of their own. */
const SHAPES: Partial<Record<string, string>> = {
  array: "must be a list",
  object: "must hold options, each on a line as name: value",
  string: "must be text",
};

/** The lines about one issue, each led by the option that it is about: `databases[0].label`. */
export function explain(issue: z.core.$ZodIssue): string[] {
  const option = nameOf(issue.path);
  if (issue.code === "unrecognized_keys") {
    const known = optionsAt(issue.path);
    return issue.keys.map((key) => explainUnknown(option ? `${option}.${key}` : key, key, known));
  }
  const subject = option || "the file";
  if (issue.code !== "invalid_type") return [`${subject} ${issue.message}`];
  if (issue.input === undefined) return [`${subject} is missing`];
  return [`${subject} ${SHAPES[issue.expected] ?? issue.message}`];
}

function explainUnknown(option: string, key: string, known: string[]): string {
  const advice = adviceOnV6Option(option);
  if (advice) return `${option} is not an option of this node: ${advice}`;
  const near = closest(key, known);
  const hint = near ? `did you mean ${near}?` : `known here: ${known.join(", ")}`;
  return `${option} is not an option; ${hint}`;
}

function nameOf(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => typeof step === "number" ? `[${step}]` : `.${String(step)}`);
  return steps.join("").replace(/^\./, "");
}

/** The options that exist below a path of the file. */
function optionsAt(path: readonly PropertyKey[]): string[] {
  let schema = unwrap(configSchema);
  for (const step of path) {
    schema = unwrap(
      schema instanceof z.ZodArray
        ? schema.element
        : (schema as z.ZodObject).shape[step as keyof z.ZodObject["shape"]],
    );
  }
  return Object.keys((schema as z.ZodObject).shape);
}

/** The schema behind a default and the like. */
export function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault ||
      schema instanceof z.ZodOptional
    ? unwrap(schema.unwrap())
    : schema;
}
