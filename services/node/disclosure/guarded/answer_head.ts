/**
 * What all answers have in common.
 * @module
 */
import type { Protected, Table } from "../../algorithms/api.ts";
import { floatsOf, truthsOf } from "../../algorithms/sextant/columns.ts";
import { type Cells, rounded, roundedPersons, type Rule, type Session } from "./session.ts";

/** The rules by which something was withheld. */
export class Withheld {
  readonly rules = new Set<Rule>();

  add(rule: Rule): void {
    this.rules.add(rule);
  }

  /** Notes the rule, if there is one; true if there is none. */
  unless(rule: Rule | undefined): rule is undefined {
    if (rule) this.add(rule);
    return rule === undefined;
  }
}

/** Whether a question's rows may be told of at all; what none meets is as what few meet. */
export function begin({ rules }: Session, { people }: Cells, withheld: Withheld): boolean {
  return rules.minSubset <= 1 ||
    withheld.unless(people < rules.minSubset ? "min_subset" : undefined);
}

/** The head of an answer; without cells nothing is told of the rows. */
export function end(
  session: Session,
  cells: Cells | undefined,
  { rules: broken }: Withheld,
): Protected {
  const { rules } = session;
  const isTold = cells !== undefined && !broken.has("min_subset");
  return {
    n: isTold ? rounded(cells.n, rules) : null,
    persons: isTold ? roundedPersons(cells.people, session) : null,
    least: rules.minCell,
    rounded_to: rules.roundTo,
    withheld: [...broken].sort(),
  };
}

/** The numbers of a column of numbers or of truth values. */
export function numbersOfColumn(table: Table, name: string): Float64Array {
  return table.column(name).type === "boolean" ? truthsOf(table, name) : floatsOf(table, name);
}

/** The place of the first of the sorted limits that is not below the value. */
export function firstAtLeast(limits: number[], value: number): number {
  let [low, high] = [0, limits.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (limits[middle]! >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}
