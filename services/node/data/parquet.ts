/**
 * The columns of a Parquet file that DuckDB has loaded, with the types that algorithms see.
 * @module
 */
import { DataError } from "./error.ts";
import type { Query, TypedColumn } from "./types.ts";

/**
 * DuckDB's names of types; those of whole numbers that a JavaScript number cannot hold all of are
 * `WIDE`.
 */
const NUMBERS = /^(TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT|UINTEGER|FLOAT|DOUBLE)$/;
const WIDE = /^(BIGINT|UBIGINT|HUGEINT|UHUGEINT|DECIMAL\(\d+,0\))$/;
const DECIMAL = /^DECIMAL\(\d+,\d+\)$/;
const TEXT = /^(VARCHAR|UUID|ENUM\(.*\)|TIME)$/;
const MOMENT = /^TIMESTAMP/;

/** The columns of the table `raw`. Throws a {@linkcode DataError} for lists, groups and bytes. */
export async function parquetColumns(query: Query): Promise<TypedColumn[]> {
  const described = await query("describe raw");
  const columns: TypedColumn[] = [];
  for (const [index, { column_name, column_type }] of described.entries()) {
    const quoted = `"${String(column_name).replaceAll('"', '""')}"`;
    const column = await typed(query, quoted, String(column_type), index + 1);
    const [counts] = await query(
      `select count(*) filter ((${column.value}) is null)::double as missing from raw`,
    );
    columns.push({ name: String(column_name), missing: Number(counts!.missing), ...column });
  }
  return columns;
}

async function typed(
  query: Query,
  column: string,
  type: string,
  number: number,
): Promise<Pick<TypedColumn, "type" | "value">> {
  // A column of numbers has one word for "none", NaN, as pandas has; infinity is a number.
  const asNumber = `case when isnan(${column}::double) then null else ${column}::double end`;
  if (NUMBERS.test(type) || DECIMAL.test(type) && !WIDE.test(type)) {
    return { type: "number", value: asNumber };
  }
  if (WIDE.test(type)) {
    const [widest] = await query(
      `select coalesce(max(abs(${column}::double)) >= 9007199254740992, false) as wide from raw`,
    );
    return widest!.wide
      ? { type: "text", value: `${column}::varchar` }
      : { type: "number", value: `${column}::double` };
  }
  if (type === "BOOLEAN") return { type: "boolean", value: column };
  if (type === "DATE") return { type: "date", value: `strftime(${column}, '%Y-%m-%d')` };
  if (MOMENT.test(type)) return { type: "date", value: momentOf(column, type) };
  if (TEXT.test(type)) return { type: "text", value: `${column}::varchar` };
  throw new DataError(
    `Its column ${number} holds lists, groups or bytes, which the sandbox cannot read.`,
  );
}

function momentOf(column: string, type: string): string {
  const zoned = type === "TIMESTAMP WITH TIME ZONE";
  const utc = zoned ? `(${column} at time zone 'UTC')` : `${column}::timestamp`;
  return `strftime(${utc}, '%Y-%m-%dT%H:%M:%S.%g${zoned ? "Z" : ""}')`;
}
