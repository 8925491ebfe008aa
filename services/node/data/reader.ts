/**
 * Reads a database with DuckDB into a file of typed columns. Runs in a process of its own
 * (`reader_process.ts`), because a file can be hostile, and large.
 * @module
 */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { findColumns, literal } from "./column_types.ts";
import { type CsvFile, rewriteCsv, scanCsv } from "./csv.ts";
import { decoderLabel } from "./csv_dialect.ts";
import { DataError } from "./error.ts";
import { readExcel } from "./excel.ts";
import { type Batches, loadRows } from "./load_rows.ts";
import { parquetColumns } from "./parquet.ts";
import { readSqlite } from "./sqlite.ts";
import type {
  ColumnDescription,
  Description,
  FilterRange,
  Query,
  ReadJob,
  TypedColumn,
} from "./types.ts";
import { ALL_ROWS, writeColumns } from "./write_columns.ts";

/**
 * Reads, filters and writes. Throws a {@linkcode DataError} for what cannot be read with certainty.
 */
export async function readDatabase(job: ReadJob): Promise<Description> {
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: `${job.memoryMiB}MiB`,
    temp_directory: job.scratch,
    // With more the order of rows is not kept (see `write_columns.ts`).
    threads: "1",
    // What a file says is never a reason to load a program or to reach for another file.
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    // Of a thousand columns it looks at a million pairs, for what none have in common.
    disabled_optimizers: "common_subexpressions",
  });
  const connection = await instance.connect();
  try {
    const query: Query = async (sql) => (await connection.runAndReadAll(sql)).getRowObjects();
    const { columns, description, from } = await load(connection, query, job);
    const where = conditions(job.request.steps, columns);
    if (job.target === undefined) {
      for (const [i, column] of columns.entries()) {
        const different = await countDifferent(query, from, column);
        if (different !== undefined) description.columns[i]!.different = different;
      }
    } else {
      const selection = { from, where, columns };
      await writeColumns(connection, selection, {
        path: job.target,
        namesMayLeave: job.namesMayLeave,
      });
    }
    return description;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

interface Loaded {
  columns: TypedColumn[];
  description: Description;
  /** The table in SQL. */
  from: string;
}

async function load(
  connection: DuckDBConnection,
  query: Query,
  job: ReadJob,
): Promise<Loaded> {
  if (job.type === "csv") return await loadCsv(connection, query, job);
  if (job.type === "parquet") return await loadParquet(connection, query, job);
  const { columns, rows } = await loadRows(connection, await readRows(job));
  await lock(connection);
  const description = { rows, columns: columns.map(describe) };
  return { columns, description, from: "raw" };
}

/** What other libraries than DuckDB read. */
async function readRows({ type, path, request, timeoutSeconds }: ReadJob): Promise<Batches> {
  if (type === "excel") return [await readExcel(path, request.sheet)];
  if (type === "sqlite") return readSqlite(path, request.query!);
  // Only here: the others need not wait for the library.
  const { readPostgres } = await import("./postgres.ts");
  return readPostgres(path, request.query ?? "select 1 as one", { timeoutSeconds });
}

async function loadCsv(
  connection: DuckDBConnection,
  query: Query,
  { path, options, scratch }: ReadJob,
): Promise<Loaded> {
  let file = await scanCsv(path, options, scratch);
  const { dialect } = file;
  try {
    await loadRaw(connection, file);
  } catch (error) {
    // The scan found nothing wrong, so the cells are known; in the canonical form every reader
    // finds the same ones.
    if (file.path !== path) throw error;
    file = await rewriteCsv(file, path, decoderLabel(dialect.encoding, new Uint8Array()), scratch);
    await loadRaw(connection, file);
  }
  await lock(connection);
  const [counted] = await query("select count(*)::double as rows from raw");
  if (counted!.rows !== file.rows) {
    throw new DataError(
      `It has ${file.rows} rows, of which only ${counted!.rows} could be read. It is not used.`,
    );
  }
  const columns = await findColumns(query, dialect.names, options);
  return {
    columns,
    from: "cells",
    description: {
      rows: file.rows,
      columns: columns.map(describe),
      csv: {
        encoding: dialect.encoding,
        separator: dialect.separator,
        blankLines: file.blankLines,
        doubtfulHeader: dialect.doubtful,
      },
    },
  };
}

/**
 * Loads all cells as text into the table `raw`. Nothing of the file's form is left for DuckDB to
 * guess.
 */
async function loadRaw(connection: DuckDBConnection, file: CsvFile): Promise<void> {
  const columns = file.dialect.names.map((_, index) => `'c${index}': 'VARCHAR'`).join(", ");
  const settings = [
    "auto_detect = false",
    `columns = {${columns}}`,
    `delim = ${literal(file.separator)}`,
    `quote = '"'`,
    `escape = '"'`,
    `header = ${file.header}`,
    "skip = 0",
    "strict_mode = true",
    "null_padding = false",
    "ignore_errors = false",
    "encoding = 'utf-8'",
    // DuckDB sets aside sixteen times as much.
    `max_line_size = ${Math.max(2 ** 18, file.longest)}`,
    // Told of CRLF, DuckDB 1.5 finds no row at all; untold it reads both LF and CRLF.
    ...file.lineEnd === "\n" ? [`new_line = '\\n'`] : [],
  ];
  await connection.run("drop table if exists raw");
  await connection.run(
    `create table raw as from read_csv(${literal(file.path)}, ${settings.join(", ")})`,
  );
}

/** From here on no statement reaches a file; what it spills goes to its scratch folder. */
async function lock(connection: DuckDBConnection): Promise<void> {
  await connection.run("set enable_external_access = false");
  await connection.run("set lock_configuration = true");
}

async function loadParquet(
  connection: DuckDBConnection,
  query: Query,
  { path }: ReadJob,
): Promise<Loaded> {
  try {
    await connection.run(`create table raw as from read_parquet(${literal(path)})`);
  } catch (cause) {
    throw new DataError("It is not a valid Parquet file.", { cause });
  }
  await lock(connection);
  const columns = await parquetColumns(query);
  const [counted] = await query("select count(*)::double as rows from raw");
  return {
    columns,
    from: "raw",
    description: { rows: Number(counted!.rows), columns: columns.map(describe) },
  };
}

/** Undefined where values say nothing of who they are of: measured numbers, dates, truth values. */
async function countDifferent(
  query: Query,
  from: string,
  { type, value }: TypedColumn,
): Promise<number | undefined> {
  if (type !== "text" && type !== "number") return undefined;
  const isWhole = type === "text" ? "true" : `coalesce(bool_and(value = trunc(value)), false)`;
  const [counted] = await query(
    `select count(distinct value)::double as different, ${isWhole} as is_whole ` +
      `from (select (${value}) as value from ${from})`,
  );
  return counted!.is_whole === true ? Number(counted!.different) : undefined;
}

function describe({ name, type, missing, numbers }: TypedColumn): ColumnDescription {
  const text = type === "text" && numbers !== undefined;
  return { name, type, missing, ...(text ? { numbers } : {}) };
}

/**
 * The rows that the steps of preprocessing leave, as v6's `filter_range` does: a missing value is
 * in no range.
 */
function conditions(steps: FilterRange[], columns: TypedColumn[]): string {
  const parts = steps.flatMap((step) => {
    const column = columns.find(({ name }) => name === step.column);
    if (!column) {
      throw new DataError(
        `It has no column ${JSON.stringify(step.column)}, which its preprocessing filters by.`,
      );
    }
    const { min, max, includeMin, includeMax } = step;
    return [
      ...min === undefined ? [] : [compare(column, includeMin ? ">=" : ">", min)],
      ...max === undefined ? [] : [compare(column, includeMax ? "<=" : "<", max)],
    ];
  });
  return parts.length === 0 ? ALL_ROWS : parts.join(" and ");
}

function compare({ name, type, value }: TypedColumn, operator: string, bound: number | string) {
  const fits = type === "number" ? typeof bound === "number" : type === "date" &&
    typeof bound === "string";
  if (!fits) {
    throw new DataError(
      `Its column ${JSON.stringify(name)} is ${type}, so it cannot be filtered by ` +
        `a bound that is ${typeof bound === "number" ? "a number" : "text"}.`,
    );
  }
  const asMoment = (text: string) => `try_cast(${text} as timestamptz)`;
  return type === "number"
    ? `(${value}) ${operator} ${Number(bound)}::double`
    : `${asMoment(`(${value})`)} ${operator} ${asMoment(literal(String(bound)))}`;
}
