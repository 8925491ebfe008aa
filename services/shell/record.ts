/**
 * A record at the prompt: one row with its relations, changed by assignment and stored by `save()`.
 * @module
 */
import type { Tx } from "../../shared/storage/db.ts";
import type { Description, LinkTable, Relation, Row, Write } from "./description.ts";
import { ShellError } from "./errors.ts";
import type { Model } from "./model.ts";
import { render, renderWidth } from "./render.ts";
import { selectRows } from "./rows.ts";
import { noSuchName, refusingUnknown } from "./typos.ts";
import { inUnit, type Unit } from "./unit.ts";
import { checked, describe } from "./values.ts";
import { listed } from "./words.ts";

interface State {
  model: Model;
  /** As it is in the database; `undefined` for a new record. */
  row: Row | undefined;
  /** What was assigned and is not stored yet, by property. */
  given: Map<string, unknown>;
  /** What can be read this once, such as a new API key. */
  once: Map<string, unknown>;
}

const states = new WeakMap<RecordBase, State>();

export function stateOf(record: RecordBase): State {
  return states.get(record)!;
}

// deno-lint-ignore no-explicit-any -- properties come from the description
export type AnyRecord = RecordBase & Record<string, any>;

/** What the prompt's values of a model have in common. Properties come from the model's description. */
export class RecordBase {
  [property: string]: unknown;

  constructor(model: Model, values: Record<string, unknown> | undefined, row: Row | undefined) {
    states.set(this, { model, row, given: new Map(), once: new Map() });
    for (const [property, value] of Object.entries(values ?? {})) this[property] = value;
  }

  /** Inserts a new record, or updates what was changed. */
  async save(): Promise<this> {
    const { model } = stateOf(this);
    await inUnit(model.shell, [model.description.service], (unit) => saveIn(unit, this));
    return this;
  }

  /** Deletes it with what depends on it; returns a sentence that says what that was. */
  async delete(): Promise<string> {
    const state = stateOf(this);
    const { description, shell } = state.model;
    const name = nameOf(this);
    if (!state.row) throw new ShellError(`${name} is not stored, so there is nothing to delete`);
    if (!description.removal) {
      throw new ShellError(`${name} cannot be deleted: ${description.fixed}`);
    }
    const removal = await description.removal(shell, state.row);
    if (removal.forbidden) {
      throw new ShellError(`${name} cannot be deleted: ${removal.forbidden}`);
    }
    await inUnit(shell, removal.services, (unit) => removal.run(unit));
    state.row = undefined;
    const along = removal.goes.length > 0 ? `, and with it ${listed(removal.goes)}` : "";
    return `${name} is deleted${along}.`;
  }

  /** Reads it again, forgetting what was assigned and not saved. */
  async reload(): Promise<this> {
    const state = stateOf(this);
    if (!state.row) throw new ShellError(`${nameOf(this)} is not stored yet`);
    const { description, shell } = state.model;
    state.row = await storedRow(shell.databases[description.service], state);
    state.given.clear();
    return this;
  }

  /** The model's fields, relations and methods. */
  help(): unknown {
    return stateOf(this).model.help();
  }

  [Symbol.for("Deno.customInspect")](): string {
    return render(this, renderWidth());
  }

  toJSON(): Record<string, unknown> {
    const { model: { description }, row = {} } = stateOf(this);
    const shown: Record<string, unknown> = {};
    for (const name of Object.keys(description.fields)) shown[name] = this[name] ?? null;
    for (const [name, virtual] of Object.entries(description.virtuals)) {
      if (!virtual.hidden) shown[name] = this[name] ?? null;
    }
    for (const [name, relation] of Object.entries(description.relations)) {
      if (relation.kind === "one") shown[name] = row[relation.column] ?? null;
    }
    return shown;
  }
}

