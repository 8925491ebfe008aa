/**
 * Text from others as a terminal can show it.
 * @module
 */

/**
 * Text without control characters, and without those that turn the direction in which it is read: a
 * log or a name must not be able to move the cursor, to set the title, or to look like something
 * else. `instead` stands for new lines and tabs, which stay where it is not given.
 */
export function harmless(text: string, instead?: string): string {
  const shown = text.replace(OBEYED, "\u{fffd}");
  return instead === undefined ? shown : shown.replace(/[\n\t]+/g, instead);
}

/**
 * Control characters but for tabs and new lines; the marks, embeddings and isolates of direction.
 */
// deno-lint-ignore no-control-regex -- these are what is to be kept from the terminal
const OBEYED = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** JSON in which such characters are escaped: the same value, and nothing that a terminal obeys. */
export function harmlessJson(json: string): string {
  return json.replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
