/**
 * How a model is described: one table of one service with its fields and relations, as data, and
 * the owning service's functions that change it (its `operator.ts`). The classes, the help and the
 * tables at the prompt are made of this.
 * @module
 */
import type { HubService } from "../../../shared/broker/subjects.ts";
import type { Db, Fragment, Tx } from "../../../shared/storage/db.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { counted } from "../show/words.ts";

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
export type Databases = Record<HubService, Db>;

export type ValueType = "text" | "integer" | "boolean" | "date" | "list" | "object";

export interface Field {
  type: ValueType;
  meaning: string;
  /** As the table and the service's functions call it; the name with underscores, unless given. */
  column: string;
  /**
   * Not stored under this name: computed from the row, or made into something else on its way in.
   */
  virtual?: boolean;
  get?(row: Row): unknown;
  required?: boolean;
  /** An empty text is refused. */
  notEmpty?: boolean;
  /** Written by the services alone. */
  readOnly?: boolean;
  /** May be many megabytes: left out of tables. */
  large?: boolean;
  /** Left out of tables and JSON. */
  hidden?: boolean;
  /** Last in tables, whose last columns find no room on a narrow terminal. */
  minor?: boolean;
}

/** A table that links two models. */
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
    /**
     * `given`: as what the service takes a list of ids; without it the other side keeps the links.
     * `shown`: their names are shown with the record.
     */
    | { kind: "many"; through: LinkTable; given?: string; shown?: true }
    /** The records of the other model whose `column` holds this record's id. */
    | { kind: "back"; column: string }
  );

/**
 * What was set, by column and with ids for records: every value is of its field's type, all that is
 * required is there.
 */
// deno-lint-ignore no-explicit-any -- the descriptions hand them to functions that name each one
export type Values = any;

/** What a change by the owning service leaves to do. */
export interface Outcome {
  id?: number;
  /** A new key, which nobody can read again. */
  api_key?: string;
  /** Ids of nodes that are to be shut out at once. */
  shutOut?: number[];
}

/** What the functions of a model work with. */
export interface Tools {
  /** The operator's word for what is refused without it. */
  force?: boolean;
  databases: Databases;
  now(): Date;
  /** Tells the operator something that is no value. */
  say(line: string): void;
  /**
   * Runs `work` in one transaction of a service, together with what it tells and its record in the
   * audit.
   */
  change<Result>(service: HubService, work: (change: Change) => Promise<Result>): Promise<Result>;
  /**
   * The ids of what was typed: records, ids, names, or a list of these. `where` begins the message
   * if one is none.
   */
  idsOf(model: ModelName, value: unknown, where: string): Promise<number[]>;
  recordsOf(model: ModelName, ids: number[]): Promise<unknown>;
}

export interface Method {
  /** As it is typed, after the dot. */
  usage: string;
  meaning: string;
  // deno-lint-ignore no-explicit-any -- called from the prompt, with whatever was typed
  call(target: any, tools: Tools, ...args: any[]): unknown;
  /** All of a list that `call` gives the beginning of. */
  // deno-lint-ignore no-explicit-any -- called from the prompt, with whatever was typed
  each?(...args: any[]): AsyncGenerator;
}

/** What goes with a record, in words such as `3 users`. */
export interface Dependents {
  /** In the same transaction. */
  atOnce?: string[];
  /** When the other services hear of it. */
  later?: string[];
}

export interface Description {
  name: ModelName;
  service: HubService;
  table: string;
  meaning: string;
  fields: Record<string, Field>;
  relations: Record<string, Relation>;
  /** Columns besides those of fields and relations, for fields that are computed. */
  extraColumns?(tx: Tx): Fragment;
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
  create?(change: Change, values: Values, tools: Tools): Promise<Outcome>;
  update?(change: Change, id: number, values: Values, tools: Tools): Promise<Outcome>;
  remove?(change: Change, id: number, tools: Tools): Promise<Outcome | void>;
  dependents?(databases: Databases, id: number): Promise<Dependents>;
  /** Why this record must stay. */
  forbidden?(row: Row): string | undefined;
}

