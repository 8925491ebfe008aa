/**
 * What most nouns of the API have in common: they are listed, read, made, changed and deleted.
 * @module
 */
import type { z } from "zod";
import { said } from "../../../shared/contract/answers.ts";
import type { Calls, Said } from "../calls.ts";
import { createList, type Filters, type List, type ListOptions } from "../lists.ts";
import type { Query } from "../transport.ts";

export interface CallSettings {
  signal?: AbortSignal;
  /** Of what creates something; a new random one unless given. */
  idempotencyKey?: string;
}

/** The parts of a noun; each takes its types from the schemas of the contract. */
export function nounParts<Item extends z.ZodType>(calls: Calls, path: string, item: Item) {
  type Shown = z.output<Item>;
  return {
    list<Query extends z.ZodType>(filters?: Filters<Query>, options?: ListOptions): List<Shown> {
      return createList(calls, { path, item, filters: filters as never, options });
    },
    get(id: number | string, query?: Query, options?: CallSettings): Promise<Shown> {
      return calls.json("GET", `${path}/${id}`, item, { ...options, query });
    },
    create<Made extends z.ZodType>(
      body: unknown,
      made: Made,
      options?: CallSettings,
    ): Promise<z.output<Made>> {
      return calls.json("POST", path, made, { ...options, body });
    },
    change(id: number | string, body: unknown, options?: CallSettings): Promise<Shown> {
      return calls.json("PATCH", `${path}/${id}`, item, { ...options, body });
    },
    delete(id: number | string, query?: Query, options?: CallSettings): Promise<Said> {
      return calls.json("DELETE", `${path}/${id}`, said, { ...options, query });
    },
  };
}

export interface DeleteOptions extends CallSettings {
  /** Whether what depends on it goes too; else the hub refuses where there is any. */
  dependents?: boolean;
}

export function dependentsOf({ dependents }: DeleteOptions = {}): Query {
  return { delete_dependents: dependents };
}
