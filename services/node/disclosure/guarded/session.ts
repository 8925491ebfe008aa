/**
 * One database of a run as its questions see it: the table, its persons, the owner's rules, and
 * what has been told of it so far.
 * @module
 */
import type { DisclosureRules, Table } from "../../algorithms/api.ts";
import { readCondition } from "../../algorithms/sextant/condition/condition.ts";
import { createSingling } from "../../algorithms/sextant/condition/singling.ts";
import { evaluate, NO, YES } from "../../algorithms/sextant/condition/evaluate.ts";
import {
  type SelectedRows,
  selectionOf,
  selectionsOf,
} from "../../algorithms/sextant/selection.ts";
import { createReleased, type Released, sizesOf } from "./released.ts";

/** What the rules say where there are none: everything may be told. */
export const OPEN: Omit<DisclosureRules, "profile"> = {
  persons: null,
  minCell: 1,
  minSubset: 1,
  roundTo: 1,
  maxTermsShare: Infinity,
  minResidualFreedom: 0,
  minLevel: 1,
  extremes: true,
  dominance: null,
  pRatio: null,
};

export type Rules = typeof OPEN;

/** A rule by its name in node.yaml, or what several answers together would give away. */
export type Rule =
  | "min_cell"
  | "min_subset"
  | "min_level"
  | "max_terms_share"
  | "min_residual_freedom"
  | "dominance"
  | "p_ratio"
  | "difference";

/** A cell below 0: the row does not meet the condition, or lacks a value. */
export const [OUTSIDE, MISSING] = [-1, -2] as const;

export interface Session {
  table: Table;
  rules: Rules;
  /** Of each row its person, from 0; undefined where every row is one of its own. */
  persons: Int32Array | undefined;
  /** By what was summed: the numbers of a column, or nothing but the rows. */
  released: Map<string, Released>;
  /** Terms of cross products so far. */
  terms: Set<string>;
  /** The rows that questions were about, until they are taken: for the ledger of what left. */
  used: SelectedRows[];
}

export function openSession(table: Table, given: DisclosureRules | null): Session {
  const rules = given ?? OPEN;
  return {
    table,
    rules,
    persons: rules.persons === null ? undefined : personsOf(table, rules.persons),
    released: new Map(),
    terms: new Set(),
    used: [],
  };
}

/** Rows that name no person are taken for one and the same. */
function personsOf(table: Table, column: string): Int32Array {
  const { values } = table.column(column);
  const known = new Map<unknown, number>();
  const found = new Int32Array(values.length);
  for (let row = 0; row < found.length; row++) {
    let person = known.get(values[row]);
    if (person === undefined) known.set(values[row], person = known.size);
    found[row] = person;
  }
  return found;
}

/** The rows that a question is about, each in its cell. */
export interface Cells {
  /** Of each row its cell, {@linkcode OUTSIDE} or {@linkcode MISSING}. */
  of: Int32Array;
  /** Rows and persons by cell. */
  rows: Int32Array;
  persons: Int32Array;
  /** Of all of them together. */
  n: number;
  people: number;
}

/** The rows that meet a condition, in the cells that `places` gives them; below 0 lacks a value. */
export function cellsOf(
  { table, rules, persons, used }: Session,
  { where, places, count }: { where: string | undefined; places: Int32Array; count: number },
): Cells {
  const singling = createSingling(table, { least: rules.minSubset, persons });
  const met = where === undefined
    ? undefined
    : evaluate(readCondition(where), table, singling.look);
  // As one that nobody meets.
  if (singling.found) met!.fill(NO);
  const of = new Int32Array(table.length);
  const all = new Int32Array(table.length);
  for (let row = 0; row < of.length; row++) {
    if (met && met[row] !== YES) of[row] = all[row] = OUTSIDE;
    else if (places[row]! < 0) {
      of[row] = MISSING;
      all[row] = OUTSIDE;
    } else of[row] = places[row]!;
  }
  const people = sizesOf(all, 1, persons)[0]!;
  // Of few nothing is told, and the ledger must not be another than if there were none.
  used.push(selectionOf(people < rules.minSubset ? [] : rowsIn(of), table.length));
  return {
    of,
    rows: sizesOf(of, count, undefined),
    persons: sizesOf(of, count, persons),
    n: sizesOf(all, 1, undefined)[0]!,
    people,
  };
}

