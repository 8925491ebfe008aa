/**
 * Whether a condition singles somebody out in one of its parts, however many rows meet all of it.
 * Whoever asks of `name = 'Ann' or hiv = 0` after `hiv = 0` would learn of Ann by whether the second
 * is withheld for differing by one person from the first; so it is withheld whatever Ann has.
 * @module
 */
import type { Table } from "../api.ts";
import type { Condition } from "./condition.ts";
import { NO, YES } from "./evaluate.ts";

export interface Singling {
  /** To be called with each part of the condition and what it is for each row. */
  look(part: Condition, answers: Uint8Array): void;
  /** Whether one of the parts was of too few persons. */
  readonly found: boolean;
}

/** `persons` says of each row whose it is; undefined where each is somebody's own. */
export function createSingling(
  table: Table,
  { least, persons }: { least: number; persons: ArrayLike<number> | undefined },
): Singling {
  let found = false;

  /** How many persons have such a row; counted no further than is asked. */
  function countPersons(answers: Uint8Array, which: number): number {
    const seen = new Set<number>();
    for (let row = 0; row < answers.length && seen.size < least; row++) {
      if (answers[row] === which) seen.add(persons ? persons[row]! : row);
    }
    return seen.size;
  }

  /** Whether no value of the column is of many: then it is a name, and nobody who has one is told of. */
  function isName(column: string): boolean {
    const owners = new Map<unknown, Set<number>>();
    for (const [row, value] of table.column(column).values.entries()) {
      if (value === null) continue;
      let of = owners.get(value);
      if (!of) owners.set(value, of = new Set());
      if (of.add(persons ? persons[row]! : row).size >= least) return false;
    }
    return true;
  }

  return {
    look(part, answers) {
      // What is missing is nobody's name, and how few lack a value the ledger of what left sees.
      if (found || part.is === "missing") return;
      const named = nameIn(part);
      const isUnequal = part.is === "comparison" && part.comparison === "!=";
      const count = countPersons(answers, isUnequal ? NO : YES);
      found = count > 0 ? count < least : named !== undefined && isName(named);
    },
    get found() {
      return found;
    },
  };
}

/** The column that the part compares with values that it names. */
function nameIn(part: Condition): string | undefined {
  if (part.is === "in") return part.operand.is === "column" ? part.operand.name : undefined;
  if (part.is !== "comparison" || !["=", "!="].includes(part.comparison)) return undefined;
  const { left, right } = part;
  if (left.is === right.is) return undefined;
  const column = left.is === "column" ? left : right;
  return column.is === "column" ? column.name : undefined;
}
