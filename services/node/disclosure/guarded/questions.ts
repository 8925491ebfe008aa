/**
 * What may be asked of a table without its rows: a closed list, checked before anything is
 * computed.
 * @module
 */
import { z } from "zod";

const MOST_COLUMNS = 100;
const MOST_NUMBERS = 10_000;

const column = z.string().min(1);
const columns = z.array(column).max(MOST_COLUMNS)
  .refine((all) => new Set(all).size === all.length, "must name each column once");
const where = z.string().nullish().transform((one) => one ?? undefined);
const numbers = z.array(z.number()).max(MOST_NUMBERS);
const label = { label: z.string() };

const term = z.union([
  column,
  z.strictObject({ column, level: z.union([z.string(), z.number(), z.boolean()]) })
    .transform(({ column, level }) => ({ column, level: String(level) })),
]);

const questionSchema = z.discriminatedUnion("ask", [
  z.strictObject({ ask: z.literal("describe"), ...label }),
  z.strictObject({
    ask: z.literal("groups"),
    ...label,
    columns,
    where,
    sums: columns.nullish().transform((one) => one ?? []),
  }),
  z.strictObject({
    ask: z.literal("crossProducts"),
    ...label,
    terms: z.array(term).min(1).max(MOST_COLUMNS),
    where,
    weights: column.nullish().transform((one) => one ?? undefined),
  }),
  z.strictObject({
    ask: z.literal("riskSets"),
    ...label,
    time: column,
    event: column,
    times: numbers.min(1).nullish().transform((one) => one ?? undefined),
    where,
    by: columns.nullish().transform((one) => one ?? []),
  }),
  z.strictObject({
    ask: z.literal("quantileCounts"),
    ...label,
    column,
    thresholds: numbers.min(1),
    where,
  }),
]);

export type Question = z.infer<typeof questionSchema>;

/** Reads a question; throws an error that says what it cannot be. */
export function readQuestion(input: unknown): Question {
  const parsed = questionSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const { ask } = input as { ask?: unknown };
  const issues = parsed.error.issues.map(({ path, message }) =>
    [path.join("."), message].filter(Boolean).join(": ")
  );
  throw new TypeError(`${String(ask)}() cannot take that: ${issues.join("; ")}.`);
}