// Beyond the class, where names arrive that nothing took: an assignment would be lost without a word.
Object.setPrototypeOf(
  RecordBase.prototype,
  refusingUnknown<RecordBase>(Object.prototype, unknownOfRecord, {
    set(_target, property, _value, record) {
      throw unknownOfRecord(record, String(property));
    },
  }),
);

function unknownOfRecord(record: RecordBase, name: string): ShellError {
  const { description } = stateOf(record).model;
  return unknownProperty(description, name, [
    "save",
    "delete",
    "reload",
    "help",
    ...Object.keys(description.methods),
  ]);
}

// The models are classes; what a model has besides records' properties is told by itself.
Object.setPrototypeOf(
  RecordBase,
  refusingUnknown<Model>(Function.prototype, ({ description }, name) => {
    const { lookups, statics } = description;
    const methods = ["get", "find", "each", "count", "help"];
    return noSuchName(
      `db.${description.name}`,
      name,
      [...methods, ...Object.keys(lookups), ...Object.keys(statics)],
      `see db.${description.name}.help()`,
    );
  }),
);

/** Makes a record of a row that is stored. */
export function adopt(prototype: RecordBase, model: Model, row: Row): AnyRecord {
  const record = Object.create(prototype) as AnyRecord;
  states.set(record, { model, row, given: new Map(), once: new Map() });
  return record;
}

/** All that can be read from a record of a model. */
export function propertiesOf({ fields, virtuals, relations }: Description): string[] {
  return [fields, virtuals, relations].flatMap((one) => Object.keys(one));
}

export function unknownProperty(
  description: Description,
  property: string,
  methods: string[] = [],
): ShellError {
  const candidates = [...propertiesOf(description), ...methods];
  return noSuchName(
    description.name,
    property,
    candidates,
    `see db.${description.name}.help()`,
  );
}

/** `User 3 "alice"`, as messages call a record. */
export function nameOf(record: RecordBase): string {
  const { model: { description }, row } = stateOf(record);
  const label = description.fields.name ? record.name : description.key && record[description.key];
  const id = row ? ` ${row.id}` : "";
  return `${description.name}${id}${typeof label === "string" ? ` ${JSON.stringify(label)}` : ""}`;
}

/** Defines the properties of a model's class: one for each field, virtual and relation. */
export function defineProperties(prototype: RecordBase, model: Model): void {
  const { description } = model;
  for (const [name, field] of Object.entries(description.fields)) {
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: RecordBase) {
        const { given, row } = stateOf(this);
        return given.has(name) ? given.get(name) : row?.[field.column] ?? undefined;
      },
      set(this: RecordBase, value: unknown) {
        refuse(field.readOnly, `${description.name}: ${name} is not set by hand`);
        stateOf(this).given.set(name, checked(description.name, name, field.type, value));
      },
    });
  }
  for (const [name, virtual] of Object.entries(description.virtuals)) {
    Object.defineProperty(prototype, name, {
      enumerable: !virtual.hidden,
      get(this: RecordBase) {
        const { row, once, given } = stateOf(this);
        if (once.has(name)) return once.get(name);
        if (virtual.get && given.has(name)) return given.get(name);
        return row && virtual.get?.(row);
      },
      set(this: RecordBase, value: unknown) {
        refuse(!virtual.settable, `${description.name}: ${name} is not set by hand`);
        stateOf(this).given.set(name, checked(description.name, name, virtual.type, value));
      },
    });
  }
  for (const [name, relation] of Object.entries(description.relations)) {
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: RecordBase) {
        return related(this, name, relation);
      },
      set(this: RecordBase, value: unknown) {
        const settable = relation.kind === "one" ||
          (relation.kind === "many" && relation.assignable);
        refuse(
          !settable,
          `${description.name}: ${name} cannot be assigned; set it on the ${relation.model}`,
        );
        stateOf(this).given.set(name, value);
      },
    });
  }
}

function refuse(condition: boolean | undefined, message: string): void {
  if (condition) throw new ShellError(message);
}

