/**
 * How many values lie at or below thresholds.
 * @module
 */
import type { QuantileCountsAnswer } from "../../algorithms/api.ts";
import { floatsOf } from "../../algorithms/sextant/columns.ts";
import { unitOf } from "../../algorithms/sextant/kernels/coarse.ts";
import { begin, end, firstAtLeast, Withheld } from "./answer_head.ts";
import { sizesOf } from "./released.ts";
import { beginTelling, cellsOf, countMeasures, rounded, type Session } from "./session.ts";

export interface QuantileCountsQuestion {
  column: string;
  thresholds: number[];
  where?: string | undefined;
}

export function answerQuantileCounts(
  session: Session,
  { column, thresholds, where }: QuantileCountsQuestion,
): QuantileCountsAnswer {
  const { table, rules, persons } = session;
  const values = floatsOf(table, column);
  const limits = [...new Set(thresholds)].sort((a, b) => a - b);
  // A value belongs to the first threshold that it is not above, or to what is above them all.
  const places = Int32Array.from(
    values,
    (value) => Number.isNaN(value) ? -1 : firstAtLeast(limits, value),
  );
  const cells = cellsOf(session, { where, places, count: limits.length + 1 });
  const withheld = new Withheld();
  const counts = thresholds.map((): number | null => null);
  if (!begin(session, cells, withheld)) return { ...end(session, cells, withheld), counts };

  const measures = [
    ...countMeasures(cells, [column]),
    { name: `sums of ${column}`, cells: cells.of },
  ];
  const telling = beginTelling(session, measures);
  const all = Array.from({ length: limits.length + 1 }, (_, cell) => cell);
  if (!telling.tell(all)) {
    withheld.add("difference");
    return { ...end(session, undefined, withheld), counts };
  }
  const inside = Float64Array.from(values, (value, row) => cells.of[row]! >= 0 ? value : NaN);
  const peopleIn = (from: number, to: number) => {
    const group = Int32Array.from(inside, (value) => value > from && value <= to ? 0 : -1);
    return sizesOf(group, 1, persons)[0]!;
  };
  const known = new Map<number, number>();
  let last = -Infinity;
  for (const [i, limit] of limits.entries()) {
    const unit = unitOf(limit);
    const dense = rules.minCell <= 1 ||
      [[last, limit], [limit, Infinity], [limit - unit, limit], [limit, limit + unit]]
        .every(([from, to]) => peopleIn(from!, to!) >= rules.minCell);
    if (!withheld.unless(dense ? undefined : "min_cell")) continue;
    const below = all.slice(0, i + 1);
    if (!withheld.unless(telling.tell(below) ? undefined : "difference")) continue;
    const n = below.reduce((sum, cell) => sum + cells.rows[cell]!, 0);
    known.set(limit, rounded(n, rules));
    last = limit;
  }
  return {
    ...end(session, cells, withheld),
    counts: thresholds.map((one) => known.get(one) ?? null),
  };
}
