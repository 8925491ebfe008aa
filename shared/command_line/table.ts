/**
 * Tables that fit into the terminal.
 * @module
 */
import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";
import { WHOLE } from "./time.ts";

/** A longer word may be broken where room is short: names of people and things are shorter. */
const LONGEST_WORD = 24;
/** `│ ` before each cell, a blank after it, and the last `│`. */
const BORDERS = 3;

interface Column {
  name: string;
  cells: string[];
  /** With every cell in one line. */
  width: number;
  /** With every word, and every time, in one line. */
  least: number;
}

/**
 * Rows of text by column, in a frame. Where room is short, columns without any value are left out
 * first; then what is long goes on in the next line; then the last columns are named below the
 * table.
 */
export function table(rows: Record<string, string>[], width: number): string {
  const { shown, missing } = fit(columnsOf(rows), width - 1);
  if (shown.length === 0) return "(nothing)";
  const line = (left: string, middle: string, right: string) =>
    left + shown.map((column) => "─".repeat(column.width + 2)).join(middle) + right;
  const lines = (at: number) => {
    const parts = shown.map(({ name, cells, width }) => wrapped(at < 0 ? name : cells[at]!, width));
    const height = Math.max(...parts.map((one) => one.length));
    return Array.from(
      { length: height },
      (_, number) =>
        `│ ${parts.map((one, of) => padded(one[number] ?? "", shown[of]!.width)).join(" │ ")} │`,
    );
  };
  return [
    line("┌", "┬", "┐"),
    ...lines(-1),
    line("├", "┼", "┤"),
    ...rows.flatMap((_, at) => lines(at)),
    line("└", "┴", "┘"),
    ...missing.length > 0
      ? wrapped(`Too narrow for: ${missing.map((one) => one.name).join(", ")}`, width)
      : [],
  ].join("\n");
}

/** Lines of whole words; only what is longer than a line is broken. */
export function wrapped(text: string, width: number): string[] {
  return stringWidth(text) <= width ? [text] : wrapAnsi(text, width, { hard: true }).split("\n");
}

function columnsOf(rows: Record<string, string>[]): Column[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return names.map((name) => {
    const cells = rows.map((row) => row[name] ?? "");
    const width = Math.max(...[name, ...cells].map((one) => stringWidth(one)));
    const words = [name, ...cells].flatMap((one) => WHOLE.test(one) ? [one] : one.split(" "));
    const longest = Math.max(...words.map((one) => stringWidth(one)));
    return { name, cells, width, least: Math.min(longest, LONGEST_WORD) };
  });
}

/** The columns in the widths in which they fit, and those for which there is no room. */
function fit(columns: Column[], room: number): { shown: Column[]; missing: Column[] } {
  if (roomOf(columns, "width") <= room) return { shown: columns, missing: [] };
  const filled = columns.filter(({ cells }) => cells.some((one) => one !== ""));
  let count = filled.length;
  while (count > 1 && roomOf(filled.slice(0, count), "least") > room) count--;
  const shown = filled.slice(0, count).map((column) => ({ ...column }));
  for (let excess = roomOf(shown, "width") - room; excess > 0; excess--) {
    const shrinking = shown.filter((one) => one.width > one.least);
    // A single column has to be as narrow as the terminal is.
    const widest = (shrinking.length > 0 ? shrinking : shown)
      .reduce((left, right) => right.width > left.width ? right : left);
    if (widest.width <= 1) break;
    widest.width--;
  }
  return { shown, missing: filled.slice(count) };
}

function roomOf(columns: Column[], measure: "width" | "least"): number {
  return columns.reduce((sum, column) => sum + column[measure] + BORDERS, 0);
}

function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(width - stringWidth(text), 0));
}

/** The columns of the terminal; 100 where there is none. */
export function terminalWidth(): number {
  try {
    const { columns } = Deno.consoleSize();
    if (columns > 0) return columns;
  } catch {
    // no terminal
  }
  return Number(Deno.env.get("COLUMNS")) || 100;
}
