/**
 * Who is at risk, and who has the event, by intervals of time.
 * @module
 */
import type { RiskSetsAnswer } from "../../algorithms/api.ts";
import { groupRows } from "../../algorithms/sextant/kernels/groups.ts";
import { tellableLimits } from "../../algorithms/sextant/kernels/edges.ts";
import { floatsOf, truthsOf } from "../../algorithms/sextant/columns.ts";
import { begin, end, firstAtLeast, Withheld } from "./answer_head.ts";
import { sizesOf } from "./released.ts";
import {
  beginTelling,
  cellsOf,
  countMeasures,
  rounded,
  type Session,
  useGroups,
} from "./session.ts";

export interface RiskSetsQuestion {
  time: string;
  event: string;
  times?: number[] | undefined;
  where?: string | undefined;
  by?: string[] | undefined;
}

/** Intervals that are tried where none are wanted. */
const INTERVALS = 50;

export function answerRiskSets(
  session: Session,
  { time, event, times: wanted, where, by = [] }: RiskSetsQuestion,
): RiskSetsAnswer {
  const { table, rules, persons } = session;
  const times = floatsOf(table, time);
  const events = truthsOf(table, event);
  const { levels, places } = groupRows(table, by, [[time, times], [event, events]]);
  const whole = cellsOf(session, { where, places, count: levels.length });
  const withheld = new Withheld();
  if (!begin(session, whole, withheld)) return { ...end(session, whole, withheld), groups: [] };

  const ends = wanted ? tellable([...new Set(wanted)]) : gridOf(times, whole.of);
  // Of each group and interval two cells: with the event, and without.
  const width = 2 * (ends.length + 1);
  const fine = Int32Array.from(
    whole.of,
    (group, row) =>
      group < 0 ? group : group * width + 2 * firstAtLeast(ends, times[row]!) + (1 - events[row]!),
  );
  const rows = sizesOf(fine, levels.length * width, undefined);
  const telling = beginTelling(session, [
    ...countMeasures({ ...whole, of: fine, rows }, [time, event, ...by]),
    { name: `sums of ${time}`, cells: fine },
  ]);
  /** Of each cell that is told with others the number of these together. */
  const toldIn = new Map<number, number>();
  let together = 0;
  const groups = levels.flatMap((level, group) => {
    if (whole.persons[group] === 0) return [];
    const spans = merge(group);
    if (!withheld.unless(spans ? undefined : "min_cell")) return [];
    const told = spans!.every(({ events, left }) =>
      [events, left].every((cells) => countRows(cells) === 0 || telling.tell(cells))
    );
    if (!withheld.unless(told ? undefined : "difference")) return [];
    for (const cells of spans!.flatMap(({ events, left }) => [events, left])) {
      for (const cell of cells) toldIn.set(cell, together);
      together++;
    }
    let atRisk = countRows(spans!.flatMap(({ events, left }) => [...events, ...left]));
    return [{
      levels: level,
      intervals: spans!.map(({ until, ...cells }) => {
        const [had, left] = [countRows(cells.events), countRows(cells.left)];
        const interval = {
          until,
          at_risk: rounded(atRisk, rules),
          events: rounded(had, rules),
          left: rounded(left, rules),
        };
        atRisk -= had + left;
        return interval;
      }),
    }];
  });
  useGroups(session, fine.map((cell) => toldIn.get(cell) ?? -1), together);
  // Where one group is missing, the total would give it back.
  const isWhole = groups.length === levels.filter((_, group) => whole.persons[group]! > 0).length;
  return { ...end(session, isWhole ? whole : undefined, withheld), groups };

  /** Those that come near to no time of few persons; intervals are taken together at the others. */
  function tellable(wanted: number[]): number[] {
    const inside = times.map((value, row) => whole.of[row]! >= 0 ? value : NaN);
    const can = tellableLimits(wanted, { least: rules.minCell, persons }, inside);
    if (can.includes(false)) withheld.add("min_cell");
    return wanted.filter((_, i) => can[i]).sort((a, b) => a - b);
  }

  function countRows(cells: number[]): number {
    return cells.reduce((sum, cell) => sum + rows[cell]!, 0);
  }

  function peopleIn(cells: number[]): number {
    if (!persons) return countRows(cells);
    const chosen = new Set(cells);
    return sizesOf(fine.map((cell) => chosen.has(cell) ? 0 : -1), 1, persons)[0]!;
  }

  /**
   * The intervals of a group, each with events of persons enough and as many, or none, who leave
   * without one; undefined where not even all together are.
   */
  function merge(group: number): Span[] | undefined {
    const spans: Span[] = [];
    let open: Span = { until: null, events: [], left: [] };
    for (let i = 0; i <= ends.length; i++) {
      const cell = group * width + 2 * i;
      open.events.push(cell);
      open.left.push(cell + 1);
      open.until = ends[i] ?? null;
      if (!isEnough(open)) continue;
      spans.push(open);
      open = { until: null, events: [], left: [] };
    }
    // What is left over goes with the last one: those who are never seen to leave are at risk
    // there.
    const last = spans.at(-1);
    if (!last) return undefined;
    if (open.events.length > 0) {
      last.events.push(...open.events);
      last.left.push(...open.left);
    }
    last.until = null;
    return isEnough(last) ? spans : undefined;
  }

  function isEnough({ events, left }: Span): boolean {
    if (rules.minCell <= 1) return true;
    const leaving = peopleIn(left);
    return peopleIn(events) >= rules.minCell && (leaving === 0 || leaving >= rules.minCell);
  }
}

interface Span {
  until: number | null;
  /** Cells. */
  events: number[];
  left: number[];
}

/** Multiples of 1, 2 or 5 in some decimal place, which most of the times lie between. */
function gridOf(times: Float64Array, cells: Int32Array): number[] {
  const sorted = times.filter((_, row) => cells[row]! >= 0).sort();
  const most = sorted[Math.floor(0.9 * (sorted.length - 1))] ?? 0;
  if (most <= 0) return [];
  const power = 10 ** Math.floor(Math.log10(most / INTERVALS));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => most / one <= INTERVALS)!;
  return Array.from({ length: Math.ceil(most / step) }, (_, i) => (i + 1) * step);
}
