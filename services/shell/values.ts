/**
 * Values as they are typed, checked against the type of the property they are for.
 * @module
 */
import type { ValueType } from "./description.ts";
import { ShellError } from "./errors.ts";

const MAX_INTEGER = 2 ** 31 - 1;

/** Returns `value` as the database takes it; throws a line that names the property. */
export function checked(model: string, property: string, type: ValueType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  const fits = convert(type, value);
  if (fits === undefined) {
    throw new ShellError(`${model}: ${property} must be ${EXPECTED[type]}, not ${describe(value)}`);
  }
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
      const date = value instanceof Date
        ? value
        : typeof value === "string"
        ? new Date(value)
        : null;
      return date && !Number.isNaN(date.getTime()) ? date : undefined;
    }
    case "list":
      return Array.isArray(value) ? value : undefined;
    case "object":
      return typeof value === "object" ? value : undefined;
  }
}

/** A value in a few words, for a message. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "that date";
  if (typeof value === "object" && value !== null) {
    return `a ${value.constructor?.name ?? "object"}`;
  }
  if (typeof value === "function") return "a function";
  return String(value);
}
