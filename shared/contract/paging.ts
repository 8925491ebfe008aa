/**
 * Lists (contract §1.7): what a caller asks for, and the envelope, links and headers of the answer.
 * @module
 */
import type { Context } from "hono";
import { z } from "zod";
import { SextantError } from "../service/errors.ts";

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

/**
 * Which rows a list request is about. A request without paging arguments is about all of them
 * (§1.7).
 */
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
  const keys = sort.split(",").map((part) => {
    const column = part.trim().replace(/^[+-]/, "");
    if (!columns.includes(column)) {
      throw new SextantError(
        "invalid_request",
        `Cannot sort by ${JSON.stringify(column)}; use one of ${columns.join(", ")}.`,
      );
    }
    return { column, descending: part.trim().startsWith("-") };
  });
  // A column that was named before orders nothing more; it would make the statement longer.
  return keys.filter(({ column }, at) => keys.findIndex((key) => key.column === column) === at);
}

/** The answer of a list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), links: z.record(z.string(), z.string()) });
}

/** The envelope, links and headers of a list answer (§1.7). */
export function pageAnswer<Item>(
  c: Context,
  items: Item[],
  total: number,
  wanted: PageQuery,
): Response {
  return c.json({ data: items, links: describePages(c, total, wanted) });
}

/** Where the rows of a list come from; `shared/storage/row_list.ts` makes it of a table. */
interface Source<Row, Request> {
  page(request: Request & { window: PageWindow }): Promise<List<Row>>;
  all(request: Request): Promise<List<Row>>;
}

type List<Row> =
  | { rows: Row[]; total: number }
  | { batches: AsyncGenerator<Row[]>; total: number };

export interface ListOptions<Row, Item, Request> {
  wanted: PageQuery;
  source: Source<Row, Request>;
  /** Which rows, and in which order. */
  request: Request;
  show: (rows: Row[]) => Item[] | Promise<Item[]>;
}

/**
 * The answer of a list: the page that was asked for, or all of it, of which only a batch is in
 * memory at once.
 */
export async function listAnswer<Row, Item, Request>(
  c: Context,
  { wanted, source, request, show }: ListOptions<Row, Item, Request>,
): Promise<Response> {
  const window = pageWindow(wanted);
  const list = window.limit === undefined
    ? await source.all(request)
    : await source.page({ ...request, window });
  const { total } = list;
  if ("rows" in list) return pageAnswer(c, await show(list.rows), total, wanted);
  return await streamAnswer(c, mapBatches(list.batches, show), total, wanted);
}

/** The answer of a long list: batch by batch, as fast as it is read. */
export async function streamAnswer<Item>(
  c: Context,
  batches: AsyncGenerator<Item[]>,
  total: number,
  wanted: PageQuery,
): Promise<Response> {
  // What fails at once still has an answer of its own.
  const begun = await batches.next();
  const links = describePages(c, total, wanted);
  async function* text(): AsyncGenerator<string> {
    yield `{"links":${JSON.stringify(links)},"data":[`;
    let first = true;
    for (let next = begun; !next.done; next = await batches.next()) {
      const items = next.value;
      if (items.length === 0) continue;
      yield `${first ? "" : ","}${items.map((item) => JSON.stringify(item)).join(",")}`;
      first = false;
    }
    yield "]}";
  }
  c.header("content-type", "application/json");
  return c.body(ReadableStream.from(text()).pipeThrough(new TextEncoderStream()));
}

/** Each batch as `show` makes it. */
async function* mapBatches<Row, Item>(
  batches: AsyncIterable<Row[]>,
  show: (rows: Row[]) => Item[] | Promise<Item[]>,
): AsyncGenerator<Item[]> {
  for await (const rows of batches) yield await show(rows);
}

/** Sets the headers of a list answer, and returns its links. */
function describePages(
  c: Context,
  total: number,
  { page: asked, per_page }: PageQuery,
): Record<string, string> {
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
  // From beyond the end the way back leads to what there is.
  if (page > 1) links.previous = at(Math.max(1, Math.min(page - 1, last)));
  links.self = at(page);
  if (page < last) links.next = at(page + 1);
  if (last > 0) links.last = at(last);
  c.header("total-count", String(total));
  c.header("link", Object.entries(links).map(([rel, to]) => `<${to}>; rel=${rel}`).join(","));
  c.header("access-control-expose-headers", "total-count, Link");
  return links;
}
