/**
 * Survival over all organizations, by group: the curves, medians and restricted means of pooled rows,
 * from each site's counts by time.
 * @module
 */
import type { Context } from "sextant/api.ts";
import { coverage, type LeftOut, readLeftOut, requireRows } from "sextant/kernels/frame.ts";
import { groupRows, splitByGroup } from "sextant/kernels/groups.ts";
import {
  checkTimes,
  countRows,
  type LifeTable,
  lifeTableOf,
  medianOf,
  mergeLifeTables,
  readLifeTable,
  restrictedMean,
  survivalCurve,
} from "sextant/kernels/life_table.ts";
import { byLevel, floatsOf, truthsOf } from "sextant/kernels/survey.ts";
import { askParts, readCount, readFields, readRecord } from "sextant/parts.ts";
import { logRank } from "sextant/statistics/log_rank.ts";
import { selectRows } from "sextant/where.ts";

export { description } from "./description.ts";

interface Question {
  time: string;
  event: string;
  group?: string | undefined;
  where?: string | undefined;
}

interface TablesPart {
  n: number;
  leftOut: LeftOut;
  groups: Record<string, LifeTable>;
}

/** The one group, where none is asked for. */
const ALL = "all";

export async function central(
  context: Context,
  args: Question & { horizon?: number; confidence: number; organizations?: number[] },
) {
  const { time, event, group, where, horizon, confidence, organizations } = args;
  const names = [time, event, group].filter((name) => name !== undefined);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new TypeError(`The column "${twice}" stands for two things.`);
  const parts = await askParts(context, {
    organizations,
    method: "partial",
    kwargs: { time, event, group, where },
    read: readPart,
  });
  const covered = coverage(parts);
  requireRows(covered, "No row has a value in each of the columns.");
  const levels = [...new Set(parts.flatMap(({ part }) => Object.keys(part.groups)))].sort(byLevel);
  const tables = levels.map((level) =>
    mergeLifeTables(parts.flatMap(({ part }) => part.groups[level] ?? []))
  );
  const shown = tables.map((table, i) => {
    const last = table.times.at(-1)!;
    const curve = survivalCurve(table, confidence);
    // A curve that has come down to 0 stays there; any other is unknown after its last time.
    if (horizon !== undefined && horizon > last && curve.at(-1)?.survival !== 0) {
      throw new RangeError(
        `The argument "horizon" must be at most ${last}, where the group "${levels[i]}" ends.`,
      );
    }
    const group = {
      ...countRows(table),
      median: medianOf(curve),
      restricted_mean: horizon === undefined ? null : restrictedMean(curve, horizon),
      curve,
    };
    return [levels[i]!, group] as const;
  });
  return {
    groups: Object.fromEntries(shown),
    log_rank: tables.length > 1 ? logRank(tables) : null,
    ...covered,
    notes: tables.every((table) => countRows(table).events === 0) ? ["No row has the event."] : [],
  };
}

/** Returns this organization's counts by time. */
export function partial(context: Context, { time, event, group, where }: Question): TablesPart {
  const table = selectRows(context.table(), where);
  const numbers = { [time]: floatsOf(table, time), [event]: truthsOf(table, event) };
  const groups = groupRows(table, group ? [group] : [], numbers);
  const [times, events] = [splitByGroup(groups, 0), splitByGroup(groups, 1)];
  const named = groups.levels.map(([level], i) => {
    checkTimes(time, times[i]!);
    return [level ?? ALL, lifeTableOf(times[i]!, events[i]!)];
  });
  return { n: groups.n, leftOut: groups.leftOut, groups: Object.fromEntries(named) };
}

function readPart(value: unknown): TablesPart {
  return readFields<TablesPart>(value, {
    n: readCount,
    leftOut: readLeftOut,
    groups: (groups) => readRecord(groups, readLifeTable),
  });
}
