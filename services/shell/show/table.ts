/**
 * Tables that fit into the terminal.
 * @module
 */

/** No column is made narrower than this to let others in. */
const LEAST_WIDTH = 8;
/** `│ ` before each cell, a blank after it, and the last `│`. */
const BORDERS = 3;

/**
 * Rows of text by column, in a frame. Where room is short, columns without any value give theirs to
 * the others; cells that are too long end in `…`, or with `wrap` go on in the next line; columns that
 * find no room are named below the table.
 */
export function table(
  rows: Record<string, string>[],
  width: number,
  { wrap = false }: { wrap?: boolean } = {},
): string {
  const all = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (all.length === 0) return "(nothing)";
  const columns = withoutEmpty(all, rows, width);
  const natural = columns.map((column) =>
    Math.max(widthOf(column), ...rows.map((row) => widthOf(row[column] ?? "")))
  );
  const fitting = howManyFit(natural, width);
  const widths = shrink(natural.slice(0, fitting), width - BORDERS * fitting - 1);
  const shown = columns.slice(0, fitting);
  const line = (left: string, middle: string, right: string) =>
    left + widths.map((one) => "─".repeat(one + 2)).join(middle) + right;
  const cells = (texts: string[]) =>
    `│ ${texts.map((text, at) => padded(text, widths[at]!)).join(" │ ")} │`;
  const lines = [
    line("┌", "┬", "┐"),
    cells(shown),
    line("├", "┼", "┤"),
    ...rows.flatMap((row) => {
      const texts = shown.map((column) => row[column] ?? "");
      if (!wrap) return [cells(texts)];
      const parts = texts.map((text, at) => wrapped(text, widths[at]!));
      const height = Math.max(...parts.map((one) => one.length));
      return Array.from({ length: height }, (_, at) => cells(parts.map((one) => one[at] ?? "")));
    }),
    line("└", "┴", "┘"),
  ];
  const left = columns.slice(fitting);
  if (left.length > 0) lines.push(`Too narrow for: ${left.join(", ")}`);
  return lines.join("\n");
}

/** Lines of whole words; a word that is longer than a line stays whole. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && widthOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** The columns; without those that are empty in every row, when not all fit in their whole width. */
function withoutEmpty(columns: string[], rows: Record<string, string>[], width: number): string[] {
  const natural = columns.map((column) =>
    Math.max(widthOf(column), ...rows.map((row) => widthOf(row[column] ?? "")))
  );
  if (sum(natural) + BORDERS * columns.length + 1 <= width) return columns;
  const filled = columns.filter((column) => rows.some((row) => row[column]));
  return filled.length > 0 ? filled : columns;
}

function howManyFit(natural: number[], width: number): number {
  let used = 1;
  for (const [at, one] of natural.entries()) {
    used += Math.min(one, LEAST_WIDTH) + BORDERS;
    if (used > width && at > 0) return at;
  }
  return natural.length;
}

/** Takes from the widest columns until all fit into `room`. */
function shrink(natural: number[], room: number): number[] {
  const widths = [...natural];
  for (let excess = sum(widths) - room; excess > 0; excess--) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= LEAST_WIDTH) break;
    widths[widest]!--;
  }
  return widths;
}

function sum(numbers: number[]): number {
  return numbers.reduce((left, right) => left + right, 0);
}

const WIDE =
  /\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Emoji_Presentation}/u;
const NO_WIDTH = /\p{Mark}|\p{Cf}/u;

function widthOfCharacter(character: string): number {
  return NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}

/** How many places a text takes on the terminal. */
export function widthOf(text: string): number {
  // Plain ASCII, the usual case, is as wide as it is long.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return sum([...text].map(widthOfCharacter));
}

function padded(text: string, width: number): string {
  let shown = text;
  if (widthOf(text) > width) {
    shown = "";
    for (const character of text) {
      if (widthOf(shown) + widthOfCharacter(character) >= width) break;
      shown += character;
    }
    shown += "…";
  }
  return shown + " ".repeat(Math.max(width - widthOf(shown), 0));
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
