/**
 * Values as the operator sees them: tables, readable dates, no secrets, nothing that the terminal
 * would obey.
 * @module
 */
import { harmless } from "../errors.ts";
import type { Description, Relation } from "../models/description.ts";
import { type AnyRecord, nameOf, RecordBase, stateOf } from "../shell.ts";
import { labelsOf } from "../records/labels.ts";
import { table } from "../../../shared/command_line/table.ts";
import { dateShown } from "../../../shared/command_line/time.ts";
import { grouped } from "./words.ts";

/** How many characters of one value a record shows, and of one that may be very long. */
const LONGEST_VALUE = 2000;
const LONGEST_LARGE_VALUE = 200;

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

/** One line of a table: small values only, relations by id and name, what is minor last. */
function rowOf(record: AnyRecord, { fields, relations }: Description) {
  const labels = labelsOf(stateOf(record).row);
  const cells: Record<string, string> = {};
  const small = Object.keys(fields).filter((name) => !fields[name]!.large && !fields[name]!.hidden);
  const [minor, major] = [true, false].map((wanted) =>
    small.filter((name) => (fields[name]!.minor ?? false) === wanted)
  );
  for (const name of major!) cells[name] = cell(record[name]);
  for (const [name, relation] of Object.entries(relations)) {
    if (isShown(relation)) cells[name] = cell(labels[name]);
  }
  for (const name of minor!) cells[name] = cell(record[name]);
  return cells;
}

function renderRecord(record: RecordBase, width: number): string {
  const { model: { description }, row, given, once } = stateOf(record);
  const labels = labelsOf(row);
  const lines: [name: string, value: string][] = [];
  for (const [name, { hidden, large }] of Object.entries(description.fields)) {
    const longest = large ? LONGEST_LARGE_VALUE : LONGEST_VALUE;
    if (!hidden) lines.push([name, shortened(cell(record[name]), longest)]);
  }
  for (const [name, relation] of Object.entries(description.relations)) {
    if (!isShown(relation)) continue;
    const value = given.has(name) ? assigned(given.get(name)) : cell(labels[name]);
    const model = relation.kind === "one" && value ? `${relation.model} ` : "";
    lines.push([name, model + value]);
  }
  for (const [name, value] of once) {
    lines.push([name, `${cell(value)} (note it now: it cannot be shown again)`]);
  }
  if (!row) lines.push(["(not saved)", ""]);
  else if (given.size > 0) lines.push(["(not saved)", [...given.keys()].join(", ")]);
  return table(lines.map(([name, value]) => ({ [description.name]: name, "": value })), width);
}

function isShown(relation: Relation): boolean {
  return relation.kind === "one" || (relation.kind === "many" && relation.shown === true);
}

function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest)}… (${grouped(text.length)} characters)`;
}

/** What was assigned to a relation and is not saved yet. */
function assigned(value: unknown): string {
  if (Array.isArray(value)) return value.map(assigned).join(", ");
  return value instanceof RecordBase ? nameOf(value).replace(/^\w+ /, "") : cell(value);
}
