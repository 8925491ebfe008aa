/**
 * The conventions of the field's HTTP API (contract §1): dates, references, paging, and the schemas of the
 * values that its clients send.
 * @module
 */
import type { Context } from "hono";
import { z } from "zod";
import { SextantError } from "../service/errors.ts";
import { MAX_ID } from "./http.ts";

/** Naive UTC with microseconds when there are any: `2026-03-24T10:00:00.123000`. */
export function dateText(date: Date | null): string | null {
  if (date === null) return null;
  const text = date.toISOString().slice(0, -1);
  return text.endsWith(".000") ? text.slice(0, -4) : `${text}000`;
}

export type Noun =
  | "organization"
  | "collaboration"
  | "study"
  | "node"
  | "user"
  | "role"
  | "rule"
  | "task"
  | "run"
  | "result"
  | "algorithmstore";

/** Methods that the address of one such object answers. Nobody reads them, but they are part of the shape. */
const METHODS: Record<Noun, string[]> = {
  organization: ["GET", "PATCH", "DELETE"],
  collaboration: ["GET", "PATCH", "DELETE"],
  study: ["GET", "PATCH", "DELETE"],
  node: ["GET", "PATCH", "DELETE"],
  user: ["GET", "PATCH", "DELETE"],
  role: ["GET", "PATCH", "DELETE"],
  rule: ["GET"],
  task: ["GET", "DELETE"],
  run: ["GET", "PATCH"],
  result: ["GET"],
  algorithmstore: ["GET", "PATCH", "DELETE"],
};

export interface Reference {
  id: number;
  link: string;
  methods: string[];
}

/** A to-one relation as the API shows it. */
export function reference(noun: Noun, id: number): Reference;
export function reference(noun: Noun, id: number | null): Reference | null;
export function reference(noun: Noun, id: number | null): Reference | null {
  return id === null ? null : { id, link: `/api/${noun}/${id}`, methods: METHODS[noun] };
}

/** A to-many relation as the API shows it: the address of the list. */
export function listLink(noun: Noun, filter: string, id: number): string {
  return `/api/${noun}?${filter}=${id}`;
}

// -- values in bodies ---------------------------------------------------------------------------------------

/** Text that the database can hold. */
export const text = z.string().refine((value) => !value.includes("\0"), "must not contain NUL");

/** An integer as a JSON number or as digits; booleans are not numbers. */
export const integer = z.union([z.number(), z.string().regex(/^-?\d+$/).transform(Number)], {
  error: "must be an integer",
}).pipe(z.number().int().min(-MAX_ID - 1).max(MAX_ID));

/** The id of something. */
export const id = integer.pipe(z.number().min(1, "must be a positive integer"));

export const ids = z.array(id);
export const uniqueIds = ids.refine((list) => new Set(list).size === list.length, "must be unique");

/** The name rule of §1.9. */
export const name = text.pipe(
  z.string().min(1).max(128).regex(/\D/, "must not consist of digits only"),
);

/** A moment in any ISO form; without a zone it is UTC, as the field's programs mean it. */
export const isoDate = text.transform((value, context) => {
  const iso =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;
  const match = iso.exec(value);
  const [, day, time = "00:00", zone = "Z"] = match ?? [];
  const offset = zone.length === 3 ? `${zone}:00` : zone.replace(/(\d\d)(\d\d)$/, "$1:$2");
  const date = new Date(`${day}T${time}${offset.toUpperCase()}`);
  if (match && !Number.isNaN(date.getTime())) return date;
  context.addIssue({ code: "custom", message: "must be a date such as 2026-03-24T10:00:00" });
  return z.NEVER;
});

/** `null` counts as absent: field clients send nulls for what was not given. */
export function nullAsAbsent<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

// -- values in query strings --------------------------------------------------------------------------------

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

export const queryDate = isoDate;

const pageNumber = z.string().regex(/^\d{1,9}$/, "must be a positive integer").transform(Number)
  .pipe(z.number().min(1, "must be at least 1"));

/** The paging and sorting arguments of every list. */
export const pageQuery = z.object({
  page: pageNumber.optional(),
  per_page: pageNumber.optional(),
  sort: z.string().optional(),
});
export type PageQuery = z.infer<typeof pageQuery>;

export interface PageWindow {
  /** `undefined` when the caller did not ask for pages: everything is returned. */
  limit: number | undefined;
  offset: number;
}

const DEFAULT_PER_PAGE = 10;

/** Which rows a list request is about. A request without paging arguments is about all of them (§1.7). */
export function pageWindow({ page, per_page }: PageQuery): PageWindow {
  if (page === undefined && per_page === undefined) return { limit: undefined, offset: 0 };
  const limit = per_page ?? DEFAULT_PER_PAGE;
  return { limit, offset: ((page ?? 1) - 1) * limit };
}

export interface SortKey {
  column: string;
  descending: boolean;
}

/** Parses `sort=-id,name`; a field that is not in `columns` is refused (400). */
export function parseSort(
  sort: string | undefined,
  columns: readonly string[],
  fallback: SortKey,
): SortKey[] {
  if (!sort) return [fallback];
  return sort.split(",").map((part) => {
    const column = part.trim().replace(/^[+-]/, "");
    if (!columns.includes(column)) {
      throw new SextantError(
        "invalid_request",
        `Cannot sort by ${JSON.stringify(column)}; use one of ${columns.join(", ")}.`,
      );
    }
    return { column, descending: part.trim().startsWith("-") };
  });
}

/** The envelope, links and headers of a list answer (§1.7). */
export function pageAnswer<Item>(
  c: Context,
  items: Item[],
  total: number,
  { page: asked, per_page }: PageQuery,
): Response {
  const url = new URL(c.req.url);
  const paged = asked !== undefined || per_page !== undefined;
  const page = asked ?? 1;
  const last = paged ? Math.ceil(total / (per_page ?? DEFAULT_PER_PAGE)) : Math.min(1, total);
  function at(number: number): string {
    const params = new URLSearchParams(url.search);
    params.set("page", String(number));
    return `${url.pathname}?${params}`;
  }
  const links: Record<string, string> = { first: at(1) };
  if (page > 1) links.previous = at(page - 1);
  links.self = at(page);
  if (page < last) links.next = at(page + 1);
  if (last > 0) links.last = at(last);
  c.header("total-count", String(total));
  c.header("link", Object.entries(links).map(([rel, to]) => `<${to}>; rel=${rel}`).join(","));
  c.header("access-control-expose-headers", "total-count, Link");
  return c.json({ data: items, links });
}
