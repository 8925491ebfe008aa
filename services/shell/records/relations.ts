/**
 * From a record to those it is related to, and from what is typed for a relation to ids.
 * @module
 */
import { ShellError } from "../errors.ts";
import type { LinkTable, ModelName, Relation } from "../models/description.ts";
import { type AnyRecord, type Model, nameOf, RecordBase, type Shell, stateOf } from "../shell.ts";
import { describe } from "../show/words.ts";
import { PAGE_ROWS } from "./rows.ts";
import { MAX_INTEGER } from "./values.ts";

/** What a relation leads to; what was assigned and is not saved yet is given back as it is. */
export async function related(
  record: RecordBase,
  name: string,
  relation: Relation,
): Promise<unknown> {
  const { model: { shell, description }, row, given } = stateOf(record);
  const other = shell.models[relation.model];
  if (given.has(name)) {
    const where = `${description.name}: ${name}`;
    const ids = await idsOf(shell, relation.model, given.get(name), where);
    if (relation.kind !== "one") return await other.getMany(ids);
    return ids[0] === undefined ? undefined : await other.get(ids[0]);
  }
  if (!row) return relation.kind === "one" ? undefined : await other.getMany([]);
  switch (relation.kind) {
    case "one": {
      const id = row[relation.column] as number | null;
      return id === null ? undefined : await other.get(id);
    }
    case "back":
      return await other.find({ [backProperty(other, relation.column)]: row.id });
    case "many": {
      const ids = await linkedIds(shell, relation.through, row.id as number);
      // What can be assigned must be there as a whole: the rest would be lost with the next save.
      return await other.getMany(ids, relation.given ? { limit: ids.length } : {});
    }
  }
}

/** All that a relation leads to, one by one, however many. */
export async function* eachRelated(
  record: RecordBase,
  name: string,
  relation: Relation & { kind: "back" | "many" },
): AsyncGenerator {
  const { model: { shell }, row, given } = stateOf(record);
  const other = shell.models[relation.model];
  if (given.has(name) || !row) yield* await related(record, name, relation) as AnyRecord[];
  else if (relation.kind === "back") {
    yield* other.each({ [backProperty(other, relation.column)]: row.id });
  } else {
    const ids = await linkedIds(shell, relation.through, row.id as number);
    for (let at = 0; at < ids.length; at += PAGE_ROWS) {
      yield* await other.getMany(ids.slice(at, at + PAGE_ROWS));
    }
  }
}

/** The relation of the other model that leads back. */
function backProperty({ description: { relations } }: Model, column: string): string {
  return Object.entries(relations)
    .find(([, one]) => one.kind === "one" && one.column === column)![0];
}

async function linkedIds(
  { databases }: Shell,
  { service, table, own, other }: LinkTable,
  id: number,
): Promise<number[]> {
  const db = databases[service];
  const rows = await db<{ other: number }[]>`
    select ${db(other)} as other from ${db(table)} where ${db(own)} = ${id} order by 1`;
  return rows.map((row) => row.other);
}

/**
 * The ids of what was typed: records, ids, names of records, or a list of these; `where` begins the
 * message if not.
 */
export async function idsOf(
  shell: Shell,
  model: ModelName,
  value: unknown,
  where: string,
): Promise<number[]> {
  const list = value === null || value === undefined ? [] : Array.isArray(value) ? value : [value];
  const ids = new Set<number>();
  for (const one of list) {
    if (one === null || one === undefined) throw new ShellError(`${where} holds ${one}`);
    ids.add(await idOf(shell, model, one, where));
  }
  return [...ids];
}

async function idOf(
  { models, databases }: Shell,
  model: ModelName,
  value: unknown,
  where: string,
): Promise<number> {
  const { key, service, table, fields } = models[model].description;
  const db = databases[service];
  if (typeof value === "string" && key) {
    const column = db(fields[key]!.column);
    let found = await db<{ id: number }[]>`
      select id from ${db(table)} where ${column} = ${value} order by id limit 2`;
    if (found.length === 0) {
      found = await db`
        select id from ${db(table)} where lower(${column}) = lower(${value}) order by id limit 2`;
    }
    if (found.length === 1) return found[0]!.id;
    const many = `several are called ${JSON.stringify(value)}; give the record`;
    const none = `there is no ${model} called ${JSON.stringify(value)}`;
    throw new ShellError(`${where}: ${found.length > 1 ? many : none}`);
  }
  const id = value instanceof RecordBase ? storedIdOf(value, model, where) : value;
  if (!Number.isInteger(id)) {
    throw new ShellError(`${where} must be a ${model} or its id, not ${describe(value)}`);
  }
  const [found] = Math.abs(id as number) > MAX_INTEGER
    ? []
    : await db`select 1 from ${db(table)} where id = ${id as number}`;
  if (!found) throw new ShellError(`${where}: there is no ${model} ${id}`);
  return id as number;
}

/** The id of a record that a relation is given, or asked for, by. */
export function storedIdOf(record: RecordBase, model: ModelName, where: string = model): number {
  const { model: { description }, row } = stateOf(record);
  if (description.name !== model) {
    throw new ShellError(`${where} must be a ${model}, not ${describe(record)}`);
  }
  if (!row) {
    throw new ShellError(`${where}: ${nameOf(record)} is not stored; await its save() first`);
  }
  return row.id as number;
}
