/**
 * JSON as the field's programs write and read it: Python's, which has the words `NaN`, `Infinity` and `-Infinity`
 * beside numbers. RFC 8259 knows none of them, and neither does `JSON`.
 * @module
 */

/** The words stand in the text as `{"<mark>":"NaN"}` meanwhile; nobody else knows the mark. */
type Marked = Record<string, string>;

/** The value of a text, and whether that is JSON in the strict sense. Throws a SyntaxError for what is neither. */
export function parseFieldJson(text: string): { value: unknown; isJson: boolean } {
  try {
    return { value: JSON.parse(text), isJson: true };
  } catch (error) {
    const mark = crypto.randomUUID();
    const marked = outsideStrings(
      text,
      (part) => part.replace(/NaN|-?Infinity/g, (word) => `{"${mark}":"${word}"}`),
    );
    if (marked === text) throw error;
    const value = JSON.parse(
      marked,
      (_, one) => one instanceof Object && mark in one ? Number((one as Marked)[mark]) : one,
    );
    return { value, isJson: false };
  }
}

/** The text of a value, with those words where its numbers are none. */
export function writeFieldJson(value: unknown): string {
  const mark = crypto.randomUUID();
  const text = JSON.stringify(
    value,
    (_, one) => typeof one === "number" && !Number.isFinite(one) ? `${mark}${one}` : one,
  );
  return text.replaceAll(new RegExp(`"${mark}([^"]+)"`, "g"), "$1");
}

/** `text` with what is in none of its strings changed. */
function outsideStrings(text: string, change: (part: string) => string): string {
  const parts: string[] = [];
  for (let at = 0;;) {
    const start = text.indexOf('"', at);
    if (start < 0) return [...parts, change(text.slice(at))].join("");
    parts.push(change(text.slice(at, start)));
    at = endOfString(text, start);
    parts.push(text.slice(start, at));
  }
}

/** Where the string ends that begins at `start`: behind the next quote before which no backslash is left over. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text[quote - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
  return text.length;
}
