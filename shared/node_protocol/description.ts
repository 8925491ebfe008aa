/**
 * The shape of an algorithm's description, and how large it may be: for descriptions that come from
 * an algorithm's file, and for those that nodes tell the hub. What its parts mean stands with the
 * type, in `services/node/algorithms/sextant/description.ts`.
 * @module
 */
import { z } from "zod";

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
] as const;

const KINDS = [
  "count",
  "table",
  "moments",
  "model",
  "curve",
  "quantiles",
  "estimate",
  "levels",
  "setting",
  "persons",
  "contributions",
  "other",
] as const;

/** As JSON, in characters. The largest of the library has 12,000. */
export const LONGEST_DESCRIPTION = 65_536;
/** Of a default, as JSON. */
const LONGEST_DEFAULT = 2000;
/** Of methods, of arguments, of outputs, of choices, of citations. */
const MOST = 100;
/** Outputs within outputs. */
const DEEPEST = 6;

/**
 * Text that a terminal and a page can show as it stands: no control characters, and none that turn
 * the direction in which what follows is read.
 */
const PLAIN = /^[^\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]+$/u;

function words(most: number) {
  return z.string().min(1).max(most).regex(PLAIN, "must be plain text on one line");
}
const named = words(100);
const sentence = words(1000);

/** A part of a result, as `services/node/algorithms/sextant/description.ts` explains it. */
interface Output {
  name: string;
  kind: typeof KINDS[number];
  help: string;
  restsOn?: string | string[];
  each?: Output[];
  keys?: "setting";
  terms?: string;
  at?: string;
  contributions?: string;
  partOf?: string;
}

/** What a description says of each name. */
function byName<Schema extends z.ZodType>(schema: Schema) {
  return z.record(named, schema).refine((all) => Object.keys(all).length <= MOST, {
    error: `must have at most ${MOST} entries`,
  });
}

function isShort(value: unknown): boolean {
  return value === undefined || JSON.stringify(value).length <= LONGEST_DEFAULT;
}

/** `object` says what becomes of parts that it does not know. */
function descriptionOf(object: typeof z.object) {
  const argument = object({
    type: z.enum(TYPES),
    label: named,
    help: sentence,
    columnType: z.enum(["number", "text", "boolean", "date"]).exactOptional(),
    optional: z.literal(true).exactOptional(),
    default: z.unknown().refine(isShort, `must be at most ${LONGEST_DEFAULT} characters of JSON`)
      .optional(),
    choices: z.array(z.union([words(200), z.number()])).min(1).max(MOST).exactOptional(),
    min: z.number().exactOptional(),
    max: z.number().exactOptional(),
  }).refine(({ type, choices }) => (type === "choice") === (choices !== undefined), {
    error: 'choices belong to the type "choice", and to it alone',
  });
  const part = {
    name: named,
    kind: z.enum(KINDS),
    help: sentence,
    restsOn: z.union([named, z.array(named).min(1).max(MOST)]).exactOptional(),
    keys: z.literal("setting").exactOptional(),
    terms: named.exactOptional(),
    at: named.exactOptional(),
    contributions: named.exactOptional(),
    partOf: named.exactOptional(),
  };
  // Level by level and not by itself, so that what is in it has an end.
  let output: z.ZodType<Output, Output> = object(part);
  for (let depth = 1; depth < DEEPEST; depth++) {
    output = object({ ...part, each: z.array(output).min(1).max(MOST).exactOptional() });
  }
  const method = object({
    help: sentence,
    label: named.exactOptional(),
    arguments: byName(argument),
    outputs: z.array(output).max(MOST),
    internal: z.literal(true).exactOptional(),
    rows: z.literal("none").exactOptional(),
    rounds: sentence.exactOptional(),
  });
  return object({
    name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, "must be small letters, digits, - and _"),
    version: z.string().regex(
      /^\d+\.\d+\.\d+[A-Za-z0-9.+-]{0,20}$/,
      "must be a version like 1.0.0",
    ),
    summary: sentence,
    databases: z.number().int().min(0).max(32).exactOptional(),
    methods: byName(method),
    citations: z.array(sentence).max(MOST).exactOptional(),
  }).refine((all) => JSON.stringify(all).length <= LONGEST_DESCRIPTION, {
    error: `must be at most ${LONGEST_DESCRIPTION} characters of JSON`,
  });
}

/** As an author writes it: what is not known may be a slip, and is refused. */
export const writtenDescription = descriptionOf(z.strictObject as unknown as typeof z.object);

/** As a node tells it: its agent may be newer than the hub, and what is not known is left out. */
export const toldDescription = descriptionOf(z.object).meta({ id: "AlgorithmDescription" });
export type ToldDescription = z.infer<typeof toldDescription>;
