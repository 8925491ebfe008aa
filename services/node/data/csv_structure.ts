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
  /** Records that are longer or shorter than the first one. */
  ragged: number;
  firstRagged: Ragged | undefined;
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
export class Scanner {
  readonly #separator: number;
  readonly #onRecord: ScannerOptions["onRecord"];
  readonly #ragged: "error" | "counted";
  readonly #found: Structure = {
    first: [],
    records: 0,
    blankLines: 0,
    longest: 0,
    lineEnds: new Set(),
    ragged: 0,
    firstRagged: undefined,
  };
  #state: State = "cell start";
  #line = 1;
  /** Where the present record and its open quote begin. */
  #recordLine = 1;
  #quoteLine = 1;
  /** Characters read, and how many of them before the present record. */
  #position = 0;
  #recordStart = 0;
  #cells = 0;
  #blank = true;
  #afterReturn = false;
  /** The text of the present record, kept only where somebody wants it. */
  #record: string[] = [];
  #cell = "";

  constructor({ separator, onRecord, ragged = "error" }: ScannerOptions) {
    this.#separator = separator.charCodeAt(0);
    this.#onRecord = onRecord;
    this.#ragged = ragged;
  }

  push(text: string): void {
    for (let at = 0; at < text.length; at++) {
      this.#position++;
      this.#take(text.charCodeAt(at), text[at]!);
    }
  }

  /** Ends the last record. Throws a {@linkcode DataError} for a quote that is never closed. */
  end(): Structure {
    if (this.#state === "quoted") {
      throw new DataError(`Line ${this.#quoteLine} opens a quote that is never closed.`);
    }
    if (this.#afterReturn) this.#endLine("\r");
    else if (!this.#blank) this.#endRecord();
    return this.#found;
  }

  #take(code: number, character: string): void {
    if (this.#state === "quoted") return this.#takeQuoted(code, character);
    if (this.#afterReturn) {
      this.#afterReturn = false;
      if (code === LF) return this.#endLine("\r\n");
      this.#endLine("\r");
    }
    if (code === CR) {
      this.#afterReturn = true;
    } else if (code === LF) {
      this.#endLine("\n");
    } else if (code === this.#separator) {
      this.#blank = false;
      this.#endCell();
    } else if (this.#state === "quote in quoted") {
      this.#takeBehindQuote(code);
    } else if (code === QUOTE && this.#state === "cell start") {
      this.#blank = false;
      this.#state = "quoted";
      this.#quoteLine = this.#line;
    } else {
      this.#blank = false;
      this.#state = "plain";
      this.#keep(character);
    }
  }

  #takeQuoted(code: number, character: string): void {
    if (code === QUOTE) {
      this.#state = "quote in quoted";
    } else {
      // CRLF within quotes is one line, as it is outside.
      if (code === LF && !this.#afterReturn || code === CR) this.#line++;
      this.#keep(character);
    }
    this.#afterReturn = code === CR;
  }

  #takeBehindQuote(code: number): void {
    if (code !== QUOTE) {
      throw new DataError(
        `Line ${this.#line} has something between a closing quote and the next separator.`,
      );
    }
    this.#state = "quoted";
    this.#keep('"');
  }

  #keep(character: string): void {
    if (this.#onRecord || this.#found.records === 0) this.#cell += character;
  }

  #endCell(): void {
    this.#cells++;
    if (this.#onRecord || this.#found.records === 0) {
      this.#record.push(this.#cell);
      this.#cell = "";
    }
    this.#state = "cell start";
  }

  #endLine(end: LineEnd): void {
    this.#found.lineEnds.add(end);
    this.#line++;
    this.#endRecord();
  }

  #endRecord(): void {
    const found = this.#found;
    if (this.#blank) {
      found.blankLines++;
      this.#cell = "";
      this.#state = "cell start";
    } else {
      this.#endCell();
      if (found.records === 0) found.first = this.#record;
      else if (this.#cells !== found.first.length) this.#tellRagged();
      found.records++;
      this.#onRecord?.(this.#record);
    }
    found.longest = Math.max(found.longest, this.#position - this.#recordStart);
    this.#recordStart = this.#position;
    this.#record = [];
    this.#cells = 0;
    this.#blank = true;
    this.#recordLine = this.#line;
  }

  #tellRagged(): void {
    const found = this.#found;
    found.firstRagged ??= { line: this.#recordLine, cells: this.#cells };
    found.ragged++;
    if (this.#ragged === "counted") return;
    throw new DataError(
      `Line ${this.#recordLine} has ${this.#cells} cells, but the first line names ` +
        `${found.first.length} columns.`,
    );
  }
}