// -- writing descriptions -------------------------------------------------------------------------

type MakeField = (property: string) => Field;
type MakeRelation = (property: string, own: Pick<Description, "table" | "service">) => Relation;
type Draft =
  & Omit<
    Description,
    "table" | "fields" | "relations" | "lookups" | "notes" | "statics" | "methods"
  >
  & Partial<Pick<Description, "lookups" | "notes" | "statics" | "methods">>
  & { fields: Record<string, MakeField>; relations: Record<string, MakeRelation> };

/**
 * Fills in what follows from the names: the table, the columns of fields and relations, the look-up
 * by the key.
 */
export function describeModel(draft: Draft): Description {
  const { name, service, key } = draft;
  const table = tableOf(name);
  const byKey = key ? { [`getBy${key[0]!.toUpperCase()}${key.slice(1)}`]: [key] } : {};
  return {
    notes: [],
    statics: {},
    methods: {},
    ...draft,
    table,
    lookups: { ...byKey, ...draft.lookups },
    fields: mapValues(draft.fields, (make, property) => make(property)),
    relations: mapValues(draft.relations, (make, property) => make(property, { table, service })),
  };
}

function mapValues<Value, Mapped>(
  record: Record<string, Value>,
  map: (value: Value, key: string) => Mapped,
): Record<string, Mapped> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}

const tableOf = (model: ModelName) => model.toLowerCase();
const columnOf = (property: string) =>
  property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

type FieldOptions = Partial<Omit<Field, "type" | "meaning">>;

function fieldsOf(type: ValueType) {
  return (meaning: string, options: FieldOptions = {}): MakeField => (property) => ({
    type,
    meaning,
    column: columnOf(property),
    ...options,
  });
}
export const text = fieldsOf("text");
export const integer = fieldsOf("integer");
export const boolean = fieldsOf("boolean");
export const date = fieldsOf("date");
export const list = fieldsOf("list");

export const id = integer("number, given when it is saved", { readOnly: true });
export const createdAt = date("when it was made", { readOnly: true, minor: true });
/** Stored only as a digest: never shown but to whom it was just made for. */
export const secret = (meaning: string, options: FieldOptions = {}) =>
  text(meaning, { virtual: true, hidden: true, notEmpty: true, ...options });

/** The record whose id this one holds. */
export function one(
  model: ModelName,
  meaning: string,
  options: { column?: string; required?: boolean; otherwise?: string } = {},
): MakeRelation {
  return (property) => ({ kind: "one", model, meaning, column: `${property}_id`, ...options });
}

/** The records that hold this one's id. */
export function back(model: ModelName, meaning: string, column?: string): MakeRelation {
  return (_, { table }) => ({ kind: "back", model, meaning, column: column ?? `${table}_id` });
}

/** Those that a table links to this one. */
export function many(
  model: ModelName,
  meaning: string,
  { through, given, shown, ...options }: {
    through: string;
    service?: HubService;
    given?: string;
    shown?: true;
  },
): MakeRelation {
  return (_, { table, service }) => ({
    kind: "many",
    model,
    meaning,
    ...(given ? { given } : {}),
    ...(shown ? { shown } : {}),
    through: {
      service,
      table: through,
      own: `${table}_id`,
      other: `${tableOf(model)}_id`,
      ...options,
    },
  });
}

/**
 * How many rows hold `id`: `{users: ["user", "organization_id"]}` → `["3 users"]`; what is none is
 * left out.
 */
export async function countOf(
  db: Db,
  id: number,
  tables: Record<string, [table: string, column: string]>,
): Promise<string[]> {
  const counts: Record<string, number> = {};
  for (const [things, [table, column]] of Object.entries(tables)) {
    const [row] = await db<{ count: number }[]>`
      select count(*)::integer as count from ${db(table)} where ${db(column)} = ${id}`;
    counts[things] = row!.count;
  }
  return counted(counts);
}
