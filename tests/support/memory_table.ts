/**
 * A table made of values, for tests of what computes on tables.
 * @module
 */
import type { Column, Table } from "../../services/node/algorithms/api.ts";
import { TableError } from "../../services/node/data/table.ts";
import { levelsOfColumn } from "../../services/node/algorithms/sextant/levels.ts";

export type Values = readonly (number | string | boolean | null)[];

export function memoryTable(given: Record<string, Values>): Table {
  const length = Object.values(given)[0]?.length ?? 0;

  function column(name: string): Column {
    const values = given[name];
    if (!values) throw new TableError(`The database "default" has no column "${name}".`);
    const kind = typeof values.find((value) => value !== null);
    const type = kind === "string" ? "text" : kind === "boolean" ? "boolean" : "number";
    return { name, type, values } as unknown as Column;
  }

  function typed(name: string, type: Column["type"]) {
    const found = column(name);
    if (found.type === type) return found.values;
    throw new TypeError(`The column "${name}" holds no ${type}s.`);
  }

  return {
    columns: Object.keys(given),
    length,
    column,
    numeric: (name) => [...typed(name, "number")] as (number | null)[],
    floats: (name) =>
      Float64Array.from(typed(name, "number") as (number | null)[], (value) => value ?? NaN),
    levels: (name) => levelsOfColumn(column(name)),
    booleans: (name) => [...typed(name, "boolean")] as (boolean | null)[],
    dates: (name) => [...typed(name, "date")] as (string | null)[],
  };
}
