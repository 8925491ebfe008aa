/**
 * How a CSV file is written: its encoding, its separator and its header, as the owner says, else as
 * its beginning shows. What the beginning leaves open is refused with the setting that would decide
 * it.
 * @module
 */
import { Scanner } from "./csv_structure.ts";
import { DataError } from "./error.ts";
import type { Encoding, ReadOptions } from "./options.ts";

const SEPARATORS = [",", ";", "\t", "|"] as const;
/** Bytes at the beginning of a file by which it is judged. */
export const HEAD_BYTES = 1024 * 1024;
/** Spreadsheet programs write and obey such a first line. */
const SEPARATOR_LINE = /^sep=(.)\r?\n/i;

export interface Dialect {
  encoding: Encoding;
  separator: string;
  /** Characters before the header: a line `sep=;`. */
  skip: number;
  /**
   * The names of the columns: from the first record, or made up where the owner says that there are
   * none.
   */
  names: string[];
  /** Whether the first record names the columns. */
  header: boolean;
  /**
   * Whether the names may really be data: a number or a date among them, and the owner says
   * nothing.
   */
  doubtful: boolean;
}

/**
 * The label with which `TextDecoder` knows an encoding; the byte order mark tells the two kinds of
 * UTF-16 apart.
 */
export function decoderLabel(encoding: Encoding, head: Uint8Array): string {
  if (encoding === "latin-1") return "windows-1252";
  if (encoding === "utf-8") return "utf-8";
  return head[0] === 0xfe && head[1] === 0xff ? "utf-16be" : "utf-16le";
}

/** The encoding that the owner names or a byte order mark tells; UTF-8 is what remains. */
export function encodingOf(
  head: Uint8Array,
  { encoding }: Pick<ReadOptions, "encoding">,
): Encoding {
  const [first, second] = head;
  const marked = first === 0xff && second === 0xfe || first === 0xfe && second === 0xff;
  if (encoding) return encoding;
  if (marked) return "utf-16";
  if (head.subarray(0, 4096).includes(0)) {
    throw new DataError(
      "It has NUL bytes, as UTF-16 without a byte order mark has. If it is that, " +
        "set `encoding: utf-16` for the database in node.yaml.",
    );
  }
  return "utf-8";
}

/**
 * Reads the dialect from the decoded beginning of a file; `whole` when that is all of it. Throws a
 * {@linkcode DataError} for a file without a header, a name that stands twice, and what cannot be
 * decided.
 */
export function dialectOf(
  head: string,
  { encoding, whole, options }: { encoding: Encoding; whole: boolean; options: ReadOptions },
): Dialect {
  const line = SEPARATOR_LINE.exec(head);
  const skip = line?.[0].length ?? 0;
  const text = head.slice(skip);
  const separator = options.separator ?? line?.[1] ?? separatorOf(text, whole);
  const first = firstRecord(text, separator);
  if (first.length === 0) {
    throw new DataError("It is empty: its first line must name the columns.");
  }
  const header = options.header ?? true;
  const names = header ? namesOf(first) : first.map((_, index) => `column_${index + 1}`);
  const doubtful = options.header === undefined && names.some(looksLikeValue);
  return { encoding, separator, skip, names, header, doubtful };
}

/** As pandas calls a column without a name, which programs write for the numbers of rows. */
function namesOf(first: string[]): string[] {
  const names = first.map((name, index) => name === "" ? `Unnamed: ${index}` : name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return names;
  throw new DataError(
    `The first line gives the columns ${names.indexOf(twice) + 1} and ` +
      `${names.lastIndexOf(twice) + 1} the same name.`,
  );
}

function looksLikeValue(name: string): boolean {
  return /^[+-]?[\d.,]*\d[\d.,]*(e[+-]?\d+)?$/i.test(name.trim()) ||
    /^\d{4}-\d\d-\d\d/.test(name.trim());
}

/** The cells of the first record that is not blank. */
function firstRecord(text: string, separator: string): string[] {
  const stop = new Error("enough");
  let first: string[] = [];
  const scanner = new Scanner({
    separator,
    ragged: "counted",
    onRecord(cells) {
      first = cells;
      throw stop;
    },
  });
  try {
    scanner.push(text);
    scanner.end();
  } catch (error) {
    if (error !== stop) throw error;
  }
  return first;
}

/**
 * The one separator that divides every record into as many cells as the first one, two at least. A
 * file without any of them in its first record has a single column.
 */
function separatorOf(text: string, whole: boolean): string {
  const fitting = SEPARATORS.filter((separator) => divides(text, separator, whole));
  if (fitting.length === 1) return fitting[0]!;
  if (fitting.length > 1) throw new DataError(undecided(fitting));
  const inHeader = SEPARATORS.filter((separator) => {
    try {
      return firstRecord(text, separator).length > 1;
    } catch {
      return text.split(/[\r\n]/, 1)[0]!.includes(separator);
    }
  });
  if (inHeader.length > 1) throw new DataError(undecided(inHeader));
  // None fits: reading it with the one of the header tells the line at which it does not.
  return inHeader[0] ?? ",";
}

function undecided(candidates: readonly string[]): string {
  const shown = candidates.map((one) => one === "\t" ? "tab" : `"${one}"`).join(" or ");
  return `Its separator may be ${shown}. Set \`separator\` for the database in node.yaml.`;
}

function divides(text: string, separator: string, whole: boolean): boolean {
  const scanner = new Scanner({ separator, ragged: "counted" });
  // The last record of a beginning may be cut.
  const complete = whole ? text : text.slice(0, Math.max(text.lastIndexOf("\n"), 0) || undefined);
  try {
    scanner.push(complete);
    const { first, ragged } = scanner.end();
    return first.length > 1 && ragged === 0;
  } catch {
    return false;
  }
}