/** So many groups of so many rows the ledger can be told of; of more nothing is told. */
const MOST_NUMBERS = 2 ** 34;

/**
 * Says to the ledger that something was told of each of so many groups of rows; of a row that is in
 * none the number is below 0. Whoever chooses such a group's rows in another run, but for one,
 * would else learn of that one.
 */
export function useGroups(
  { table: { length }, rules, used }: Session,
  groupOf: Int32Array,
  groups: number,
): void {
  if (rules.minSubset <= 1 || groups === 0) return;
  if (groups * length > MOST_NUMBERS) throw new TypeError("These are too many groups to tell of.");
  used.push(...selectionsOf(groupOf, groups, { places: undefined, length }));
}

function rowsIn(cells: Int32Array): Uint32Array {
  const rows = new Uint32Array(cells.length);
  let count = 0;
  for (let row = 0; row < cells.length; row++) if (cells[row]! >= 0) rows[count++] = row;
  return rows.subarray(0, count);
}

/** What sums over cells add to: a name for what is summed, and whose rows. */
export interface Measure {
  name: string;
  cells: Int32Array;
  /** Of each row the number that is summed, where it is not the rows that are counted. */
  values?: Float64Array;
}

/**
 * What a count of cells adds to: the rows of all questions, and those in which the same columns are
 * complete. Among the former, rows that lack a value are taken to be in the largest cell: how many
 * there are may be known, but else two columns of which each lacks one value could not both be
 * counted.
 */
export function countMeasures({ of, rows }: Cells, columns: readonly string[]): Measure[] {
  const largest = rows.indexOf(Math.max(...rows));
  return [
    { name: "rows", cells: of.map((cell) => cell === MISSING ? largest : cell) },
    { name: `rows with ${JSON.stringify([...columns].sort())}`, cells: of },
  ];
}

export interface Telling {
  /** Whether sums over these cells may be told, in every measure; they are told from then on. */
  tell(cells: readonly number[]): boolean;
  /** Sets of rows of which sums of numbers follow from all that has been told. */
  sums(): Iterable<{ values: Float64Array; isIn: (row: number) => boolean }>;
  /** Forgets what was told here. */
  forget(): void;
}

/** Begins to tell sums over cells. */
export function beginTelling(session: Session, measures: readonly Measure[]): Telling {
  const { rules, persons, table, released } = session;
  // Without rules there is nothing to be kept apart.
  if (rules.minCell <= 1) return { tell: () => true, sums: () => [], forget() {} };
  const all = measures.map(({ name, cells, values }) => {
    let one = released.get(name);
    if (!one) {
      one = createReleased({ rows: table.length, persons, least: rules.minCell });
      released.set(name, one);
    }
    const forget = one.mark();
    one.divide(cells);
    return { ...one, values, forget };
  });
  return {
    tell(cells) {
      if (!all.every((one) => one.mayTell(cells))) return false;
      for (const one of all) one.tell(cells);
      return true;
    },
    *sums() {
      for (const { values, derived } of all) {
        if (values) { for (const isIn of derived()) yield { values, isIn }; }
      }
    },
    forget() {
      for (const one of all) one.forget();
    },
  };
}

/**
 * A count of persons as it may leave. Where a person has several rows, the persons of two groups
 * less those of both together are the persons who are in both: so it is no more than told how many
 * there are at least.
 */
export function roundedPersons(count: number, { persons, rules }: Session): number {
  if (!persons) return rounded(count, rules);
  const step = Math.max(rules.minCell, rules.roundTo);
  return Math.floor(count / step) * step;
}

/** A count as it may leave. */
export function rounded(count: number, { roundTo }: Rules): number {
  return Math.round(count / roundTo) * roundTo;
}
