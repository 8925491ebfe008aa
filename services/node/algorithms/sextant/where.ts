/**
 * The rows of a table that the argument `where` leaves.
 * @module
 */
import type { Table } from "./api.ts";
import type { SiteRules } from "./disclosure.ts";
import { readCondition } from "./condition/condition.ts";
import { evaluate, type Look, OPEN, YES } from "./condition/evaluate.ts";

/** Rows that a condition took away; null where an organization's rules withhold the count. */
export interface Outside {
  /** Rows that do not meet it. */
  not_met: number | null;
  /** Rows of which a missing value leaves open whether they do. */
  unknown: number | null;
}

/** A table, and how many of its rows a condition took away before. */
export type Rows = Table & {
  readonly outside?: Outside;
  /** Which rows of the table were left. */
  readonly kept?: Uint32Array;
  /** What may leave, and the persons of these rows; where the site's owner has set rules. */
  readonly site?: SiteRules;
};

/**
 * The rows of a table that meet a condition (its language is in `condition/condition.ts`); all of
 * them without one. A part of an algorithm calls it on its table first, and kernels count what it
 * took away. Throws a TypeError that says where the condition is wrong. `look` sees each part of
 * it.
 *
 * ```ts
 * const frame = completeRows(selectRows(context.table(), where), [{ name: "age" }]);
 * ```
 */
export function selectRows(table: Table, where: string | undefined, look?: Look): Rows {
  if (where === undefined) return table;
  const answers = evaluate(readCondition(where), table, look);
  const count = (which: number) => answers.reduce((sum, one) => sum + (one === which ? 1 : 0), 0);
  const [met, unknown] = [count(YES), count(OPEN)];
  const kept = new Uint32Array(met);
  let filled = 0;
  for (let row = 0; row < answers.length; row++) if (answers[row] === YES) kept[filled++] = row;
  const keep = <T>(values: readonly T[]): T[] => {
    const found = new Array<T>(met);
    for (let i = 0; i < met; i++) found[i] = values[kept[i]!]!;
    return found;
  };
  return {
    columns: table.columns,
    length: met,
    kept,
    outside: { not_met: table.length - met - unknown, unknown },
    column(name) {
      const column = table.column(name);
      return { ...column, values: keep<unknown>(column.values) } as typeof column;
    },
    numeric: (name) => keep(table.numeric(name)),
    floats(name) {
      const values = table.floats(name);
      const found = new Float64Array(met);
      for (let i = 0; i < met; i++) found[i] = values[kept[i]!]!;
      return found;
    },
    levels(name) {
      const levels = table.levels(name);
      const { type, places: all } = levels;
      const places = new Int32Array(met);
      for (let i = 0; i < met; i++) places[i] = all[kept[i]!]!;
      return {
        type,
        // Read only where somebody asks.
        get values() {
          return levels.values;
        },
        places,
      };
    },
    booleans: (name) => keep(table.booleans(name)),
    dates: (name) => keep(table.dates(name)),
  };
}
