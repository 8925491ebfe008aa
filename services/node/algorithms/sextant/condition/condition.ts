/**
 * Conditions on the columns of a row, the language of the argument `where`:
 *
 * ```
 * age >= 18 and (sex = 'f' or "years in school" is missing) and not centre in (3, 7)
 * ```
 *
 * It compares columns with values and with columns, and does nothing else: there are no functions,
 * no arithmetic, no patterns. A comparison with a missing value is neither true nor false, and so
 * is what follows from it, as in SQL.
 * @module
 */
import { ConditionError } from "./condition_error.ts";
import { type Comparison, type Operand, type Token, tokenize } from "./tokens.ts";

export type Condition =
  | { is: "and" | "or"; parts: Condition[] }
  | { is: "not"; part: Condition }
  /** A column of truth values by itself. */
  | { is: "truth"; operand: Operand }
  | { is: "missing"; operand: Operand }
  | { is: "comparison"; left: Operand; comparison: Comparison; right: Operand; at: number }
  | { is: "in"; operand: Operand; values: Operand[] };

const MOST_CHARACTERS = 10_000;
/** Brackets and `not` within each other. */
const DEEPEST = 50;

/** Reads a condition; throws a {@linkcode ConditionError} that says where it is none. */
export function readCondition(text: string): Condition {
  if (text.length > MOST_CHARACTERS) {
    throw new ConditionError(`it is longer than ${MOST_CHARACTERS} characters`, MOST_CHARACTERS);
  }
  const tokens = tokenize(text);
  let [next, depth] = [0, 0];
  const condition = either();
  if (tokens[next]!.is !== "end") expected("and, or, or the end");
  return condition;

  function either(): Condition {
    const parts = [both()];
    while (take("or")) parts.push(both());
    return parts.length === 1 ? parts[0]! : { is: "or", parts };
  }

  function both(): Condition {
    const parts = [negation()];
    while (take("and")) parts.push(negation());
    return parts.length === 1 ? parts[0]! : { is: "and", parts };
  }

  function negation(): Condition {
    if (take("not")) return deeper(() => ({ is: "not", part: negation() }));
    if (!take("(")) return comparison();
    return deeper(() => {
      const inner = either();
      if (!take(")")) expected('")"');
      return inner;
    });
  }

  function deeper(read: () => Condition): Condition {
    if (++depth > DEEPEST) {
      throw new ConditionError(`it is nested more than ${DEEPEST} deep`, tokens[next]!.at);
    }
    const found = read();
    depth--;
    return found;
  }

  function comparison(): Condition {
    const left = operand();
    const { is, at } = tokens[next]!;
    if (take("is")) {
      const isNot = take("not");
      if (!take("missing")) expected("missing");
      return negated(isNot, { is: "missing", operand: left });
    }
    const isNot = tokens[next + 1]?.is === "in" && take("not");
    if (take("in")) return negated(isNot, { is: "in", operand: left, values: list() });
    if (!isComparison(is)) return { is: "truth", operand: left };
    next++;
    if (tokens[next]!.is === "missing") {
      throw new ConditionError('nothing equals what is missing: write "is missing"', at);
    }
    return { is: "comparison", left, comparison: is, right: operand(), at };
  }

  function list(): Operand[] {
    if (!take("(")) expected('"("');
    const values = [value()];
    while (take(",")) values.push(value());
    if (!take(")")) expected('"," or ")"');
    return values;
  }

  function value(): Operand {
    const { is } = tokens[next]!;
    return is === "value"
      ? operand()
      : expected("a number, a text in single quotes, true or false");
  }

  function operand(): Operand {
    const token = tokens[next]!;
    if (token.is !== "column" && token.is !== "value") return expected("a column or a value");
    next++;
    return token;
  }

  function take(is: Token["is"]): boolean {
    if (tokens[next]!.is !== is) return false;
    next++;
    return true;
  }

  function expected(what: string): never {
    const { is, at } = tokens[next]!;
    const found = is === "end"
      ? "it ends"
      : `there is ${text.slice(at - 1).match(/^\S{1,20}/)![0]}`;
    throw new ConditionError(`${what} must stand where ${found}`, at);
  }
}

function negated(isNot: boolean, condition: Condition): Condition {
  return isNot ? { is: "not", part: condition } : condition;
}

function isComparison(is: string): is is Comparison {
  return ["=", "!=", "<", "<=", ">", ">="].includes(is);
}
