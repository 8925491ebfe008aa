/**
 * The rules there are as a matrix of nouns and operations: what stands in a cell, what may be put
 * there. No I/O here.
 * @module
 */
import {
  holdsAtLeast,
  OPERATIONS,
  type Principal,
  RESOURCES,
  type RuleName,
  SCOPES,
} from "../../../shared/contract/permissions.ts";
import type { Rule } from "../../../shared/contract/rule.ts";

/** One noun and one operation. */
export interface Cell {
  noun: string;
  operation: string;
  /** From the narrowest scope to the widest. */
  rules: Rule[];
}

export interface Matrix {
  operations: string[];
  /** A noun with a cell for each operation; `undefined` where there is no such rule. */
  rows: { noun: string; cells: (Cell | undefined)[] }[];
}

/** In a cell: nothing, all up to a scope, or a set that is no such stair. */
export type Choice = "" | "mixed" | string;

export function matrixOf(rules: readonly Rule[]): Matrix {
  const operations = inOrder(rules.map((rule) => rule.operation), OPERATIONS);
  const nouns = inOrder(rules.map((rule) => rule.name), RESOURCES);
  const rows = nouns.map((noun) => ({
    noun,
    cells: operations.map((operation) => {
      const own = rules.filter((rule) => rule.name === noun && rule.operation === operation);
      if (own.length === 0) return undefined;
      return { noun, operation, rules: own.toSorted((left, right) => rank(left) - rank(right)) };
    }),
  }));
  return { operations, rows };
}

/** What a cell shows of the rules that somebody has. */
export function choiceIn({ rules }: Cell, held: readonly number[]): Choice {
  const had = rules.map(({ id }) => held.includes(id));
  const count = had.filter(Boolean).length;
  if (count === 0) return "";
  const isStair = had.slice(0, count).every(Boolean);
  return isStair ? rules[count - 1]!.scope : "mixed";
}

/** The rules of the cell that this choice stands for; `before` is what a mixed one keeps. */
export function rulesOfChoice(
  { rules }: Cell,
  choice: Choice,
  before: readonly number[],
): number[] {
  if (choice === "mixed") return rules.filter(({ id }) => before.includes(id)).map(({ id }) => id);
  const last = rules.findIndex(({ scope }) => scope === choice);
  return rules.slice(0, last + 1).map(({ id }) => id);
}

/** The rules that somebody has then. */
export function withChoice(
  cell: Cell,
  choice: Choice,
  { held, before }: { held: readonly number[]; before: readonly number[] },
): number[] {
  const own = new Set(cell.rules.map(({ id }) => id));
  return [...held.filter((id) => !own.has(id)), ...rulesOfChoice(cell, choice, before)];
}

/**
 * The rules that stand between this choice and what there was, and that `who` does not hold: nobody
 * gives or takes those. Empty where the choice is theirs to make.
 */
export function beyond(
  cell: Cell,
  choice: Choice,
  { who, before }: { who: Principal; before: readonly number[] },
): Rule[] {
  const wanted = rulesOfChoice(cell, choice, before);
  return cell.rules.filter((rule) =>
    wanted.includes(rule.id) !== before.includes(rule.id) &&
    !holdsAtLeast(who, `${rule.name}:${rule.operation}:${rule.scope}` as RuleName)
  );
}

function rank({ scope }: Rule): number {
  return (SCOPES as readonly string[]).indexOf(scope);
}

/** Those of `order` first, then what a newer hub has. */
function inOrder(found: readonly string[], order: readonly string[]): string[] {
  const all = [...new Set(found)];
  return [
    ...order.filter((one) => all.includes(one)),
    ...all.filter((one) => !order.includes(one)),
  ];
}
