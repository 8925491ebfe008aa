/**
 * The values that clients send and read (contract §1): text, ids, names, dates, in bodies and in
 * query strings.
 * @module
 */
import { z } from "zod";

/** Postgres integers end here; a larger id cannot exist. */
export const MAX_ID = 2_147_483_647;

/** Naive UTC with microseconds when there are any: `2026-03-24T10:00:00.123000`. */
export function dateText(date: Date): string;
export function dateText(date: Date | null): string | null;
export function dateText(date: Date | null): string | null {
  if (date === null) return null;
  const text = date.toISOString().slice(0, -1);
  return text.endsWith(".000") ? text.slice(0, -4) : `${text}000`;
}

// -- values in bodies -----------------------------------------------------------------------------

/** Text that the database can hold. */
export const text = z.string().refine((value) => !value.includes("\0"), "must not contain NUL");

/** An integer as a JSON number or as digits; booleans are not numbers. */
export const integer = z.union([z.number(), z.string().regex(/^-?\d+$/).transform(Number)], {
  error: "must be an integer",
}).pipe(z.number().int().min(-MAX_ID - 1).max(MAX_ID));

/** The id of something. */
export const id = integer.pipe(z.number().min(1, "must be a positive integer")).meta({
  examples: [1],
});

export const ids = z.array(id);
export const uniqueIds = ids.refine((list) => new Set(list).size === list.length, "must be unique");

/** The name rule of §1.9. */
export const name = text.pipe(
  z.string().min(1).max(128).regex(/\D/, "must not consist of digits only"),
);

const isoMoment = z.iso.datetime({ local: true, offset: true });

/**
 * A moment in any ISO form, or a day; without a zone it is UTC, as v6's programs mean it. A day
 * that no calendar has, such as 30 February, is refused.
 */
export const isoDate = text.transform((value, context) => {
  const parts = /^(\S{10})(?:[T ](\S+?)\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$/i.exec(value);
  const [, day, time = "00:00", zone = "Z"] = parts ?? [];
  const seconds = time.length === 5 ? ":00" : "";
  const moment = `${day}T${time}${seconds}${zoneWithMinutes(zone)}`;
  if (isoMoment.safeParse(moment).success) {
    const date = new Date(moment);
    // In UTC, too, in a year of four digits: the database has no year 0, and writes others
    // otherwise.
    if (date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999) return date;
  }
  context.addIssue({ code: "custom", message: "must be a date such as 2026-03-24T10:00:00" });
  return z.NEVER;
});

/** `+01` and `+0100` as `+01:00`, the one form that zod and `Date` both read. */
function zoneWithMinutes(zone: string): string {
  const digits = zone.replace(":", "");
  return digits.length < 3 ? "Z" : `${digits.slice(0, 3)}:${digits.slice(3) || "00"}`;
}

/** `null` counts as absent: v6's clients send nulls for what was not given. */
export function nullAsAbsent<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

// -- values in query strings ----------------------------------------------------------------------

/** Python writes `True`. */
export const queryBoolean = z.string().transform((value, context) => {
  const lower = value.toLowerCase();
  if (["true", "1"].includes(lower)) return true;
  if (["false", "0"].includes(lower)) return false;
  context.addIssue({ code: "custom", message: "must be true or false" });
  return z.NEVER;
});

export const queryId = z.string().regex(/^\d{1,10}$/, "must be an id").transform(Number).pipe(
  z.number().max(MAX_ID, "must be an id that can exist"),
);

/** A value given once or several times, always as a list. */
export function repeatable<Schema extends z.ZodType>(schema: Schema) {
  return z.union([z.array(schema), schema.transform((value) => [value])]);
}

/** `include=a,b` and `include=a&include=b` mean the same. */
export const queryInclude = z.union([z.string(), z.array(z.string())]).transform((value) =>
  (Array.isArray(value) ? value : [value]).flatMap((part) => part.split(","))
);

/**
 * A date to filter by. v6 leaves the reading of it to its database, which also takes `2026-3-4`,
 * `2026/03/04` and `20260304`.
 */
export const queryDate = z.string().transform((value) => {
  const parts = /^\s*(\d{4})(?:(\d\d)(\d\d)|([-/])(\d{1,2})\4(\d{1,2}))(?=[T\s]|$)(.*?)\s*$/i
    .exec(value);
  if (!parts) return value;
  const [, year, month = parts[5]!, day = parts[6]!] = parts;
  return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}${parts[7]}`;
}).pipe(isoDate);
