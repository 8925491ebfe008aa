/**
 * How a model is described: one table of one service, its fields and relations, and what else happens when a
 * record of it is written. The classes, the help and the tables at the prompt are all made from this.
 * @module
 */
import type { Fragment, Tx } from "../../shared/storage/db.ts";
import type { HubService } from "../../shared/broker/subjects.ts";
import type { Shell } from "./shell.ts";
import type { Unit } from "./unit.ts";

export const MODEL_NAMES = [
  "Organization",
  "User",
  "Role",
  "Rule",
  "Collaboration",
  "Study",
  "Node",
  "Task",
  "Result",
] as const;
export type ModelName = typeof MODEL_NAMES[number];

/** A row of the database, or a part of one, by column. */
export type Row = Record<string, unknown>;

export type ValueType = "text" | "integer" | "boolean" | "date" | "list" | "object";

/** A column that the shell shows. A column that holds a secret is no field of any model. */
export interface Field {
  column: string;
  type: ValueType;
  meaning: string;
  required?: boolean;
  /** Written by the services alone. */
  readOnly?: boolean;
  /** May be many megabytes: left out of tables. */
  large?: boolean;
}

/** A property that is no column: computed from the row, or turned into something else on its way in. */
export interface Virtual {
  type: ValueType;
  meaning: string;
  get?(row: Row): unknown;
  settable?: boolean;
  /** Left out of tables and JSON. */
  hidden?: boolean;
}

export interface LinkTable {
  service: HubService;
  table: string;
  /** The column that holds this record's id. */
  own: string;
  /** The column that holds the other's. */
  other: string;
}

export type Relation =
  & { model: ModelName; meaning: string }
  & (
    | { kind: "one"; column: string; required?: boolean; otherwise?: string }
    /** `assignable`: a list can be given; otherwise the other side keeps the links. */
    | { kind: "many"; through: LinkTable; assignable: boolean }
    /** The records of the other model whose `column` holds this record's id. */
    | { kind: "back"; column: string }
  );

/** One record on its way into the database. */
export interface Write {
  shell: Shell;
  unit: Unit;
  /** The row as it is stored; `undefined` for a new record. */
  before: Row | undefined;
  /** What the operator set, by property; relations as ids. */
  given: ReadonlyMap<string, unknown>;
  /** What goes into the row; `prepare` may add to it. */
  columns: Row;
  /** What the record shows after this, and nobody can read again. */
  once: Map<string, unknown>;
}

/** What a deletion takes along, said in one line. */
export interface Removal {
  services: HubService[];
  /** What goes with it, such as `3 users`. */
  goes: string[];
  /** What must be done first, if anything. */
  forbidden?: string;
  run(unit: Unit): Promise<void>;
}

export interface Method {
  /** As it is typed, after the dot. */
  usage: string;
  meaning: string;
  // deno-lint-ignore no-explicit-any -- called from the prompt, with whatever was typed
  call(target: any, ...args: any[]): unknown;
}

export interface Description {
  name: ModelName;
  service: HubService;
  table: string;
  meaning: string;
  fields: Record<string, Field>;
  virtuals: Record<string, Virtual>;
  relations: Record<string, Relation>;
  /** Columns besides those of fields and relations, for `virtuals`. */
  extraColumns?: (tx: Tx) => Fragment;
  /** The field that names a record: a relation can be given by it. */
  key?: string;
  /** `getBy…` methods: the fields or relations they ask for, in order. */
  lookups: Record<string, string[]>;
  /** Why records of this model are neither made nor changed here. */
  fixed?: string;
  /** Sentences for `help()`. */
  notes: string[];
  statics: Record<string, Method>;
  methods: Record<string, Method>;
  /** Completes `columns` before they are written. */
  prepare?(write: Write): Promise<void>;
  /** In the same transaction, after the row and its links were written: what it is told by. */
  written?(write: Write, row: Row): Promise<void> | void;
  /** How a record of this model goes. */
  removal?(shell: Shell, row: Row): Promise<Removal>;
}
