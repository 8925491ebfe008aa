/**
 * Values as they are typed, checked against the type of the property they are for.
 * @module
 */
import { isoDate } from "../../../shared/contract/fields.ts";
import { ShellError } from "../errors.ts";
import type { Field, ValueType } from "../models/description.ts";
import { describe } from "../show/words.ts";

/** Postgres integers end here. */
export const MAX_INTEGER = 2 ** 31 - 1;

/** Returns `value` as the database takes it; throws a line that begins with `where`. */
export function checked(
  where: string,
  { type, notEmpty }: Pick<Field, "type" | "notEmpty">,
  value: unknown,
): unknown {
  if (value === null || value === undefined) return null;
  const fits = convert(type, value);
  if (fits === undefined) {
    throw new ShellError(`${where} must be ${EXPECTED[type]}, not ${describe(value)}`);
  }
  if (notEmpty && fits === "") throw new ShellError(`${where} must be text, and not empty`);
  return fits;
}

const EXPECTED: Record<ValueType, string> = {
  text: "text",
  integer: "an integer",
  boolean: "true or false",
  date: "a date",
  list: "a list",
  object: "an object",
};

function convert(type: ValueType, value: unknown): unknown {
  switch (type) {
    case "text":
      if (typeof value === "number" && Number.isFinite(value)) return String(value);
      return typeof value === "string" && !value.includes("\0") ? value : undefined;
    case "integer":
      return Number.isInteger(value) && Math.abs(value as number) <= MAX_INTEGER
        ? value
        : undefined;
    case "boolean":
      return typeof value === "boolean" ? value : undefined;
    case "date": {
      const date = value instanceof Date ? value : dateOf(value);
      return date && !Number.isNaN(date.getTime()) ? date : undefined;
    }
    case "list":
      return Array.isArray(value) ? value : undefined;
    case "object":
      return typeof value === "object" ? value : undefined;
  }
}

/** A date without a zone is UTC, as in the API. */
function dateOf(value: unknown): Date | undefined {
  if (typeof value !== "string") return undefined;
  const iso = isoDate.safeParse(value).data;
  if (iso) return iso;
  const utc = new Date(`${value} UTC`);
  return Number.isNaN(utc.getTime()) ? new Date(value) : utc;
}
