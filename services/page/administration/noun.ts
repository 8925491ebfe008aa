/**
 * What a noun of the API says of itself, so that it can be listed, read, made, changed and deleted
 * by the same few screens.
 * @module
 */
import type { ComponentChildren } from "preact";
import type { Principal } from "../../../shared/contract/permissions.ts";
import type { FieldDescription, Values } from "./form_values.ts";

/** Entries of a list that are asked for at once. */
export const PER_PAGE = 25;

export interface Identified {
  id: number;
}

export interface Page<Item> {
  items: Item[];
  /** How many pages there are, and how many entries on all of them. */
  pages: number;
  total: number;
}

export interface ListQuestion {
  /** Counted from 1. */
  page: number;
  /** What a name is to hold; empty for all. */
  search: string;
  /** By the names of {@linkcode Noun.filters}; those that are not empty. */
  filters: Record<string, string>;
  signal: AbortSignal;
}

export interface Column<Item> {
  label: string;
  show(item: Item): ComponentChildren;
}

/** A list as it is shown, for what keeps it up to date. */
export interface ShownList<Item> {
  items: Item[];
  set(items: Item[]): void;
  /** Asks for it again. */
  again(): void;
}

/** A form, and what is done with what stands in it. */
export interface FormDescription {
  fields: FieldDescription[];
  initial: Values;
  /**
   * Rejects with what the hub says. What is sent twice with one key is done once. Where there is
   * something to show that is not to be seen again, resolves with it; else with the record's id.
   */
  send(values: Values, idempotencyKey: string): Promise<number | OnceShown>;
}

/** What the hub shows once, and then never again. */
export interface OnceShown {
  id: number;
  show(done: () => void): ComponentChildren;
}

/** Words of a noun; see `texts/administration.ts`. */
export interface NounWords {
  many: string;
  create: string;
  remove: string;
  /** What goes along when one is deleted. */
  goesAlong: string;
}

export interface Noun<Item extends Identified = Identified> {
  /** In addresses. */
  path: string;
  words: NounWords;
  isShown(): boolean;
  titleOf(item: Item): string;
  list(question: ListQuestion): Promise<Page<Item>>;
  get(id: number, signal: AbortSignal): Promise<Item>;
  /** The first one is the link to the record. */
  columns: Column<Item>[];
  /** Selections above the list, by the names of the API's filters. */
  filters?: FieldDescription[];
  /** Keeps a list that is shown up to date. A hook. */
  useChanges?(list: ShownList<Item>): void;
  create?: {
    may(who: Principal): boolean;
    form(who: Principal): FormDescription;
  };
  change?: {
    may(who: Principal, item: Item): boolean;
    form(who: Principal, item: Item): FormDescription;
  };
  remove?: {
    may(who: Principal, item: Item): boolean;
    send(item: Item, options: { dependents: boolean }): Promise<unknown>;
  };
  /** What is known of it, below its heading. A component. */
  Details(shown: { item: Item; who: Principal; again: () => void }): ComponentChildren;
}
