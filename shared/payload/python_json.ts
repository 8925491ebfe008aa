/**
 * JSON as v6's programs write and read it: Python's, which has the words `NaN`, `Infinity` and
 * `-Infinity` beside numbers. RFC 8259 knows none of them, and neither does `JSON`.
 * @module
 */

/** The words stand in the text as `{"<mark>":"NaN"}` meanwhile; nobody else knows the mark. */
type Marked = Record<string, string>;

export interface ParsedJson {
  /** Whole numbers that a JavaScript number cannot hold are a `bigint` in it. */
  value: unknown;
  /** Whether the text is JSON in the strict sense. */
  isJson: boolean;
  /** Whether `JSON.parse` gives every number as it stands in the text. */
  isExact: boolean;
}

/** Reads a text. Throws a SyntaxError for what is no JSON, even in Python's sense. */
export function parsePythonJson(text: string): ParsedJson {
  try {
    return { ...parseExactly(text), isJson: true };
  } catch (error) {
    const mark = crypto.randomUUID();
    const marked = outsideStrings(
      text,
      (part) => part.replace(/NaN|-?Infinity/g, (word) => `{"${mark}":"${word}"}`),
    );
    if (marked === text) throw error;
    const isMarked = (one: unknown): one is Marked => one instanceof Object && mark in one;
    const parsed = parseExactly(marked, (one) => isMarked(one) ? Number(one[mark]) : one);
    return { ...parsed, isJson: false };
  }
}

/**
 * Python's whole numbers have no end; a JavaScript number is not every one of them from 2^53 on.
 */
function parseExactly(
  text: string,
  revive?: (value: unknown) => unknown,
): Omit<ParsedJson, "isJson"> {
  // Looking at every value takes 25 times as long as reading them, and few texts have such a
  // number.
  const isLong = hasLongNumber(text);
  if (!revive && !isLong) return { value: JSON.parse(text), isExact: true };
  let isExact = true;
  function exactly(value: number, source: string | undefined): number | bigint {
    if (source !== undefined && /^-?\d{16,}$/.test(source)) {
      const exact = BigInt(source);
      // JavaScript writes a large number with fewer digits than it has; read again it is the same.
      if (String(value) === source) return value;
      if (Number.isFinite(value) && BigInt(value) === exact) return value;
      isExact = false;
      return exact;
    }
    if (!Number.isFinite(value)) isExact = false;
    return value;
  }
  const mark = crypto.randomUUID();
  const isMarked = (one: unknown): one is Marked => one instanceof Object && mark in one;
  function reviver(_key: string, value: unknown, context?: { source?: string }): unknown {
    if (isMarked(value)) return exactly(Number(value[mark]), value[mark]);
    if (typeof value === "number" && context?.source !== undefined) {
      return exactly(value, context.source);
    }
    if (typeof value === "number" && !Number.isFinite(value)) isExact = false;
    return revive ? revive(value) : value;
  }
  const shown = SHOWS_SOURCE || !isLong ? text : outsideStrings(
    text,
    (part) =>
      part.replace(/(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g, (digits) => `{"${mark}":"${digits}"}`),
  );
  return { value: JSON.parse(shown, reviver), isExact };
}

/**
 * Whether there may be a number that is so long or so large that JavaScript changes it. Decimals
 * have sixteen digits as a rule: behind the point they are no whole number.
 */
export function hasLongNumber(text: string): boolean {
  if (/e\+?\d{3}/i.test(text)) return true;
  return /\d{16}/.test(text) && /(?<![\d.])\d{16,}(?![\d.e])/i.test(text);
}

/** Whether the platform tells how a number is written; Node.js 20 does not. */
const SHOWS_SOURCE = showsSource();

function showsSource(): boolean {
  let shown: string | undefined;
  JSON.parse("1", (_key: string, value: unknown, context?: { source?: string }) => {
    shown = context?.source;
    return value;
  });
  return shown === "1";
}

/**
 * The text of a value, with Python's words for numbers that JSON does not have. Throws a TypeError
 * for what JSON would drop or turn into something else.
 */
export function writePythonJson(value: unknown): string {
  const mark = crypto.randomUUID();
  const text = JSON.stringify(
    value,
    function (this: unknown, key, one) {
      if (isLostInJson(one)) {
        const kind = typeof one === "object" ? `a ${one.constructor.name}` : `a ${typeof one}`;
        throw new TypeError(`Cannot write "${key}": it is ${kind}, which JSON cannot hold`);
      }
      if (one === undefined && Array.isArray(this)) {
        throw new TypeError(`Cannot write a list with undefined at ${key}: JSON has null there`);
      }
      return typeof one === "number" && !Number.isFinite(one) ? `${mark}${one}` : one;
    },
  );
  return text.replaceAll(new RegExp(`"${mark}([^"]+)"`, "g"), "$1");
}

function isLostInJson(value: unknown): value is object {
  return ["function", "symbol", "bigint"].includes(typeof value) ||
    value instanceof Map || value instanceof Set || ArrayBuffer.isView(value);
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

/**
 * Where the string ends that begins at `start`: behind the next quote before which no backslash is
 * left over.
 */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text[quote - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
  return text.length;
}
