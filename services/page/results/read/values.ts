/**
 * Values of results, which come from others: looked at before they are used.
 * @module
 */
import type { Cell, Estimate, Table } from "./pieces.ts";

export type Values = Record<string, unknown>;

export function isRecord(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isPlain(value: unknown): value is string | number | bigint | boolean | null {
  return typeof value !== "object" || value === null;
}

/** A list of records, at least one. */
export function isRecords(value: unknown): value is Values[] {
  return Array.isArray(value) && value.length > 0 && value.every(isRecord);
}

/** A finite number; the nearest one of a whole number with more digits. */
export function numberOf(value: unknown): number | null {
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function isNumber(value: unknown): boolean {
  return numberOf(value) !== null;
}

export function cellOf(value: unknown): Cell {
  if (value === undefined) return null;
  return isPlain(value) ? value : { json: jsonText(value) };
}

/** JSON with all digits of whole numbers, and `NaN` and the like as words. */
export function jsonText(value: unknown, indent = 0): string {
  return JSON.stringify(value, (_, one) => {
    if (typeof one === "bigint") return rawJson(String(one));
    return typeof one === "number" && !Number.isFinite(one) ? String(one) : one;
  }, indent) ?? "null";
}

/** Browsers without `JSON.rawJSON` show the digits as text. */
function rawJson(text: string): unknown {
  const { rawJSON } = JSON as unknown as { rawJSON?: (text: string) => unknown };
  return rawJSON ? rawJSON(text) : text;
}

/**
 * Records as rows: a column for each name that one of them has, in the order in which they come.
 */
export function tableOf(records: readonly Values[]): Table {
  const names = new Set<string>();
  for (const record of records) for (const name of Object.keys(record)) names.add(name);
  const columns = [...names];
  return {
    columns,
    rows: records.map((record) =>
      columns.map((name) => Object.hasOwn(record, name) ? cellOf(record[name]) : null)
    ),
  };
}

/** A record of records as rows, which begin with their names. */
export function namedTable(record: Values, first: string): Table {
  return tableOf(
    Object.entries(record).map(([name, one]) => ({
      [first]: name,
      ...isRecord(one) ? flat(one) : { value: one },
    })),
  );
}

/** Records in a record as fields of it: `ratio.low`. Of one level; lists stay what they are. */
export function flat(record: Values): Values {
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, value]) =>
      isRecord(value) && Object.values(value).every(isPlain)
        ? Object.entries(value).map(([inner, one]) => [`${name}.${inner}`, one])
        : [[name, value]]
    ),
  );
}

/** `{estimate, low, high}`, with what else is in it. */
export function readEstimate(name: string, value: unknown): Estimate | undefined {
  if (!isRecord(value)) return undefined;
  const estimate = numberOf(value.estimate);
  if (estimate === null || !("low" in value && "high" in value)) return undefined;
  return { name, value: estimate, low: numberOf(value.low), high: numberOf(value.high) };
}
