/**
 * The shape of a description, for descriptions that come from an algorithm's file.
 * @module
 */
import { z } from "zod";
import type { ArgumentType, Description, OutputKind } from "../algorithms/sextant/description.ts";

const TYPES = [
  "column",
  "columns",
  "number",
  "integer",
  "text",
  "boolean",
  "choice",
  "organizations",
  "condition",
  "list",
  "object",
] as const satisfies readonly ArgumentType[];

const KINDS = [
  "count",
  "table",
  "moments",
  "model",
  "curve",
  "quantiles",
  "estimate",
  "other",
] as const satisfies readonly OutputKind[];

const words = z.string().min(1);
const argument = z.strictObject({
  type: z.enum(TYPES),
  label: words,
  help: words,
  columnType: z.enum(["number", "text", "boolean", "date"]).exactOptional(),
  optional: z.literal(true).exactOptional(),
  default: z.unknown().optional(),
  choices: z.array(z.union([z.string(), z.number()])).min(1).exactOptional(),
  min: z.number().exactOptional(),
  max: z.number().exactOptional(),
}).refine(({ type, choices }) => (type === "choice") === (choices !== undefined), {
  message: 'choices belong to the type "choice", and to it alone',
});

const method = z.strictObject({
  help: words,
  label: words.exactOptional(),
  arguments: z.record(z.string(), argument),
  outputs: z.array(z.strictObject({
    name: words,
    kind: z.enum(KINDS),
    help: words,
    restsOn: words.exactOptional(),
  })),
  internal: z.literal(true).exactOptional(),
  rounds: words.exactOptional(),
});

export const descriptionSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, "must be small letters, digits, - and _"),
  version: z.string().regex(/^\d+\.\d+\.\d+[A-Za-z0-9.+-]{0,20}$/, "must be a version like 1.0.0"),
  summary: words,
  databases: z.number().int().min(0).max(32).exactOptional(),
  methods: z.record(z.string(), method),
  citations: z.array(words).exactOptional(),
}) satisfies z.ZodType<Description, unknown>;
