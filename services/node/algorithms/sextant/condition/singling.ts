/**
 * Whether a condition singles somebody out in one of its parts, however many rows meet all of it.
 * Whoever asks of `name = 'Ann' or hiv = 0` after `hiv = 0` would learn of Ann by whether the
 * second is withheld for differing by one person from the first; so it is withheld whatever Ann
 * has.
 *
 * The same can be written so that no part is of Ann alone:
 * `(age >= 27 or hiv = 0) and (age <= 27 or hiv = 0)`, or `hiv = 0 and (age < 27 or age > 27)`,
 * which is without Ann. So what counts is also each way in which the condition is true or false,
 * and whatever part of that way some row meets.
 * @module
 */
import type { Table } from "../api.ts";
import type { Condition } from "./condition.ts";
import { numbersOf } from "../columns.ts";
import { tellableLimits } from "../kernels/edges.ts";
import { combine, NO, OPEN, YES } from "./evaluate.ts";
import { type Way, waysOf } from "./ways.ts";

export interface Singling {
  /** To be called with each part of the condition and what it is for each row. */
  look(part: Condition, answers: Uint8Array): void;
  /**
   * Whether one of the parts, or of the ways in which the condition is met or not, was of too few
   * persons; or whether the ways are too many to look at. To be read once all of it has been.
   */
  readonly found: boolean;
}

