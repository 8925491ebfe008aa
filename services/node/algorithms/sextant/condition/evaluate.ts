/**
 * Whether the rows of a table meet a condition.
 * @module
 */
import type { Table } from "../api.ts";
import { numbersOf } from "../columns.ts";
import type { Condition } from "./condition.ts";
import { ConditionError } from "./condition_error.ts";
import { momentOf } from "./moment.ts";
import type { Comparison, Operand, Value } from "./tokens.ts";

/** Of a row: it meets the condition or not, or a missing value leaves that open. */
export const [NO, YES, OPEN] = [0, 1, 2] as const;

type Kind = "number" | "text" | "date" | "boolean";

/** The values of a column, or one value for all rows. Dates are milliseconds. */
interface Operands {
  /** Undefined for a column in which every value is missing: it is of no type. */
  kind: Kind | undefined;
  /** Null or `NaN` where it is missing. */
  of(row: number): Value | null;
  /** In words, for messages. */
  what: string;
  operand: Operand;
}

const WORDS: Readonly<Record<Kind, { one: string; many: string }>> = {
  number: { one: "a number", many: "numbers" },
  text: { one: "a text", many: "text" },
  date: { one: "a date", many: "dates" },
  boolean: { one: "true or false", many: "truth values" },
};

/** Called with each part of a condition and what it is for each row. */
export type Look = (part: Condition, answers: Uint8Array) => void;

/** `NO`, `YES` or `OPEN` for each row; throws where values are compared that cannot be. */
export function evaluate(condition: Condition, table: Table, look?: Look): Uint8Array {
  const answers = answersTo(condition, table, look);
  look?.(condition, answers);
  return answers;
}

function answersTo(condition: Condition, table: Table, look: Look | undefined): Uint8Array {
  switch (condition.is) {
    case "and":
    case "or": {
      const [first, ...others] = condition.parts.map((part) => evaluate(part, table, look));
      for (const other of others) combine(first!, other, condition.is === "and" ? NO : YES);
      return first!;
    }
    case "not":
      return evaluate(condition.part, table, look).map((one) => one === OPEN ? OPEN : one ^ 1);
    case "missing": {
      const { of } = operandsOf(condition.operand, table);
      return eachRow(table, (row) => isMissing(of(row)) ? YES : NO);
    }
    case "truth":
      return truths(operandsOf(condition.operand, table), table);
    case "comparison":
      return compare(condition, table);
    case "in":
      return isIn(condition, table);
  }
}

/** Puts into `first` what the two say together, of which one decisive one is enough. */
export function combine(first: Uint8Array, other: Uint8Array, decisive: number) {
  for (let i = 0; i < first.length; i++) {
    if (first[i] === decisive) continue;
    if (other[i] === decisive || other[i] === OPEN) first[i] = other[i]!;
  }
}

function eachRow(table: Table, decide: (row: number) => number): Uint8Array {
  const found = new Uint8Array(table.length);
  for (let row = 0; row < found.length; row++) found[row] = decide(row);
  return found;
}

function operandsOf(operand: Operand, table: Table): Operands {
  if (operand.is === "value") {
    const { value } = operand;
    const kind = typeof value === "string" ? "text" : typeof value as "number" | "boolean";
    return { kind, of: () => value, what: WORDS[kind].one, operand };
  }
  const { name } = operand;
  const what = (type: Kind) => `the column "${name}", which holds ${WORDS[type].many},`;
  const numbers = numbersOf(table, name);
  if (numbers) {
    const kind = numbers.every(Number.isNaN) ? undefined : "number";
    return { kind, of: (row) => numbers[row]!, what: what("number"), operand };
  }
  const { type, values } = table.column(name);
  if (type !== "date") return { kind: type, of: (row) => values[row]!, what: what(type), operand };
  const known = new Map<string | null, number | null>([[null, null]]);
  for (const text of values) if (!known.has(text)) known.set(text, momentOf(text!));
  return { kind: type, of: (row) => known.get(values[row]!)!, what: what(type), operand };
}

function isMissing(value: Value | null): value is null {
  return value === null || Number.isNaN(value);
}

function truths({ kind, of, what, operand }: Operands, table: Table): Uint8Array {
  if (kind !== undefined && kind !== "boolean") {
    throw new ConditionError(`${what} is no condition by itself`, operand.at);
  }
  return eachRow(table, (row) => isMissing(of(row)) ? OPEN : of(row) ? YES : NO);
}

const TESTS: Readonly<Record<Comparison, (a: Value, b: Value) => boolean>> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

function compare(
  { left, comparison, right, at }: Condition & { is: "comparison" },
  table: Table,
): Uint8Array {
  const [a, b] = alike(operandsOf(left, table), operandsOf(right, table));
  const isOrder = comparison !== "=" && comparison !== "!=";
  const unordered = [a, b].find(({ kind }) => kind === "text" || kind === "boolean");
  if (isOrder && unordered) {
    throw new ConditionError(`${unordered.what} is equal or not, but in no order`, at);
  }
  const test = TESTS[comparison];
  return eachRow(table, (row) => {
    const [x, y] = [a.of(row), b.of(row)];
    return isMissing(x) || isMissing(y) ? OPEN : test(x, y) ? YES : NO;
  });
}

function isIn({ operand, values }: Condition & { is: "in" }, table: Table): Uint8Array {
  const column = operandsOf(operand, table);
  const listed = values.map((value) => alike(column, operandsOf(value, table))[1].of(0));
  const list = new Set(listed);
  return eachRow(table, (row) => {
    const value = column.of(row);
    return isMissing(value) ? OPEN : list.has(value) ? YES : NO;
  });
}

/** Both, of one kind: a text that is compared with dates is one. Throws where they are not. */
function alike(a: Operands, b: Operands): [Operands, Operands] {
  if (a.kind === undefined || b.kind === undefined || a.kind === b.kind) return [a, b];
  if (a.kind === "date") return [a, asDate(b, a)];
  return b.kind === "date" ? [asDate(a, b), b] : differ(a, b);
}

function asDate(found: Operands, other: Operands): Operands {
  const { operand } = found;
  if (operand.is !== "value" || typeof operand.value !== "string") return differ(other, found);
  const moment = momentOf(operand.value);
  if (moment !== null) return { ...found, kind: "date", of: () => moment };
  throw new ConditionError(
    "a date must be written like '2024-02-29' or '2024-02-29T12:30:00Z'",
    operand.at,
  );
}

function differ(a: Operands, b: Operands): never {
  throw new ConditionError(
    `${b.what} cannot be compared with ${a.what.replace(/,$/, "")}`,
    b.operand.at,
  );
}
