/**
 * Rows counted by groups, and moments of numbers by group.
 * @module
 */
import type { GroupsAnswer, ProtectedMoments } from "../../algorithms/api.ts";
import { commonIn } from "../../algorithms/sextant/few_values.ts";
import { groupRows } from "../../algorithms/sextant/kernels/groups.ts";
import { momentsOf } from "../../algorithms/sextant/kernels/moments.ts";
import { begin, end, numbersOfColumn, Withheld } from "./answer_head.ts";
import {
  beginTelling,
  type Cells,
  cellsOf,
  countMeasures,
  rounded,
  roundedPersons,
  type Rule,
  type Session,
  type Telling,
  useGroups,
} from "./session.ts";
import { type GroupValues, levelsOf, valuesIn, whyNotDerived, whyNotMoments } from "./values.ts";

export interface GroupsQuestion {
  columns: string[];
  where?: string | undefined;
  sums?: string[] | undefined;
}

export function answerGroups(
  session: Session,
  { columns, where, sums = [] }: GroupsQuestion,
): GroupsAnswer {
  const { table, rules, persons } = session;
  const numbers = Object.fromEntries(sums.map((name) => [name, numbersOfColumn(table, name)]));
  const { levels, places } = groupRows(table, columns, Object.entries(numbers));
  const cells = cellsOf(session, { where, places, count: levels.length });
  const withheld = new Withheld();
  const head = begin(session, cells, withheld);
  if (!head) return { ...end(session, cells, withheld), groups: [] };

  const counting = beginTelling(session, countMeasures(cells, [...columns, ...sums]));
  const inOrder = bySize(cells);
  if (!counting.tell(inOrder)) {
    withheld.add("difference");
    return { ...end(session, undefined, withheld), groups: [] };
  }
  const told = inOrder.filter((cell) => {
    const why: Rule | undefined = cells.persons[cell]! < rules.minCell
      ? "min_cell"
      : counting.tell([cell])
      ? undefined
      : "difference";
    return withheld.unless(why);
  });
  const placeOf = new Map(told.map((cell, i) => [cell, i]));
  useGroups(session, cells.of.map((cell) => placeOf.get(cell) ?? -1), told.length);
  const moments = sums.map((name) =>
    tellMoments(session, { name, numbers, cells, told, withheld })
  );
  return {
    ...end(session, cells, withheld),
    groups: told.sort((a, b) => a - b).map((cell) => ({
      levels: levels[cell]!,
      n: rounded(cells.rows[cell]!, rules),
      persons: roundedPersons(cells.persons[cell]!, session),
      moments: Object.fromEntries(sums.map((name, i) => [name, moments[i]!.get(cell) ?? null])),
    })),
  };

  /** The cells that have rows, those of most persons first: what must be withheld is small. */
  function bySize({ rows }: Cells): number[] {
    const filled = [...rows.keys()].filter((cell) => rows[cell]! > 0);
    return filled.sort((a, b) => cells.persons[b]! - cells.persons[a]! || a - b);
  }

  function tellMoments(
    session: Session,
    { name, numbers, cells, told, withheld }: {
      name: string;
      numbers: Record<string, Float64Array>;
      cells: Cells;
      told: number[];
      withheld: Withheld;
    },
  ): Map<number, ProtectedMoments> {
    const values = numbers[name]!;
    const begin = () =>
      beginTelling(session, [{ name: `sums of ${name}`, cells: cells.of, values }]);
    const levels = levelCells(session, { values, cells, columns: [...columns, ...sums], name });
    const reasons = told.map((cell): Rule | undefined =>
      whyNotMoments(valuesIn(cells.of, cell, values, persons), rules) ??
        (levels?.tell(cell) ?? true ? undefined : "difference")
    );
    const open = told.filter((_, i) => !reasons[i]);
    // All of them at once; only where that tells too much, one by one.
    const together = begin();
    const isAll = open.every((cell) => together.tell([cell])) &&
      !whyNotDerived(session, together);
    if (!isAll) together.forget();
    const mayTell = (cell: number) => {
      if (isAll) return true;
      const one = begin();
      const isTold = one.tell([cell]) && !whyNotDerived(session, one);
      if (!isTold) one.forget();
      return isTold;
    };
    const found = new Map<number, ProtectedMoments>();
    for (const [i, cell] of told.entries()) {
      const why = reasons[i] ?? (mayTell(cell) ? undefined : "difference");
      if (withheld.unless(why)) {
        const group = valuesIn(cells.of, cell, values, persons);
        found.set(cell, protectedMoments(group, rules.roundTo));
      }
    }
    useWithoutCommon(values, [...found.keys()]);
    return found;
  }

  /** To the ledger a sum is also one of the rows without a value that is known, as 0 is. */
  function useWithoutCommon(values: Float64Array, summed: number[]): void {
    const placeOf = new Map(summed.map((cell, place) => [cell, place]));
    const places = cells.of.map((cell) => placeOf.get(cell) ?? -1);
    for (const common of commonIn(values.filter((_, row) => places[row]! >= 0), rules)) {
      const others = places.map((place, row) => values[row] === common ? -1 : place);
      useGroups(session, others, summed.length);
    }
  }
}

/**
 * A mean of two values is a count of each: to be told as these are. Returns nothing for a column of
 * more.
 */
function levelCells(
  session: Session,
  { values, cells, columns, name }: {
    values: Float64Array;
    cells: Cells;
    columns: string[];
    name: string;
  },
): { tell(cell: number): boolean } | undefined {
  const { few } = levelsOf(values.filter((_, row) => cells.of[row]! >= 0));
  if (!few || few.length < 2) return undefined;
  const place = new Map(few.map((level, i) => [level, i]));
  const fine: Cells = {
    ...cells,
    of: cells.of.map((cell, row) => cell < 0 ? cell : cell * few.length + place.get(values[row]!)!),
    rows: new Int32Array(cells.rows.length * few.length),
  };
  for (const cell of fine.of) if (cell >= 0) fine.rows[cell]!++;
  const telling: Telling = beginTelling(session, countMeasures(fine, [...columns, name]));
  return {
    tell: (cell) => few.every((_, i) => telling.tell([cell * few.length + i])),
  };
}

/**
 * The moments of a group. Where counts are rounded, the squares are those of as many rows as are
 * said, and a mean of two values is made of rounded counts: either would give the counts away.
 */
export function protectedMoments({ values }: GroupValues, roundTo: number): ProtectedMoments {
  const { n, mean, squares } = momentsOf(values);
  if (roundTo <= 1) return { mean, squares };
  const round = (count: number) => Math.round(count / roundTo) * roundTo;
  const said = round(n);
  const { few } = levelsOf(values);
  if (few?.length !== 2) return { mean, squares: squares * said / n };
  const [low, high] = few as [number, number];
  const share = round(values.reduce((count, value) => count + (value === high ? 1 : 0), 0)) / said;
  return {
    mean: low + share * (high - low),
    squares: said * share * (1 - share) * (high - low) ** 2,
  };
}
