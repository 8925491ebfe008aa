/**
 * Whether bytes are JSON in UTF-8 (RFC 8259), told piece by piece: what `JSON.parse` says of the
 * whole text, which for a large result would take many times its memory. A table says what follows
 * each state at each byte, so that it is not what an upload waits for.
 * @module
 */

/** Lists and objects within each other beyond which no program reads on. */
const MAX_DEPTH = 10_000;

export interface JsonCheck {
  take(piece: Uint8Array): void;
  /** Whether what was taken is one whole value. */
  end(): boolean;
}

/** The state that follows, by state and byte; 0, which is wrong for good, unless said otherwise. */
const table = new Uint8Array(256 * 256);
const WRONG = 0;
let states = 1;

// These need more than the table to be entered.
const OPEN_LIST = state("a list begins");
const OPEN_OBJECT = state("an object begins");
const CLOSE_LIST = state("a list ends");
const CLOSE_OBJECT = state("an object ends");
const COMMA = state("the next entry");
const LAST_ACTION = COMMA;

const VALUE = state("a value");
const FIRST_VALUE = state("a value or the end of the list");
const KEY = state("a name");
const FIRST_KEY = state("a name or the end of the object");
const COLON = state("a colon");
const AFTER = state("after a value");
const ZERO = state("after a leading 0");
const INTEGER = state("integer digits");
const FRACTION = state("digits of a fraction");
const EXPONENT = state("digits of an exponent");
const LIST = 0;
const OBJECT = 1;

/** A new state; what it means is for the reader. */
function state(_meaning: string): number {
  return states++;
}

/** At these bytes — ranges of two characters, or of two numbers — `from` is followed by `to`. */
function on(from: number, ranges: (string | [number, number])[], to: number): void {
  for (const range of ranges) {
    const [first, last] = typeof range === "string"
      ? [range.charCodeAt(0), range.charCodeAt(range.length - 1)]
      : range;
    table.fill(to, from << 8 | first, (from << 8 | last) + 1);
  }
}

const SPACE = [" ", "\n", "\r", "\t"];

/** The states of a string whose end leads to `after`; returns the first. */
function string(after: number): number {
  const inside = state("in a string");
  const escape = state("after a backslash");
  on(inside, [[0x20, 0x7f]], inside);
  on(inside, ['"'], after);
  on(inside, ["\\"], escape);
  on(escape, ['"', "\\", "/", "b", "f", "n", "r", "t"], inside);
  on(escape, ["u"], chain(["09", "af", "AF"], 4, inside));
  // The well-formed byte sequences of Unicode (table 3-7).
  const rest: [number, number] = [0x80, 0xbf];
  const tail = [
    inside,
    chain([rest], 1, inside),
    chain([rest], 2, inside),
    chain([rest], 3, inside),
  ];
  on(inside, [[0xc2, 0xdf]], tail[1]!);
  on(inside, [[0xe1, 0xec], [0xee, 0xef]], tail[2]!);
  on(inside, [[0xf1, 0xf3]], tail[3]!);
  on(inside, [[0xe0, 0xe0]], chain([[0xa0, 0xbf]], 1, tail[1]!));
  on(inside, [[0xed, 0xed]], chain([[0x80, 0x9f]], 1, tail[1]!));
  on(inside, [[0xf0, 0xf0]], chain([[0x90, 0xbf]], 1, tail[2]!));
  on(inside, [[0xf4, 0xf4]], chain([[0x80, 0x8f]], 1, tail[2]!));
  return inside;
}

/**
 * `count` states, each followed by the next at these bytes, the last by `after`; returns the first.
 */
function chain(ranges: (string | [number, number])[], count: number, after: number): number {
  let first = after;
  for (let made = 0; made < count; made++) {
    const one = state("a given byte");
    on(one, ranges, first);
    first = one;
  }
  return first;
}

function word(letters: string): number {
  return [...letters].reverse().reduce((after, letter) => chain([letter], 1, after), AFTER);
}

function buildTable(): void {
  const text = string(AFTER);
  const words = { t: word("rue"), f: word("alse"), n: word("ull") };
  const sign = state("after a minus");
  const point = state("after a point");
  const e = state("after an e");
  const eSign = state("after the sign of an exponent");
  for (const at of [VALUE, FIRST_VALUE]) {
    on(at, SPACE, at);
    on(at, ['"'], text);
    on(at, ["["], OPEN_LIST);
    on(at, ["{"], OPEN_OBJECT);
    on(at, ["-"], sign);
    for (const [letter, rest] of Object.entries(words)) on(at, [letter], rest);
  }
  on(FIRST_VALUE, ["]"], CLOSE_LIST);
  for (const at of [VALUE, FIRST_VALUE, sign]) {
    on(at, ["19"], INTEGER);
    on(at, ["0"], ZERO);
  }
  const name = string(COLON);
  for (const at of [KEY, FIRST_KEY]) {
    on(at, SPACE, at);
    on(at, ['"'], name);
  }
  on(FIRST_KEY, ["}"], CLOSE_OBJECT);
  on(COLON, SPACE, COLON);
  on(COLON, [":"], VALUE);
  for (const at of [AFTER, ZERO, INTEGER, FRACTION, EXPONENT]) {
    on(at, SPACE, AFTER);
    on(at, [","], COMMA);
    on(at, ["]"], CLOSE_LIST);
    on(at, ["}"], CLOSE_OBJECT);
  }
  on(INTEGER, ["09"], INTEGER);
  for (const at of [ZERO, INTEGER]) on(at, ["."], point);
  for (const at of [point, FRACTION]) on(at, ["09"], FRACTION);
  for (const at of [ZERO, INTEGER, FRACTION]) on(at, ["e", "E"], e);
  on(e, ["+", "-"], eSign);
  for (const at of [e, eSign, EXPONENT]) on(at, ["09"], EXPONENT);
}
buildTable();

export function createJsonCheck(): JsonCheck {
  const open = new Uint8Array(MAX_DEPTH);
  let depth = 0;
  let reached = VALUE;

  function act(action: number): number {
    if (action === OPEN_LIST || action === OPEN_OBJECT) {
      if (depth === MAX_DEPTH) return WRONG;
      open[depth++] = action === OPEN_LIST ? LIST : OBJECT;
      return action === OPEN_LIST ? FIRST_VALUE : FIRST_KEY;
    }
    if (action === WRONG || depth === 0) return WRONG;
    const inside = open[depth - 1];
    if (action === COMMA) return inside === LIST ? VALUE : KEY;
    if (inside !== (action === CLOSE_LIST ? LIST : OBJECT)) return WRONG;
    depth--;
    return AFTER;
  }

  return {
    take(piece) {
      let at = reached;
      for (let index = 0; index < piece.length; index++) {
        at = table[at << 8 | piece[index]!]!;
        if (at <= LAST_ACTION) at = act(at);
      }
      reached = at;
    },
    end: () => depth === 0 && [AFTER, ZERO, INTEGER, FRACTION, EXPONENT].includes(reached),
  };
}
