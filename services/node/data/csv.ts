/**
 * A reader of CSV files as RFC 4180 describes them, with LF or CRLF and an optional byte order
 * mark. It stands by itself because the sandbox has no packages.
 * @module
 */

/** The file is not a table. The message names the line, and nothing that stands in it. */
export class CsvError extends Error {
  override name = "CsvError";
}

export interface Csv {
  /** The first line. */
  names: string[];
  /** The cells of each column, in the order of the rows. */
  columns: string[][];
  /** The number of rows. */
  length: number;
}

/**
 * Reads the text of a CSV file. An empty line is left out, except in a file of a single column,
 * where it is an empty cell. Throws a {@linkcode CsvError} when there is no first line, a name
 * stands twice, a row is longer or shorter than the first line, or quotes are not closed.
 */
export function parseCsv(text: string): Csv {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  let nextQuote = text.indexOf('"', at);

  function readRecord(): string[] {
    if (nextQuote >= 0 && nextQuote < at) nextQuote = text.indexOf('"', at);
    const end = endOfLine(text, at);
    if (nextQuote >= 0 && nextQuote < end) return readQuoted();
    const cells = withoutReturn(text.slice(at, end)).split(",");
    at = end + 1;
    line++;
    return cells;
  }

  /** A record that has quotes somewhere, and so may go on over several lines. */
  function readQuoted(): string[] {
    const cells: string[] = [];
    for (;;) {
      cells.push(text[at] === '"' ? readQuotedCell() : readPlainCell());
      if (text[at] !== ",") break;
      at++;
    }
    if (text[at] === "\r") at++;
    if (at < text.length && text[at] !== "\n") {
      throw new CsvError(`Line ${line} has something between a closing quote and the next comma.`);
    }
    at++;
    line++;
    return cells;
  }

  function readPlainCell(): string {
    const comma = text.indexOf(",", at);
    const lineEnd = endOfLine(text, at);
    const end = comma >= 0 && comma < lineEnd ? comma : lineEnd;
    const cell = text.slice(at, end);
    at = end;
    return end === lineEnd ? withoutReturn(cell) : cell;
  }

  function readQuotedCell(): string {
    const opened = line;
    let cell = "";
    for (let from = at + 1;;) {
      const quote = text.indexOf('"', from);
      if (quote < 0) throw new CsvError(`Line ${opened} opens a quote that is never closed.`);
      const part = text.slice(from, quote);
      cell += part;
      line += part.split("\n").length - 1;
      if (text[quote + 1] !== '"') {
        at = quote + 1;
        return cell;
      }
      cell += '"';
      from = quote + 2;
    }
  }

  if (at >= text.length) throw new CsvError("The file is empty: its first line must name columns.");
  const names = readRecord();
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new CsvError(`The first line names the column "${twice}" twice.`);

  const columns: string[][] = names.map(() => []);
  let length = 0;
  while (at < text.length) {
    const started = line;
    const cells = readRecord();
    if (cells.length !== names.length) {
      if (cells.length === 1 && cells[0] === "") continue;
      throw new CsvError(
        `Line ${started} has ${cells.length} cells, but the first line names ${names.length} columns.`,
      );
    }
    for (let index = 0; index < cells.length; index++) columns[index]!.push(cells[index]!);
    length++;
  }
  return { names, columns, length };
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

function withoutReturn(cell: string): string {
  return cell.endsWith("\r") ? cell.slice(0, -1) : cell;
}
