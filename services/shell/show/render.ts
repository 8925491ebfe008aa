/**
 * Values as the operator sees them: tables, readable dates, no secrets, nothing that the terminal
 * would obey.
 * @module
 */
import { harmless } from "../errors.ts";
import type { Description } from "../models/description.ts";
import { type AnyRecord, RecordBase, stateOf } from "../shell.ts";
import { table } from "./table.ts";

/** How many characters of one value a record shows. */
const LONGEST_VALUE = 2000;

/** `2026-11-23 21:56:40 UTC` */
export function dateShown(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Any value in one line. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return dateShown(value);
  if (typeof value === "string") return harmless(value, " ");
  if (typeof value === "object") return harmless(JSON.stringify(value), " ");
  return String(value);
}

/** A value as the prompt prints it; `undefined` prints nothing. */
export function render(value: unknown, width: number): string {
  if (value instanceof RecordBase) return renderRecord(value, width);
  if (Array.isArray(value)) {
    const list = renderList(value, width);
    if (list !== undefined) return list;
  }
  if (typeof value === "string") return harmless(value);
  return harmless(Deno.inspect(value, { depth: 6, strAbbreviateSize: 10_000, breakLength: width }));
}

function renderList(list: unknown[], width: number): string | undefined {
  if (list.length === 0) return (list as { summary?: string }).summary ?? "(none)";
  const [first] = list;
  if (first instanceof RecordBase) {
    const { model } = stateOf(first);
    const alike = list.every((one) => one instanceof RecordBase && stateOf(one).model === model);
    if (!alike) return undefined;
    const rows = (list as AnyRecord[]).map((record) => rowOf(record, model.description));
    return table(rows, width);
  }
  if (!list.every(isPlainObject)) return undefined;
  const rows = (list as Record<string, unknown>[]).map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [harmless(name, " "), cell(value)]),
    )
  );
  return table(rows, width);
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** One line of a table: small values only, relations by id. */
function rowOf(record: AnyRecord, { fields, relations }: Description) {
  const { row = {} } = stateOf(record);
  const cells: Record<string, string> = {};
  for (const [name, { large, hidden }] of Object.entries(fields)) {
    if (!large && !hidden) cells[name] = cell(record[name]);
  }
  for (const [name, relation] of Object.entries(relations)) {
    if (relation.kind === "one") cells[name] = cell(row[relation.column]);
  }
  return cells;
}

function renderRecord(record: RecordBase, width: number): string {
  const { model: { description }, row, given, once } = stateOf(record);
  const lines: [name: string, value: string][] = [];
  for (const [name, { hidden }] of Object.entries(description.fields)) {
    if (!hidden) lines.push([name, cell(record[name]).slice(0, LONGEST_VALUE)]);
  }
  for (const [name, relation] of Object.entries(description.relations)) {
    if (relation.kind !== "one") continue;
    const value = given.has(name) ? assigned(given.get(name)) : cell(row?.[relation.column]);
    lines.push([name, value ? `${relation.model} ${value}` : ""]);
  }
  for (const [name, value] of once) {
    lines.push([name, `${cell(value)} (note it now: it cannot be shown again)`]);
  }
  if (!row) lines.push(["(not saved)", ""]);
  else if (given.size > 0) lines.push(["(not saved)", [...given.keys()].join(", ")]);
  return table(lines.map(([name, value]) => ({ [description.name]: name, "": value })), width);
}

function assigned(value: unknown): string {
  if (!(value instanceof RecordBase)) return cell(value);
  return cell(stateOf(value).row?.id ?? "not saved");
}
