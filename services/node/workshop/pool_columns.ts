/**
 * The rows of several tables in one, for a comparison with the analysis of pooled rows.
 * @module
 */
import type { Column } from "../algorithms/api.ts";
import { type ColumnFoot, encodeFoot } from "../data/columns_file.ts";
import { openTable } from "../data/table.ts";

/** A table and what people call it. */
export interface Part {
  name: string;
  /** Its file of columns. */
  path: string;
}

/**
 * Writes all rows of the parts to the file of columns `target`. Throws when they do not have the
 * same columns of the same types.
 */
export async function poolColumns(parts: readonly Part[], target: string): Promise<void> {
  const tables = parts.map(({ name, path }) => ({ name, table: openTable(name, path) }));
  const [first] = tables;
  for (const { name, table } of tables) {
    const differs = [...table.columns].sort().join("\n") !==
      [...first!.table.columns].sort().join("\n");
    if (differs) {
      throw new Error(`Cannot pool the rows: ${first!.name} and ${name} have different columns.`);
    }
  }
  using file = await Deno.open(target, { write: true, createNew: true });
  let offset = 0;
  async function write(bytes: Uint8Array) {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    offset += bytes.length;
  }
  const columns: ColumnFoot[] = [];
  for (const name of first!.table.columns) {
    const found = tables.map(({ name: part, table }) => ({ part, column: table.column(name) }));
    const type = commonType(name, found);
    const values = found.flatMap(({ column }) => column.values as (Column["values"][number])[]);
    const foot: ColumnFoot = { name, type, offset, listBytes: 0 };
    const { bytes, list } = encode(type, values);
    await write(bytes);
    if (list) {
      const text = new TextEncoder().encode(JSON.stringify(list));
      foot.listBytes = text.length;
      await write(text);
    }
    columns.push(foot);
  }
  const length = tables.reduce((sum, { table }) => sum + table.length, 0);
  await write(encodeFoot({ length, columns, namesMayLeave: true }));
}

/** A column without any value has no type of its own. */
function commonType(name: string, found: { part: string; column: Column }[]): Column["type"] {
  const typed = found.filter(({ column }) => column.values.some((value) => value !== null));
  const [first] = typed.length > 0 ? typed : found;
  const other = typed.find(({ column }) => column.type !== first!.column.type);
  if (!other) return first!.column.type;
  throw new Error(
    `Cannot pool the rows: the column "${name}" is ${first!.column.type} in ${first!.part} and ` +
      `${other.column.type} in ${other.part}.`,
  );
}

function encode(
  type: Column["type"],
  values: Column["values"][number][],
): { bytes: Uint8Array; list?: string[] } {
  if (type === "number") {
    const numbers = Float64Array.from(values, (value) => value === null ? NaN : value as number);
    return { bytes: new Uint8Array(numbers.buffer) };
  }
  if (type === "boolean") {
    return { bytes: Uint8Array.from(values, (value) => value === null ? 2 : value ? 1 : 0) };
  }
  const list = [...new Set(values.filter((value) => value !== null))] as string[];
  const places = new Map(list.map((value, index) => [value, index + 1]));
  const codes = Uint32Array.from(
    values,
    (value) => value === null ? 0 : places.get(value as string)!,
  );
  return { bytes: new Uint8Array(codes.buffer), list };
}
