/**
 * Tables as CSV (RFC 4180). Programs for tables take a text that begins with certain characters for
 * a formula, and run it (https://owasp.org/www-community/attacks/CSV_Injection): it gets an
 * apostrophe in front. Numbers are written with every digit that they have.
 * @module
 */
import type { Cell, Table } from "./read/pieces.ts";

const IS_FORMULA = /^[=+\-@\t\r\n]/;
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/;

export function csvOf({ columns, rows }: Table): string[] {
  return [lineOf(columns), ...rows.map(lineOf)];
}

function lineOf(cells: readonly Cell[]): string {
  return `${cells.map(cellText).join(",")}\r\n`;
}

export function cellText(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "object") return quoted(guarded(cell.json));
  return typeof cell === "string" ? quoted(guarded(cell)) : String(cell);
}

function guarded(text: string): string {
  return IS_FORMULA.test(text) ? `'${text}` : text;
}

function quoted(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
