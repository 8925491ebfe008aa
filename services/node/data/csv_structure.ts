/**
 * The structure of a CSV file (RFC 4180, with any separator and line end): how many records it has,
 * of how many cells, and the line of the first thing that is wrong. DuckDB reads the values; this
 * is what its reading is held against, because a file that it can only read by guessing or by
 * leaving rows out must be an error.
 * @module
 */
import { DataError } from "./error.ts";

export type LineEnd = "\n" | "\r\n" | "\r";

export interface Structure {
  /** The cells of the first record, unquoted. */
  first: string[];
  /** Records, the first one included, blank lines not. */
  records: number;
  blankLines: number;
  /** Characters of the longest record. */
  longest: number;
  /** The kinds of line ends outside of quotes. */
  lineEnds: Set<LineEnd>;
}

export interface ScannerOptions {
  separator: string;
  /**
   * Called with each record that is not blank, with its cells as they stand in the file; costs
   * time.
   */
  onRecord?: (cells: string[]) => void;
  /**
   * What a record that is longer or shorter than the first one does: an error (the default), or
   * nothing.
   */
  ragged?: "error" | "counted";
}

export interface Scanner {
  push(text: string): void;
  /** Ends the last record. Throws a {@linkcode DataError} for a quote that is never closed. */
  end(): Structure & { ragged: number; firstRagged: Ragged | undefined };
}

interface Ragged {
  line: number;
  cells: number;
}

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** Where the scanner stands between two characters. */
type State = "cell start" | "plain" | "quoted" | "quote in quoted";

/**
 * Reads a CSV file piece by piece. A quote counts where a cell begins, elsewhere it is a character
 * like others. Throws a {@linkcode DataError} that names the line for a record of another length,
 * or something behind a closing quote.
 */
export function createScanner(
  { separator, onRecord, ragged: onRagged = "error" }: ScannerOptions,
): Scanner {
  const SEPARATOR = separator.charCodeAt(0);
  const structure: Structure = {
    first: [],
    records: 0,
    blankLines: 0,
    longest: 0,
    lineEnds: new Set(),
  };
  let state: State = "cell start";
  let line = 1;
  /** Where the present record and its open quote begin. */
  let recordLine = 1;
  let quoteLine = 1;
  let cells = 0;
  let blank = true;
  let afterReturn = false;
  /** Characters read, and how many of them before the present record. */
  let position = 0;
  let recordStart = 0;
  let ragged = 0;
  let firstRagged: Ragged | undefined;
  // The text of the present record is kept only where somebody wants it.
  let record: string[] = [];
  let cell = "";
  const keeps = () => onRecord !== undefined || structure.records === 0;

  function endCell() {
    cells++;
    if (keeps()) {
      record.push(cell);
      cell = "";
    }
    state = "cell start";
  }

  function endRecord() {
    if (blank) {
      structure.blankLines++;
      cell = "";
      state = "cell start";
    } else {
      endCell();
      if (structure.records === 0) structure.first = record;
      else if (cells !== structure.first.length) tellRagged();
      structure.records++;
      onRecord?.(record);
    }
    structure.longest = Math.max(structure.longest, position - recordStart);
    recordStart = position;
    record = [];
    cells = 0;
    blank = true;
    recordLine = line;
  }

  function tellRagged() {
    firstRagged ??= { line: recordLine, cells };
    ragged++;
    if (onRagged === "counted") return;
    throw new DataError(
      `Line ${recordLine} has ${cells} cells, but the first line names ` +
        `${structure.first.length} columns.`,
    );
  }

  function endLine(end: LineEnd) {
    structure.lineEnds.add(end);
    line++;
    endRecord();
  }

  function takeQuoted(code: number, character: string) {
    if (code === QUOTE) {
      state = "quote in quoted";
      return;
    }
    // CRLF within quotes is one line, as it is outside.
    if (code === LF && !afterReturn || code === CR) line++;
    if (keeps()) cell += character;
  }

  function take(code: number, character: string) {
    if (state === "quoted") {
      takeQuoted(code, character);
      afterReturn = code === CR;
      return;
    }
    if (afterReturn) {
      afterReturn = false;
      if (code === LF) return endLine("\r\n");
      endLine("\r");
    }
    if (code === CR) {
      afterReturn = true;
    } else if (code === LF) {
      endLine("\n");
    } else if (code === SEPARATOR) {
      blank = false;
      endCell();
    } else if (state === "quote in quoted") {
      if (code !== QUOTE) {
        throw new DataError(
          `Line ${line} has something between a closing quote and the next separator.`,
        );
      }
      state = "quoted";
      if (keeps()) cell += '"';
    } else if (code === QUOTE && state === "cell start") {
      blank = false;
      state = "quoted";
      quoteLine = line;
    } else {
      blank = false;
      state = "plain";
      if (keeps()) cell += character;
    }
  }

  return {
    push(text) {
      for (let at = 0; at < text.length; at++) {
        position++;
        take(text.charCodeAt(at), text[at]!);
      }
    },
    end() {
      if (state === "quoted") {
        throw new DataError(`Line ${quoteLine} opens a quote that is never closed.`);
      }
      if (afterReturn) endLine("\r");
      else if (!blank) endRecord();
      return { ...structure, ragged, firstRagged };
    },
  };
}
