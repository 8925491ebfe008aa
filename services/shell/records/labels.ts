/**
 * The names of what a row is related to, read with it: a number says nothing to a person.
 * @module
 */
import type { Description, ModelName, Relation, Row } from "../models/description.ts";
import type { Shell } from "../shell.ts";

/** By relation: `1 IKNL`, or for several of them `Root, Viewer`. */
export type Labels = Record<string, string>;

const labels = new WeakMap<Row, Labels>();

/** The labels of a row; empty while none were read. */
export function labelsOf(row: Row | undefined): Labels {
  return (row && labels.get(row)) ?? {};
}

/** Reads the names for all rows, a query for each relation. */
export async function readLabels(
  shell: Shell,
  { relations }: Description,
  rows: Row[],
): Promise<void> {
  if (rows.length === 0) return;
  for (const row of rows) labels.set(row, {});
  await Promise.all(
    Object.entries(relations).map(async ([name, relation]) => {
      if (relation.kind === "one") await labelOne(shell, { name, relation, rows });
      else if (relation.kind === "many" && relation.shown) {
        await labelMany(shell, { name, relation, rows });
      }
    }),
  );
}

interface Labelling<Kind extends Relation["kind"]> {
  name: string;
  relation: Relation & { kind: Kind };
  rows: Row[];
}

async function labelOne(
  shell: Shell,
  { name, relation: { model, column }, rows }: Labelling<"one">,
): Promise<void> {
  const names = await namesOf(shell, model, rows.map((row) => row[column] as number | null));
  for (const row of rows) {
    const id = row[column] as number | null;
    if (id !== null) labelsOf(row)[name] = [id, names.get(id)].filter(Boolean).join(" ");
  }
}

async function labelMany(
  shell: Shell,
  { name, relation: { model, through }, rows }: Labelling<"many">,
): Promise<void> {
  const db = shell.databases[through.service];
  const own = db(through.own);
  const links = await db<{ own: number; other: number }[]>`
    select ${own} as own, ${db(through.other)} as other from ${db(through.table)}
    where ${own} = any(${rows.map((row) => row.id as number)}) order by 1, 2`;
  const names = await namesOf(shell, model, links.map((one) => one.other));
  const others = Map.groupBy(links, (one) => one.own);
  for (const row of rows) {
    const linked = others.get(row.id as number) ?? [];
    labelsOf(row)[name] = linked.map(({ other }) => names.get(other) ?? other).join(", ");
  }
}

async function namesOf(
  { databases, models }: Shell,
  model: ModelName,
  ids: (number | null)[],
): Promise<Map<number, string>> {
  const { service, table, fields, key } = models[model].description;
  const field = fields.name ?? (key && fields[key]);
  const wanted = [...new Set(ids.filter((id) => id !== null))];
  if (!field || wanted.length === 0) return new Map();
  const db = databases[service];
  const rows = await db<{ id: number; name: string }[]>`
    select id, ${db(field.column)} as name from ${db(table)} where id = any(${wanted})`;
  return new Map(rows.map(({ id, name }) => [id, name]));
}
