/**
 * The words and signs of a condition.
 * @module
 */
import { ConditionError } from "./condition_error.ts";

export type Value = string | number | boolean;
export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** A column or a value; `at` counts the characters of the text from 1. */
export type Operand =
  | { is: "column"; name: string; at: number }
  | { is: "value"; value: Value; at: number };

type Word = "and" | "or" | "not" | "in" | "is" | "missing";

export type Token =
  | Operand
  | { is: Word | Comparison | "(" | ")" | "," | "end"; at: number };

const WORDS: readonly string[] = ["and", "or", "not", "in", "is", "missing"] satisfies Word[];
const SIGNS: Readonly<Record<string, Comparison | "(" | ")" | ",">> = {
  "(": "(",
  ")": ")",
  ",": ",",
  "=": "=",
  "==": "=",
  "!=": "!=",
  "<>": "!=",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};

// Each begins where the last one ended; none of them can be slow, whatever the text.
const SPACE = /\s+/y;
const SIGN = /[=!<>]=|<>|[()=,<>]/y;
const NUMBER = /-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?(?![\p{L}\p{N}_.])/iuy;
const NAME = /[\p{L}_][\p{L}\p{N}_.]*/uy;
const TEXT = /'((?:[^']|'')*)'/y;
const QUOTED_NAME = /"((?:[^"]|"")*)"/y;

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let place = 0;
  for (match(SPACE); place < text.length; match(SPACE)) tokens.push(readToken(place + 1));
  return [...tokens, { is: "end", at: text.length + 1 }];

  function match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = place;
    const found = pattern.exec(text);
    if (found) place = pattern.lastIndex;
    return found;
  }

  function readToken(at: number): Token {
    const sign = match(SIGN);
    if (sign) return { is: SIGNS[sign[0]]!, at };
    const number = match(NUMBER);
    if (number) return { is: "value", value: readNumber(number[0], at), at };
    const quoted = match(TEXT);
    if (quoted) return { is: "value", value: quoted[1]!.replaceAll("''", "'"), at };
    const name = match(QUOTED_NAME);
    if (name) return { is: "column", name: name[1]!.replaceAll('""', '"'), at };
    const word = match(NAME);
    if (word) return readWord(word[0], at);
    throw new ConditionError(problemAt(text[place]!), at);
  }
}

function readWord(word: string, at: number): Token {
  const small = word.toLowerCase();
  if (WORDS.includes(small)) return { is: small as Word, at };
  if (small === "true" || small === "false") return { is: "value", value: small === "true", at };
  if (small === "null" || small === "nan") {
    throw new ConditionError(`there is no ${word} here: write "is missing"`, at);
  }
  return { is: "column", name: word, at };
}

function readNumber(text: string, at: number): number {
  const value = Number(text);
  if (Number.isFinite(value) && (Number.isSafeInteger(value) || !/^-?\d+$/.test(text))) {
    return value;
  }
  throw new ConditionError(`a column of numbers cannot hold ${text.slice(0, 40)}`, at);
}

function problemAt(character: string): string {
  if (character === "'") return "the text that begins here has no end";
  if (character === '"') return "the name that begins here has no end";
  return `${JSON.stringify(character)} has no meaning here`;
}
