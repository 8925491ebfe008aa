/**
 * What a task asks of a database beside its label: a query, a sheet, steps of preprocessing. What
 * the sandbox does not do is refused: a computation on all rows where some were asked for is a
 * wrong number.
 * @module
 */
import { z } from "zod";
import { DataError } from "./error.ts";
import type { DatabaseType, DataRequest } from "./types.ts";

const bound = z.union([z.number(), z.string()]).nullish().transform((value) => value ?? undefined);
const filterRange = z.strictObject({
  column: z.string(),
  min_: bound,
  max_: bound,
  include_min: z.boolean().default(false),
  include_max: z.boolean().default(false),
});
const step = z.object({ function: z.string(), parameters: z.unknown().optional() });
const given = z.object({
  query: z.string().nullish(),
  sheet_name: z.string().nullish(),
  preprocessing: z.array(step).nullish(),
  arguments: z.unknown().optional(),
});

/**
 * Reads the request of one database of a task, in v6's words. Throws a {@linkcode DataError} for
 * what cannot be done with a database of this type.
 */
export function readRequest(type: DatabaseType, wanted: Record<string, unknown>): DataRequest {
  const parsed = given.safeParse(wanted);
  if (!parsed.success) {
    throw new DataError(
      `What the task asks of it cannot be read: ${z.prettifyError(parsed.error)}`,
    );
  }
  const { query, sheet_name, preprocessing, arguments: values } = parsed.data;
  if (query != null && type !== "sql") {
    throw new DataError(`The task gives it a query, which a database of the type ${type} has not.`);
  }
  if (query == null && type === "sql") {
    throw new DataError("It is of the type sql: the task must give it a query.");
  }
  if (sheet_name != null && type !== "excel") {
    throw new DataError(
      `The task names a sheet of it, which a database of the type ${type} has not.`,
    );
  }
  if (values != null && Object.keys(values).length > 0) {
    throw new DataError(
      "The task gives it arguments, which algorithms in the sandbox do not see. " +
        "An algorithm in a container image can.",
    );
  }
  return {
    query: query ?? undefined,
    sheet: sheet_name ?? undefined,
    steps: (preprocessing ?? []).flatMap((one, index) => readStep(one, index + 1)),
  };
}

function readStep({ function: name, parameters }: z.infer<typeof step>, number: number) {
  if (name === "dummy_preprocess") return []; // v6's own, which leaves all as it is
  if (name !== "filter_range") {
    throw new DataError(
      `Step ${number} of its preprocessing is ${JSON.stringify(name)}, which is not known here: ` +
        "there is filter_range.",
    );
  }
  const range = filterRange.safeParse(parameters);
  if (!range.success) {
    throw new DataError(
      `Step ${number} of its preprocessing (filter_range) cannot be read: ` +
        z.prettifyError(range.error),
    );
  }
  const { column, min_, max_, include_min, include_max } = range.data;
  return [{ column, min: min_, max: max_, includeMin: include_min, includeMax: include_max }];
}
