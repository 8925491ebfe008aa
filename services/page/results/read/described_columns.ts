/**
 * The table that describes the persons of a study ("table 1"): columns in all and by group.
 * @module
 */
import type { Cell, Table } from "./pieces.ts";
import { cellOf, isRecord, type Values } from "./values.ts";

/** `{type, all, groups}` by column. */
export function readDescribedColumns(value: unknown): Table | undefined {
  if (!isRecord(value)) return undefined;
  const described = Object.entries(value);
  const isOne = (one: unknown): one is { all: Values; groups: Values } =>
    isRecord(one) && isRecord(one.all) && isRecord(one.groups) &&
    Object.values(one.groups).every(isRecord);
  if (described.length === 0 || !described.every(([, one]) => isOne(one))) return undefined;
  const groups = [
    ...new Set(described.flatMap(([, one]) => Object.keys((one as { groups: Values }).groups))),
  ];
  const rows = described.flatMap(([column, one]) => {
    const { all, groups: by } = one as { all: Values; groups: Record<string, Values> };
    const cells = [all, ...groups.map((group) => by[group])];
    return rowsOf(column, cells);
  });
  return { columns: ["column", "value", "all", ...groups], rows };
}

/** A row for each thing that is told of the column: the same one in all cells. */
function rowsOf(column: string, cells: (Values | undefined)[]): Cell[][] {
  const names = new Set(cells.flatMap((cell) => Object.keys(cell ?? {})));
  return [...names].flatMap((name): Cell[][] => {
    const values = cells.map((cell) => cell?.[name]);
    if (!values.some(isRecord)) return [[column, name, ...values.map(cellOf)]];
    const levels = new Set(values.flatMap((one) => Object.keys(isRecord(one) ? one : {})));
    return [...levels].map((level) => [
      column,
      // As its own name, so that no level is taken for a number of rows.
      `= ${level}`,
      ...values.map((one) => cellOf(isRecord(one) ? one[level] ?? 0 : null)),
    ]);
  });
}
