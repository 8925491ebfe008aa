/**
 * CSV files on their way to DuckDB: scanned once as a whole, and written anew in the one form that
 * leaves it nothing to guess where they are not in a form that it reads with certainty.
 * @module
 */
import { join } from "node:path";
import { decoderLabel, type Dialect, dialectOf, encodingOf, HEAD_BYTES } from "./csv_dialect.ts";
import { type LineEnd, Scanner, type Structure } from "./csv_structure.ts";
import { DataError } from "./error.ts";
import type { ReadOptions } from "./options.ts";

/** A CSV file that DuckDB can read. */
export interface CsvFile {
  path: string;
  dialect: Dialect;
  /** Rows, the header not included: what DuckDB must find. */
  rows: number;
  blankLines: number;
  /** Bytes that the longest record has at most, however it is written. */
  longest: number;
  /** As `path` has it; the dialect's own where it is the owner's file. */
  separator: string;
  lineEnd: LineEnd;
  /** Records before the first row. */
  header: boolean;
}

/**
 * Reads the structure of the file at `source`. Throws a {@linkcode DataError} that names the first
 * line that is wrong.
 *
 * @param scratch a folder for a copy, which is made when DuckDB could not read the file itself
 */
export async function scanCsv(
  source: string,
  options: ReadOptions,
  scratch: string,
): Promise<CsvFile> {
  const { bytes, whole } = await readHead(source);
  const encoding = encodingOf(bytes, options);
  const label = decoderLabel(encoding, bytes);
  const head = decodeHead(bytes, { label, whole });
  const dialect = dialectOf(head, { encoding, whole, options });
  const scanner = new Scanner({ separator: dialect.separator });
  await eachText(source, label, dialect.skip, (text) => scanner.push(text));
  const structure = scanner.end();
  const file: CsvFile = {
    path: source,
    dialect,
    rows: structure.records - (dialect.header ? 1 : 0),
    blankLines: structure.blankLines,
    // A character has up to three bytes in UTF-8, a quote up to two for each.
    longest: 3 * structure.longest + 3 * structure.first.length,
    separator: dialect.separator,
    lineEnd: [...structure.lineEnds][0] ?? "\n",
    header: dialect.header,
  };
  return readsAsItIs(dialect, structure) ? file : await rewriteCsv(file, source, label, scratch);
}

/** Whether DuckDB reads the owner's file without a guess. */
function readsAsItIs(
  { encoding, skip }: Dialect,
  { lineEnds, blankLines }: Structure,
): boolean {
  return encoding === "utf-8" && skip === 0 && lineEnds.size <= 1 && !lineEnds.has("\r") &&
    // Above the header, and in a single column, it takes a blank line for a row.
    blankLines === 0;
}

/** Writes the records with every cell in quotes, commas and LF, in UTF-8. */
export async function rewriteCsv(
  file: CsvFile,
  source: string,
  label: string | undefined,
  scratch: string,
): Promise<CsvFile> {
  const { dialect } = file;
  const path = join(scratch, "canonical.csv");
  using target = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  const writer = target.writable.getWriter();
  const encoder = new TextEncoder();
  let lines: string[] = [];
  const scanner = new Scanner({
    separator: dialect.separator,
    onRecord: (cells) =>
      lines.push(cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")),
  });
  async function flush() {
    if (lines.length > 0) await writer.write(encoder.encode(lines.join("\n") + "\n"));
    lines = [];
  }
  await eachText(source, label ?? "utf-8", dialect.skip, async (text) => {
    scanner.push(text);
    await flush();
  });
  scanner.end();
  await flush();
  await writer.close();
  return { ...file, path, separator: ",", lineEnd: "\n" };
}

async function readHead(path: string): Promise<{ bytes: Uint8Array; whole: boolean }> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(HEAD_BYTES);
  let length = 0;
  while (length < bytes.length) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) return { bytes: bytes.subarray(0, length), whole: true };
    length += count;
  }
  return { bytes, whole: false };
}

function decodeHead(
  bytes: Uint8Array,
  { label, whole }: { label: string; whole: boolean },
): string {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes, { stream: !whole });
  } catch {
    throw notThisEncoding(label);
  }
}

function notThisEncoding(label: string): DataError {
  return new DataError(
    label === "utf-8"
      ? "It is not text in UTF-8. Set `encoding` for the database in node.yaml, " +
        "such as `encoding: latin-1`."
      : `It is not text in ${label}, as the setting \`encoding\` or its first bytes say.`,
  );
}

/** Decodes a file piece by piece, the first `skip` characters left out. */
async function eachText(
  path: string,
  label: string,
  skip: number,
  take: (text: string) => void | Promise<void>,
): Promise<void> {
  const file = await Deno.open(path);
  const decoder = new TextDecoder(label, { fatal: true });
  let left = skip;
  async function pass(text: string) {
    const part = left > 0 ? text.slice(left) : text;
    left = Math.max(0, left - text.length);
    if (part !== "") await take(part);
  }
  function decode(bytes?: Uint8Array): string {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw notThisEncoding(label);
    }
  }
  for await (const bytes of file.readable) await pass(decode(bytes));
  await pass(decode());
}
