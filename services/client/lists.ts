/**
 * Lists of the API, read page by page.
 * @module
 */
import type { z } from "zod";
import { pageOf } from "../../shared/contract/paging.ts";
import type { Calls } from "./calls.ts";
import type { Query } from "./transport.ts";

/**
 * What a list may be asked for: the names of the schema's fields, with values as programs have
 * them.
 */
export type Filters<Schema extends z.ZodType> = {
  readonly [Name in keyof z.input<Schema>]?:
    | string
    | number
    | boolean
    | readonly (string | number)[]
    | undefined;
};

export interface ListOptions {
  /** Entries that are asked for at once. */
  perPage?: number;
  signal?: AbortSignal;
}

export interface ListPage<Item> {
  items: Item[];
  /** Whether another page follows. */
  hasMore: boolean;
  /** How many pages there are, and how many entries on all of them. */
  pages: number;
  total: number;
}

/**
 * A list that has not been read yet; each time it is read, the hub is asked anew.
 *
 * To iterate over it reads page by page, while entries come and go: each that is on the list all
 * the while comes, once. Where new ones come last (not tasks, runs and results, unless `sort` says
 * so), one is missed when between two pages as many are added as removed.
 */
export interface List<Item> extends AsyncIterable<Item> {
  /** All of them, in one answer of the hub. */
  all(): Promise<Item[]>;
  /** The first one; `undefined` where there is none. */
  first(): Promise<Item | undefined>;
  /** One page, counted from 1. */
  page(number: number): Promise<ListPage<Item>>;
}

const PER_PAGE = 100;

export function createList<Item extends z.ZodType>(
  calls: Calls,
  { path, item, filters, options = {} }: {
    path: string;
    item: Item;
    filters: Query | undefined;
    options?: ListOptions | undefined;
  },
): List<z.output<Item>> {
  const { perPage = PER_PAGE, signal } = options;
  const schema = pageOf(item);

  async function ask(paging: Query) {
    const { value: { data, links }, headers } = await calls.answer("GET", path, schema, {
      query: { ...filters, ...paging },
      signal,
    });
    return {
      items: data,
      hasMore: "next" in links,
      pages: pagesOf(links.last),
      total: Number(headers.get("total-count") ?? data.length),
    };
  }

  async function* each() {
    // What was added meanwhile moves the others to later pages, where they come again.
    const seen = new Set<unknown>();
    let total = 0;
    for (let number = 1, hasMore = true; hasMore; number++) {
      const page = await ask({ page: number, per_page: perPage });
      for (const one of page.items) {
        const id = (one as { id?: unknown }).id;
        if (id !== undefined && seen.has(id)) continue;
        seen.add(id);
        yield one;
      }
      hasMore = page.hasMore;
      const gone = total - page.total;
      if (number > 1 && gone > 0) {
        // As many may have moved to the pages before, which were read already.
        number = Math.max(0, number - 1 - Math.ceil(gone / perPage));
        hasMore = true;
      }
      total = page.total;
    }
  }

  return {
    [Symbol.asyncIterator]: each,
    all: async () => (await ask({})).items,
    first: async () => (await ask({ page: 1, per_page: 1 })).items[0],
    page: (number) => ask({ page: number, per_page: perPage }),
  };
}

/** The number of the last page, out of its address. */
function pagesOf(last: string | undefined): number {
  const query = new URLSearchParams(last?.split("?", 2)[1]);
  return Number(query.get("page") ?? 0);
}