/** What a relation leads to; what was assigned and is not saved yet is given back as it is. */
async function related(record: RecordBase, name: string, relation: Relation): Promise<unknown> {
  const { model, row, given } = stateOf(record);
  const { shell } = model;
  const other = shell.models[relation.model];
  if (given.has(name)) {
    const value = given.get(name);
    const unit = { tx: (service: keyof typeof shell.databases) => shell.databases[service] };
    if (relation.kind === "one") {
      const id = await idOf(unit, model, name, relation, value);
      return id === null ? undefined : await other.get(id);
    }
    return await other.getMany(await idsOf(unit, model, name, relation, value));
  }
  if (!row) return relation.kind === "one" ? undefined : [];
  switch (relation.kind) {
    case "one": {
      const id = row[relation.column];
      return id === null || id === undefined ? undefined : await other.get(id as number);
    }
    case "back":
      return await other.list([(tx) => tx`${tx(relation.column)} = ${row.id as number}`]);
    case "many":
      return await other.getMany(
        await linkedIds(
          shell.databases[relation.through.service],
          relation.through,
          row.id as number,
        ),
      );
  }
}

async function linkedIds(tx: Tx, { table, own, other }: LinkTable, id: number): Promise<number[]> {
  const rows = await tx<{ other: number }[]>`
    select ${tx(other)} as other from ${tx(table)} where ${tx(own)} = ${id} order by 1`;
  return rows.map((row) => row.other);
}

type Reader = Pick<Unit, "tx">;

/** The id that a value of a relation stands for: a record, an id, or the name of a record. */
async function idOf(
  unit: Reader,
  model: Model,
  property: string,
  relation: Relation,
  value: unknown,
): Promise<number | null> {
  const where = `${model.description.name}: ${property}`;
  const other = model.shell.models[relation.model];
  const { key, service, table } = other.description;
  if (value === null || value === undefined) return null;
  const tx = unit.tx(service);
  if (typeof value === "string" && key) {
    const column = other.description.fields[key]!.column;
    const found = await tx<{ id: number }[]>`
      select id from ${tx(table)} where ${tx(column)} = ${value} order by id limit 2`;
    if (found.length === 1) return found[0]!.id;
    const many = `several are called ${JSON.stringify(value)}; give the record`;
    const none = `there is no ${relation.model} called ${JSON.stringify(value)}`;
    throw new ShellError(`${where}: ${found.length > 1 ? many : none}`);
  }
  const id = value instanceof RecordBase ? storedIdOf(value, relation, where) : value;
  if (!Number.isInteger(id) || Math.abs(id as number) > 2 ** 31 - 1) {
    throw new ShellError(`${where} must be a ${relation.model} or its id, not ${describe(value)}`);
  }
  const [found] = await tx`select 1 from ${tx(table)} where id = ${id as number}`;
  if (!found) throw new ShellError(`${where}: there is no ${relation.model} ${id}`);
  return id as number;
}

/** The id of a record that a relation is given, or asked for, by. */
export function storedIdOf(
  record: RecordBase,
  relation: Relation,
  where: string = relation.model,
): number {
  const { model, row } = stateOf(record);
  if (model.description.name !== relation.model) {
    throw new ShellError(`${where} must be a ${relation.model}, not ${describe(record)}`);
  }
  if (!row) {
    throw new ShellError(`${where}: ${nameOf(record)} is not stored; await its save() first`);
  }
  return row.id as number;
}

export async function idsOf(
  unit: Reader,
  model: Model,
  property: string,
  relation: Relation,
  value: unknown,
): Promise<number[]> {
  const list = value === null || value === undefined ? [] : Array.isArray(value) ? value : [value];
  const ids = new Set<number>();
  for (const one of list) {
    const id = await idOf(unit, model, property, relation, one);
    if (id === null) throw new ShellError(`${model.description.name}: ${property} holds ${one}`);
    ids.add(id);
  }
  return [...ids];
}

