/**
 * Parquet files for the sandbox, which has no packages: the agent reads them and lays down typed
 * tables instead.
 * @module
 */
import { join } from "node:path";
import { type AsyncBuffer, parquetMetadataAsync, parquetRead } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { Column } from "../algorithms/api.ts";
import { TableError, TYPED, type TypedTable } from "./table.ts";

/**
 * The path of a typed table with the content of the Parquet file `source`. It is made anew in
 * `folder` only when the file has changed. Throws a {@linkcode TableError} when there is no such
 * file or it is not Parquet.
 */
export async function tableOfParquet(
  label: string,
  source: string,
  folder: string,
): Promise<string> {
  const info = await Deno.stat(source).catch(() => undefined);
  if (!info?.isFile) {
    throw new TableError(`The database "${label}" is not there: its file cannot be found or read.`);
  }
  const path = join(folder, `${label}-${info.size}-${info.mtime?.getTime() ?? 0}.table`);
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const columns = await readParquet(label, source);
  const table: TypedTable = { columns, length: columns[0]?.values.length ?? 0 };
  // Two runs may do this at once; each puts a whole file into place.
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(temporary, TYPED + JSON.stringify(table), { mode: 0o600 });
  await Deno.rename(temporary, path);
  for await (const { name } of Deno.readDir(folder)) {
    const older = name.startsWith(`${label}-`) && name.endsWith(".table") &&
      /^\d+-\d+\.table$/.test(name.slice(label.length + 1)) && join(folder, name) !== path;
    if (older) await Deno.remove(join(folder, name)).catch(() => {});
  }
  return path;
}

/**
 * The names of a Parquet file's columns. Throws what the reader throws for another kind of file.
 */
export async function parquetColumns(source: string): Promise<string[]> {
  using file = await openBuffer(source);
  const { schema } = await parquetMetadataAsync(file);
  const [root, ...rest] = schema;
  const names: string[] = [];
  // The schema is a tree laid out in one list; only its first level are columns.
  for (let index = 0; names.length < (root?.num_children ?? 0) && index < rest.length;) {
    names.push(rest[index]!.name);
    let open = rest[index]!.num_children ?? 0;
    for (index++; open > 0; index++) open += (rest[index]!.num_children ?? 0) - 1;
  }
  return names;
}

async function readParquet(label: string, source: string): Promise<Column[]> {
  try {
    const names = await parquetColumns(source);
    using file = await openBuffer(source);
    const values: unknown[][] = names.map(() => []);
    await parquetRead({
      file,
      compressors,
      onComplete(rows: unknown[][]) {
        for (const row of rows) {
          for (const [index, column] of values.entries()) column.push(row[index]);
        }
      },
    });
    return names.map((name, index) => toColumn(label, name, values[index]!));
  } catch (cause) {
    if (cause instanceof TableError) throw cause;
    throw new TableError(`The database "${label}" is not a valid Parquet file.`, { cause });
  }
}

function toColumn(label: string, name: string, values: unknown[]): Column {
  const simple = values.map((value) => simplify(label, name, value));
  if (simple.every((value) => value === null || typeof value === "number")) {
    return { name, type: "number", values: simple };
  }
  return { name, type: "text", values: simple.map((one) => one === null ? null : String(one)) };
}

function simplify(label: string, name: string, value: unknown): number | string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof Date) return value.toISOString();
  throw new TableError(
    `The column "${name}" of the database "${label}" holds lists, groups or bytes, which the sandbox cannot read.`,
  );
}

async function openBuffer(path: string): Promise<AsyncBuffer & Disposable> {
  const file = await Deno.open(path);
  const { size } = await file.stat();
  let turn: Promise<unknown> = Promise.resolve();
  async function read(start: number, end: number): Promise<ArrayBuffer> {
    const bytes = new Uint8Array(end - start);
    await file.seek(start, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) {
      const count = await file.read(bytes.subarray(done));
      if (count === null) throw new Error("the file is shorter than it says");
      done += count;
    }
    return bytes.buffer;
  }
  return {
    byteLength: size,
    slice(start, end = size) {
      const piece = turn.then(() => read(start, end));
      turn = piece.catch(() => {});
      return piece;
    },
    [Symbol.dispose]: () => file.close(),
  };
}
