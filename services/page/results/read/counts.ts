/**
 * Counts: by bins, by two levels, by one; and quantiles.
 * @module
 */
import type { Cell, Histogram, Quantiles, Shares, Table } from "./pieces.ts";
import type { Drawn } from "./forests.ts";
import { isNumber, isRecord, isRecords, numberOf, tableOf, type Values } from "./values.ts";

const MOST_BINS = 400;
const MOST_ROWS = 40;
const MOST_LEVELS = 12;
const MOST_BARS = 40;

function isCount(value: unknown): boolean {
  return value === null || isNumber(value);
}

/** `{from, to, count}` of each bin. */
export function readHistogram(value: unknown, column: string | null): Drawn | undefined {
  const isBin = (one: Values) =>
    isCount(one.from) && isCount(one.to) && "count" in one && isCount(one.count) &&
    !(one.from === null && one.to === null);
  if (!isRecords(value) || !value.every(isBin)) return undefined;
  const bins = value.map(({ from, to, count }): Histogram["bins"][number] => ({
    from: numberOf(from),
    to: numberOf(to),
    count: numberOf(count),
  }));
  const inOrder = bins.every(({ from, to }, i) =>
    (from === null || to === null || from < to) && (i === 0 || from !== null) &&
    (i === bins.length - 1 || to !== null) && (i === 0 || bins[i - 1]!.to! <= from!)
  );
  const isDrawn = inOrder && bins.length <= MOST_BINS;
  return {
    table: tableOf(value),
    picture: isDrawn ? { is: "histogram", bins, column } : undefined,
  };
}

/** A list of lists of counts, with the names of both. */
export function readCrosstab(
  value: unknown,
  { rows, columns, rowName }: { rows: unknown; columns: unknown; rowName: string },
): Drawn | undefined {
  const isNames = (names: unknown): names is unknown[] => Array.isArray(names) && names.length > 0;
  if (!isNames(rows) || !isNames(columns) || !Array.isArray(value)) return undefined;
  const isRow = (row: unknown) =>
    Array.isArray(row) && row.length === columns.length && row.every(isCount);
  if (value.length !== rows.length || !value.every(isRow)) return undefined;
  const counts = (value as unknown[][]).map((row) => row.map(numberOf));
  const rowNames = rows.map(String);
  const columnNames = columns.map(String);
  const picture: Shares = { is: "shares", rows: rowNames, columns: columnNames, counts };
  const isDrawn = counts.length <= MOST_ROWS && columns.length <= MOST_LEVELS &&
    counts.flat().some((count) => count !== null && count > 0);
  return {
    table: crosstabTable({ rowNames, columnNames, rowName, counts }),
    picture: isDrawn ? picture : undefined,
  };
}

/** With sums; one of which a part is withheld is unknown. */
function crosstabTable({ rowNames, columnNames, rowName, counts }: {
  rowNames: string[];
  columnNames: string[];
  rowName: string;
  counts: (number | null)[][];
}): Table {
  const sums = columnNames.map((_, i) => sumOf(counts.map((row) => row[i]!)));
  const body = counts.map((row, i): Cell[] => [rowNames[i]!, ...row, sumOf(row)]);
  return {
    columns: [rowName, ...columnNames, "total"],
    rows: [...body, ["total", ...sums, sumOf(sums)]],
  };
}

function sumOf(counts: (number | null)[]): number | null {
  return counts.reduce(
    (sum, count) => sum === null || count === null ? null : sum + count,
    0 as number | null,
  );
}

/** Counts by level. */
export function readCountsByLevel(value: unknown): Drawn | undefined {
  if (!isRecord(value)) return undefined;
  const levels = Object.entries(value);
  if (levels.length === 0 || !levels.every(([, count]) => isCount(count))) return undefined;
  const bars = levels.map(([name, count]) => ({ name, value: numberOf(count) }));
  const isDrawn = levels.length > 1 && levels.length <= MOST_BARS &&
    bars.some(({ value }) => value !== null && value > 0);
  return {
    table: tableOf(levels.map(([level, count]) => ({ level, count }))),
    picture: isDrawn ? { is: "bars", bars } : undefined,
  };
}

/** Values by probability, in a list of `{probability, value}` or a record. */
export function readQuantiles(value: unknown): Drawn | undefined {
  const pairs: [unknown, unknown][] = isRecords(value)
    ? value.map(({ probability, value }) => [probability, value])
    : isRecord(value)
    ? Object.entries(value).map(([name, one]) => [name.trim() === "" ? NaN : Number(name), one])
    : [];
  const isPair = ([probability, one]: [unknown, unknown]) => {
    const p = numberOf(probability);
    return p !== null && p >= 0 && p <= 1 && isCount(one ?? null);
  };
  if (pairs.length === 0 || !pairs.every(isPair)) return undefined;
  const values: Quantiles["values"] = pairs.map(([probability, one]) => ({
    probability: numberOf(probability)!,
    value: numberOf(one),
  }));
  return {
    table: tableOf(values.map(({ probability, value }) => ({ probability, value }))),
    picture: values.some((one) => one.value !== null) ? { is: "quantiles", values } : undefined,
  };
}
