/**
 * What a route reads: its body, its query and the ids in its path, each parsed before the handler
 * sees it.
 * @module
 */
import { zValidator } from "@hono/zod-validator";
import type { z } from "zod";
import { type FieldErrors, SextantError } from "../service/errors.ts";
import { MAX_ID } from "./fields.ts";
import { declareFacts } from "./route_facts.ts";

/** Validates the JSON body; 400 with `errors` by field. The handler reads `c.req.valid("json")`. */
export function body<Schema extends z.ZodType>(schema: Schema) {
  const handler = zValidator("json", schema, (result, c) => {
    refuseOtherContent(c.req.header("content-type"));
    if (!result.success) throw invalid("body", result.error);
  });
  return declareFacts(handler, { body: schema });
}

/**
 * Validates the query string; 400 with `errors` by name. The handler reads `c.req.valid("query")`.
 */
export function query<Schema extends z.ZodType>(schema: Schema) {
  const handler = zValidator("query", schema, (result) => {
    if (!result.success) throw invalid("query", result.error);
  });
  return declareFacts(handler, { query: schema });
}

/** The id in a path. Whatever is not one cannot be found: 404, as the contract asks. */
export function pathId(text: string | undefined): number {
  if (text === undefined || !/^\d{1,10}$/.test(text) || Number(text) > MAX_ID) {
    throw new SextantError("not_found", "The id in the address is not a number that can exist.");
  }
  return Number(text);
}

/** The row, or 404 naming what was looked for. */
export function found<Row>(row: Row | undefined, what: string, id: number | string): Row {
  if (row === undefined) throw new SextantError("not_found", `There is no ${what} ${id}.`);
  return row;
}

/**
 * Hono's validator takes a body that is not declared as JSON for an empty one: what it holds would
 * be ignored without a word.
 */
function refuseOtherContent(type: string | undefined): void {
  if (type === undefined || /^application\/([a-z-.]+\+)?json\s*(;|$)/i.test(type)) return;
  throw new SextantError(
    "invalid_request",
    "The body must be JSON and say so: send the header Content-Type: application/json.",
  );
}

function invalid(what: "body" | "query", error: z.core.$ZodError): SextantError {
  const errors = fieldErrors(error);
  return new SextantError("invalid_request", `The ${what} is invalid: ${explain(errors)}`, {
    errors,
  });
}

function fieldErrors(error: z.core.$ZodError): FieldErrors {
  const errors: FieldErrors = {};
  function add(issue: z.core.$ZodIssue, under: PropertyKey[]) {
    const path = [...under, ...issue.path];
    // Of a union the last alternative is the most general one: what it says is what a person wants
    // to know.
    const alternative = issue.code === "invalid_union" ? issue.errors.at(-1) : undefined;
    if (alternative && alternative.length > 0) {
      for (const one of alternative) add(one, path);
      return;
    }
    // zod says of a missing field "expected string, received undefined".
    const missing = issue.code === "invalid_type" && /received undefined$/.test(issue.message);
    const field = path.map(String).join(".") || "_schema";
    (errors[field] ??= []).push(missing ? "is missing" : issue.message);
  }
  for (const issue of error.issues) add(issue, []);
  return errors;
}

function explain(errors: FieldErrors): string {
  const parts = Object.entries(errors).slice(0, 5).map(([field, reasons]) =>
    field === "_schema" ? reasons[0]! : `${field}: ${reasons[0]}`
  );
  return parts.join("; ");
}
