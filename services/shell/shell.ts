/**
 * What every part of the shell works with: the session, the models, and what is known of each
 * record.
 * @module
 */
import type { Operator } from "../../shared/storage/audit.ts";
import type { BrokerLink } from "./broker.ts";
import type { Description, ModelName, Row, Tools } from "./models/description.ts";

export interface Shell extends Tools {
  /**
   * Without one, running services hear of changes from their own outbox, within some three seconds.
   */
  broker: BrokerLink | undefined;
  /** Who is at the keyboard, for the audit. */
  operator: Operator;
  models: Record<ModelName, Model>;
  /** Has the operator answer a question; `undefined` where nobody can be asked, as in a script. */
  ask: ((question: string) => Promise<string>) | undefined;
  /** Fires when the operator interrupts what is running now. */
  interrupt(): AbortSignal;
}

export interface ListOptions {
  limit?: number;
  offset?: number;
  /** The newest first. */
  descending?: boolean;
}

/** Records as a list; `more` says whether the database has more that match. */
export type Records = AnyRecord[] & { readonly more: boolean };

export interface Model {
  new (values?: Record<string, unknown>): AnyRecord;
  readonly description: Description;
  readonly shell: Shell;
  /** All records up to one page, or the one with this id; `undefined` when there is none. */
  get(options?: ListOptions): Promise<Records>;
  get(id: number): Promise<AnyRecord | undefined>;
  /** Those whose fields and relations are as given. */
  find(where: Record<string, unknown>, options?: ListOptions): Promise<Records>;
  findOne(where: Record<string, unknown>): Promise<AnyRecord | undefined>;
  /** One record after the other, however many there are. */
  each(where?: Record<string, unknown>): AsyncGenerator<AnyRecord>;
  getMany(ids: number[], options?: ListOptions): Promise<Records>;
  count(where?: Record<string, unknown>): Promise<number>;
  help(): { text: string };
}

/** What is known of a record. */
export interface RecordState {
  model: Model;
  /** As it is in the database; `undefined` for a new record. */
  row: Row | undefined;
  /** What was assigned and is not stored yet, by property. */
  given: Map<string, unknown>;
  /** What can be read this once, such as a new API key. */
  once: Map<string, unknown>;
}

/** What all records have in common; by it they are told from other values. */
export class RecordBase {
  [property: string]: unknown;
}

// deno-lint-ignore no-explicit-any -- properties come from the description
export type AnyRecord = RecordBase & Record<string, any>;

const states = new WeakMap<RecordBase, RecordState>();

export function stateOf(record: RecordBase): RecordState {
  return states.get(record)!;
}

export function setState(record: RecordBase, state: Pick<RecordState, "model" | "row">): void {
  states.set(record, { ...state, given: new Map(), once: new Map() });
}

/** `User 3 "alice"`, as messages call a record. */
export function nameOf(record: RecordBase): string {
  const { model: { description: { name, key, fields } }, row } = stateOf(record);
  const label = fields.name ? record.name : key && record[key];
  const id = row ? ` ${row.id}` : "";
  return `${name}${id}${typeof label === "string" ? ` ${JSON.stringify(label)}` : ""}`;
}

/** The names of all that can be read from a record. */
export function propertiesOf({ fields, relations }: Description): string[] {
  return [...Object.keys(fields), ...Object.keys(relations)];
}
