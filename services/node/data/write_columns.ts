/**
 * Writes rows that DuckDB holds as a file of typed columns, one column after the other.
 * @module
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import { type ColumnFoot, encodeFoot, VALUE_BYTES } from "./columns_file.ts";
import type { LevelCounts } from "../algorithms/api.ts";
import type { TypedColumn } from "./types.ts";

export interface Selection {
  from: string;
  where: string;
  columns: TypedColumn[];
}

/** The condition that every row meets. */
export const ALL_ROWS = "true";

export interface WriteColumnsOptions {
  path: string;
  namesMayLeave: boolean;
}

/** Writes the file at `path`, which must not exist. */
export async function writeColumns(
  connection: DuckDBConnection,
  { from, where, columns }: Selection,
  { path, namesMayLeave }: WriteColumnsOptions,
): Promise<void> {
  const [[length]] = (await connection.runAndReadAll(
    `select count(*)::double from ${from} where ${where}`,
  )).getRows() as [[number]];
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  let offset = 0;
  async function write(bytes: Uint8Array) {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    offset += bytes.length;
  }
  const feet: ColumnFoot[] = [];
  for (const { name, type, value, otherThanNumber } of columns) {
    const foot: ColumnFoot = { name, type, offset, listBytes: 0, otherThanNumber };
    const { bytes, list } = await valuesOf(type, length, connection, {
      value,
      rest: `from ${from} where ${where}`,
    });
    await write(bytes);
    if (list) {
      const text = new TextEncoder().encode(JSON.stringify(list));
      foot.listBytes = text.length;
      foot.counted = countValues(new Uint32Array(bytes.buffer), list.length);
      if (foot.counted.different !== list.length) {
        throw new Error("DuckDB numbered values that no row has");
      }
      await write(text);
    }
    feet.push(foot);
  }
  const foot = { length, columns: feet, namesMayLeave };
  if (where === ALL_ROWS) return await write(encodeFoot(foot));
  const places = new Uint32Array(length);
  await fill(connection, `select rowid::double, rowid::double from ${from} where ${where}`, places);
  const placesAt = offset;
  await write(new Uint8Array(places.buffer));
  await write(encodeFoot({ ...foot, placesAt }));
}

/** Of each row the number of its value, from 1; 0 where there is none. */
function countValues(numbers: Uint32Array, size: number): LevelCounts {
  const rows = new Uint32Array(size + 1);
  for (let row = 0; row < numbers.length; row++) rows[numbers[row]!]!++;
  const counted = { different: 0, missing: rows[0]!, most: 0 };
  for (let value = 1; value <= size; value++) {
    if (rows[value]! > 0) counted.different++;
    counted.most = Math.max(counted.most, rows[value]!);
  }
  return counted;
}

interface Values {
  bytes: Uint8Array<ArrayBuffer>;
  /** The different values of text. */
  list?: string[];
}

async function valuesOf(
  type: TypedColumn["type"],
  length: number,
  connection: DuckDBConnection,
  { value, rest }: { value: string; rest: string },
): Promise<Values> {
  const buffer = new ArrayBuffer(length * VALUE_BYTES[type]);
  const bytes = new Uint8Array(buffer);
  if (type === "number") {
    const sql = `select coalesce((${value})::double, 'nan'::double), rowid::double ${rest}`;
    await fill(connection, sql, new Float64Array(buffer));
    return { bytes };
  }
  if (type === "boolean") {
    await fill(
      connection,
      `select coalesce((${value})::utinyint, 2::utinyint), rowid::double ${rest}`,
      bytes,
    );
    return { bytes };
  }
  // DuckDB numbers the different values: a million texts do not pass one by one.
  await connection.run("drop type if exists different");
  await connection.run(
    `create type different as enum (select distinct (${value}) as value ${rest} and value is not null)`,
  );
  const sql =
    `select coalesce(enum_code((${value})::different)::uinteger + 1, 0)::uinteger, rowid::double ${rest}`;
  await fill(connection, sql, new Uint32Array(buffer));
  const list = await connection.runAndReadAll(
    "select unnest(enum_range(null::different))::varchar",
  );
  return { bytes, list: list.getColumns()[0] as string[] ?? [] };
}

type Numbers = Float64Array | Uint8Array | Uint32Array;

/**
 * Fills `target` with the one column that `sql` selects, in the order of the rows, and makes sure
 * that this is their order: with several threads DuckDB gives the rows of a plain selection in any,
 * and columns in different orders would be numbers of the wrong persons.
 */
async function fill(connection: DuckDBConnection, sql: string, target: Numbers): Promise<void> {
  const result = await connection.stream(sql);
  let row = 0;
  let last = -1;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (!chunk || chunk.rowCount === 0) break;
    const values = itemsOf(chunk.getColumnVector(0));
    for (const place of itemsOf(chunk.getColumnVector(1)).subarray(0, chunk.rowCount)) {
      if (place <= last) throw new Error("DuckDB gave rows out of their order");
      last = place;
    }
    target.set(values.subarray(0, chunk.rowCount), row);
    row += chunk.rowCount;
  }
  if (row !== target.length) throw new Error(`DuckDB gave ${row} rows of ${target.length}`);
}

function itemsOf(vector: unknown): Numbers {
  return (vector as { items: Numbers }).items;
}
