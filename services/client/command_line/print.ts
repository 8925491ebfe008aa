/**
 * What commands print: results to standard output, and what is said of them to standard error. What
 * came from others is made harmless on its way.
 * @module
 */
import { harmless, harmlessJson } from "../../../shared/command_line/harmless.ts";
import { table, terminalWidth } from "../../../shared/command_line/table.ts";
import { dateShown } from "../../../shared/command_line/time.ts";

export function say(text: string): void {
  console.error(harmless(text));
}

export function print(text: string): void {
  console.log(harmless(text));
}

/** A value as JSON on one line, or indented. */
export function printJson(value: unknown, indent = 2): void {
  console.log(harmlessJson(jsonOf(value, indent)));
}

/**
 * JSON that holds all that Python's does: whole numbers with every digit, and the numbers that JSON
 * has no word for as texts ("NaN", "Infinity").
 */
export function jsonOf(value: unknown, indent = 0): string {
  return JSON.stringify(value, (_, one) => {
    if (typeof one === "bigint") return rawJson(String(one));
    return typeof one === "number" && !Number.isFinite(one) ? String(one) : one;
  }, indent) ?? "null";
}

function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}

/** Rows as a table, or as a JSON list. */
export function printRows<Row extends object>(
  rows: readonly Row[],
  { json, none, shown }: {
    json: boolean;
    /** What is printed where there are no rows. */
    none: string;
    /** A row as it is shown in a table. */
    shown: (row: Row) => Record<string, unknown>;
  },
): void {
  if (json) return printJson(rows);
  if (rows.length === 0) return print(none);
  console.log(tableOf(rows.map(shown)));
}

export function tableOf(rows: readonly Record<string, unknown>[]): string {
  const cells = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [harmless(name, " "), cellOf(value)]),
    )
  );
  return table(cells, terminalWidth());
}

/** A value in one line. */
export function cellOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") return harmless(jsonOf(value), " ");
  return harmless(String(value), " ");
}

/** A time of the API (naive UTC) as people read it. */
export function timeOf(text: string | null): string {
  return text === null ? "" : dateShown(new Date(/Z$/.test(text) ? text : `${text}Z`));
}