/** `persons` says of each row whose it is; undefined where each is somebody's own. */
export function createSingling(
  table: Table,
  { least, persons }: { least: number; persons: ArrayLike<number> | undefined },
): Singling {
  let found = false;
  /** The whole condition, which is looked at last. */
  let whole: Condition | undefined;
  const answersTo = new Map<Condition, Uint8Array>();
  const personOf = (row: number) => persons ? persons[row]! : row;

  /** How many persons have such a row; counted no further than is asked. */
  function countPersons(answers: Uint8Array, which: number): number {
    const seen = new Set<number>();
    for (let row = 0; row < answers.length && seen.size < least; row++) {
      if (answers[row] === which) seen.add(personOf(row));
    }
    return seen.size;
  }

  /**
   * Whether no value of the column is of many: then it is a name, and nobody who has one is told
   * of.
   */
  function isName(column: string): boolean {
    const owners = new Map<unknown, Set<number>>();
    for (const [row, value] of table.column(column).values.entries()) {
      if (value === null) continue;
      let of = owners.get(value);
      if (!of) owners.set(value, of = new Set());
      if (of.add(personOf(row)).size >= least) return false;
    }
    return true;
  }

  /**
   * Whether few persons meet what some row meets of a way. Of many who meet all of it nothing is to
   * be feared; and where some parts of it are of few, one of these few meets nothing but such
   * parts.
   */
  function isOfFew(way: Way): boolean {
    // One part alone has been looked at as it stands.
    if (way.length < 2) return false;
    const answers = way.map(({ part }) => answersTo.get(part)!);
    const wanted = way.map(({ isFalse }) => isFalse ? NO : YES);
    const all = 2 ** way.length - 1;
    /**
     * By the parts that are met, as bits: persons who meet these and no others, up to the least.
     */
    const seen = new Map<number, Set<number>>();
    for (let row = 0; row < table.length; row++) {
      let met = 0;
      for (let i = 0; i < answers.length; i++) if (answers[i]![row] === wanted[i]) met |= 1 << i;
      if (met === 0) continue;
      let of = seen.get(met);
      if (!of) seen.set(met, of = new Set());
      if (of.size < least) of.add(personOf(row));
      if (met === all && of.size >= least) return false;
    }
    return [...seen.keys()].some((met) => {
      const those = new Set<number>();
      for (const [more, of] of seen) {
        if ((more & met) !== met) continue;
        for (const person of of) those.add(person);
        if (those.size >= least) return false;
      }
      return true;
    });
  }

  /**
   * Whether a limit is between values that few persons have: a condition with one ever nearer to a
   * value would tell it, by where it is refused for differing by a person from those before.
   */
  function comesTooNear(part: Condition): boolean {
    if (part.is !== "comparison" || part.comparison === "=" || part.comparison === "!=") {
      return false;
    }
    const [column, limit] = part.left.is === "column"
      ? [part.left, part.right]
      : [part.right, part.left];
    if (column.is !== "column" || limit.is !== "value" || typeof limit.value !== "number") {
      return false;
    }
    const values = numbersOf(table, column.name);
    return values !== undefined && !tellableLimits([limit.value], { least, persons }, values)[0];
  }

  /**
   * Whether few persons lack a value of a column, and of all others the condition asks nothing by
   * it: then it is met without these few, or by those of them who meet the rest, which would tell
   * of them.
   */
  function isByFewMissing(condition: Condition): boolean {
    const parts = [...answersTo.keys()];
    if (new Set(parts.flatMap(columnsIn)).size < 2) return false;
    let met: Uint8Array | undefined;
    for (const [part, own] of answersTo) {
      const names = columnsIn(part);
      const absent = part.is === "missing" ? YES : OPEN;
      const few = countPersons(own, absent);
      if (few === 0 || few >= least) continue;
      const beside = parts.filter((one) => columnsIn(one).some((name) => names.includes(name)));
      // A condition on nothing else tells nothing else of them.
      if (beside.length === parts.length) continue;
      met ??= answerOf(condition, answersTo);
      for (const fixed of [YES, NO]) {
        const all = new Uint8Array(table.length).fill(fixed);
        const without = answerOf(
          condition,
          new Map([...answersTo, ...beside.map((one) => [one, all] as const)]),
        );
        const differ = new Uint8Array(table.length);
        for (let row = 0; row < differ.length; row++) {
          if (own[row] === absent || (met[row] === YES) === (without[row] === YES)) continue;
          differ[row] = YES;
        }
        if (countPersons(differ, YES) < least) return true;
      }
    }
    return false;
  }

  return {
    look(part, answers) {
      whole = part;
      // A copy: what several parts say together is put into the answers to the first.
      if (!["and", "or", "not"].includes(part.is)) answersTo.set(part, answers.slice());
      // What is missing is nobody's name, and how few lack a value the ledger of what left sees.
      if (found || part.is === "missing") return;
      if (comesTooNear(part)) return void (found = true);
      const named = nameIn(part);
      const isUnequal = part.is === "comparison" && part.comparison === "!=";
      const count = countPersons(answers, isUnequal ? NO : YES);
      found = count > 0 ? count < least : named !== undefined && isName(named);
    },
    get found() {
      if (found || !whole) return found;
      if (isByFewMissing(whole)) return found = true;
      const [met, unmet] = [waysOf(whole), waysOf(whole, true)];
      whole = undefined;
      // The one way in which nothing else is asked leaves out of all rows what it says.
      const without = unmet && unmet.length > 1 ? unmet : [];
      return found = !met || !unmet || [...met, ...without].some(isOfFew);
    },
  };
}

/** What the condition is for each row, from what its parts are. */
function answerOf(
  condition: Condition,
  answersTo: ReadonlyMap<Condition, Uint8Array>,
): Uint8Array {
  if (condition.is === "not") {
    return answerOf(condition.part, answersTo).map((one) => one === OPEN ? OPEN : one ^ 1);
  }
  if (condition.is !== "and" && condition.is !== "or") return answersTo.get(condition)!;
  const [first, ...others] = condition.parts.map((part) => answerOf(part, answersTo));
  const together = first!.slice();
  for (const other of others) combine(together, other, condition.is === "and" ? NO : YES);
  return together;
}

/** The columns that a part without parts names. */
function columnsIn(part: Condition): string[] {
  const operands = part.is === "comparison"
    ? [part.left, part.right]
    : "operand" in part
    ? [part.operand]
    : [];
  return operands.flatMap((one) => one.is === "column" ? [one.name] : []);
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
