/**
 * Parquet files for tests.
 * @module
 */
import { DuckDBInstance } from "@duckdb/node-api";

/** Writes what a query of DuckDB gives: `select * from (values (1.5, 'a')) as t(x, name)`. */
export async function writeParquet(path: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    await connection.run(`copy (${sql}) to '${path}' (format parquet)`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