/** Writes what was assigned, in the unit's transaction of the record's service. */
export async function saveIn(unit: Unit, record: RecordBase): Promise<void> {
  const state = stateOf(record);
  const { model, row: before, given } = state;
  const { description, shell } = model;
  if (description.fixed) {
    throw new ShellError(`${description.name}: cannot be saved; ${description.fixed}`);
  }
  if (before && given.size === 0) return;
  const write: Write = {
    shell,
    unit,
    before,
    given: new Map(),
    columns: {},
    once: new Map(),
  };
  const links = new Map<LinkTable, number[]>();
  const resolved = new Map<string, unknown>();
  for (const [name, value] of given) {
    const field = description.fields[name];
    const relation = description.relations[name];
    resolved.set(name, value);
    if (field) write.columns[field.column] = value;
    else if (relation?.kind === "one") {
      write.columns[relation.column] = await idOf(unit, model, name, relation, value);
    } else if (relation?.kind === "many") {
      links.set(relation.through, await idsOf(unit, model, name, relation, value));
    }
  }
  write.given = resolved;
  await description.prepare?.(write);
  const id = await writeRow(unit, model, before, write.columns);
  for (const [through, ids] of links) await writeLinks(unit, through, id, ids);
  const tx = unit.tx(description.service);
  await description.written?.(write, await storedRow(tx, { model, row: { id } }));
  // The record is given its new state only now; a failed transaction leaves it as it was.
  state.row = await storedRow(tx, { model, row: { id } });
  state.given = new Map();
  state.once = write.once;
}

/** Inserts or updates the row itself; returns its id. */
async function writeRow(
  unit: Unit,
  { description: { service, table, name } }: Model,
  before: Row | undefined,
  columns: Row,
): Promise<number> {
  const { tx } = unit.change(service);
  if (!before) {
    const [row] = Object.keys(columns).length > 0
      ? await tx<{ id: number }[]>`insert into ${tx(table)} ${tx(columns)} returning id`
      : await tx<{ id: number }[]>`insert into ${tx(table)} default values returning id`;
    unit.undo(service, (undoing) => undoing`delete from ${undoing(table)} where id = ${row!.id}`);
    return row!.id;
  }
  const id = before.id as number;
  const condition = tx`id = ${id}`;
  const names = Object.keys(columns);
  const [old] = await tx`
    select ${names.length > 0 ? tx(names) : tx`id`} from ${
    tx(table)
  } where ${condition} for update`;
  if (!old) throw new ShellError(`${name} ${id} does not exist any more`);
  if (names.length > 0) {
    await tx`update ${tx(table)} set ${tx(columns)} where ${condition}`;
    unit.undo(
      service,
      (undoing) => undoing`update ${undoing(table)} set ${undoing({ ...old })} where id = ${id}`,
    );
  }
  return id;
}

/** Makes the links exactly these. */
async function writeLinks(
  unit: Unit,
  through: LinkTable,
  id: number,
  ids: number[],
): Promise<void> {
  const { tx } = unit.change(through.service);
  const before = await linkedIds(tx, through, id);
  await setLinks(tx, through, id, ids);
  unit.undo(through.service, (undoing) => setLinks(undoing, through, id, before));
}

async function setLinks(tx: Tx, { table, own, other }: LinkTable, id: number, ids: number[]) {
  await tx`
    delete from ${tx(table)} where ${tx(own)} = ${id} and ${tx(other)} <> all(${ids})`;
  await tx`
    insert into ${tx(table)} (${tx(own)}, ${tx(other)})
    select ${id}, unnest(${ids}::integer[]) on conflict do nothing`;
}

async function storedRow(tx: Tx, { model, row }: Pick<State, "model" | "row">): Promise<Row> {
  const id = row!.id as number;
  const { rows } = await selectRows(tx, model.description, { where: [tx`id = ${id}`], limit: 1 });
  if (!rows[0]) throw new ShellError(`${model.description.name} ${id} does not exist any more`);
  return rows[0];
}
