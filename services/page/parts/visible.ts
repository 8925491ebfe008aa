/**
 * Text of others as people can trust their eyes with it. Names, logs and results may hold
 * characters that nobody sees and that change what is seen: controls, marks that turn the direction
 * of what follows (https://trojansource.codes), spaces without width. They are shown as marks.
 * @module
 */

export interface Piece {
  text: string;
  /** What the mark stands for, as `U+202E`; `undefined` for text as it is. */
  hidden: string | undefined;
}

export interface VisibleOptions {
  /** Whether line ends and tabs are what they are. */
  lines?: boolean;
}

/**
 * Controls, line and paragraph separators, what turns the direction, what has no width, tags, and
 * halves of a character that lack the other one.
 */
const HIDDEN = new RegExp(
  "[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f" +
    "\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff0-\\ufffb" +
    "\\u{e0000}-\\u{e0fff}]|\\p{Surrogate}" +
    // Joiners have their place inside of words of many scripts, and of pictures; among Latin
    // letters they only make two names look like one.
    "|(?<![^\\u0000-\\u007f])[\\u200c\\u200d]|[\\u200c\\u200d](?![^\\u0000-\\u007f])",
  "gu",
);

/** Cuts a text where something hidden stands in it. */
export function piecesOf(given: string, { lines = false }: VisibleOptions = {}): Piece[] {
  const text = lines ? given.replaceAll("\r\n", "\n") : given;
  const pieces: Piece[] = [];
  let from = 0;
  function takePlain(till: number): void {
    if (till > from) pieces.push({ text: text.slice(from, till), hidden: undefined });
  }
  for (const { 0: character, index } of text.matchAll(HIDDEN)) {
    if (lines && (character === "\n" || character === "\t")) continue;
    takePlain(index);
    pieces.push({ text: markOf(character), hidden: codeOf(character) });
    from = index + character.length;
  }
  takePlain(text.length);
  return pieces;
}

/**
 * A name that can be seen and heard: `fallback` in place of one that is empty, or nothing but
 * blanks.
 */
export function named(name: string, fallback: string): string {
  return name.trim() === "" ? fallback : name;
}

/** A text with its marks in it, for titles and labels. */
export function visible(text: string, options?: VisibleOptions): string {
  return piecesOf(text, options).map((piece) => piece.text).join("");
}

function markOf(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "\u2421" : `[${codeOf(character)}]`;
}

function codeOf(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}
