/**
 * Survival over all organizations, by group: the curves, medians and restricted means of pooled
 * rows, from each site's counts by time.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { PartWithheld } from "sextant/disclosure.ts";
import { coverage, readLeftOut, requireRows } from "sextant/kernels/frame.ts";
import type { Used } from "sextant/kernels/frame.ts";
import { countGroups, groupRows, type Groups, usedGroups } from "sextant/kernels/groups.ts";
import { splitByGroup } from "sextant/kernels/groups.ts";
import {
  checkTimes,
  coarseLifeTablesOf,
  countRows,
  type LifeTable,
  lifeTableOf,
  medianOf,
  mergeLifeTables,
  readLifeTable,
  restrictedMean,
  survivalCurve,
} from "sextant/kernels/life_table.ts";
import { floatsOf, truthsOf } from "sextant/columns.ts";
import { byLevel } from "sextant/kernels/survey.ts";
import { readCount, readFields, readRecord } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";
import { logRank } from "sextant/statistics/log_rank.ts";

export { description } from "./description.ts";

interface Question {
  time: string;
  event: string;
  group?: string | undefined;
  where?: string | undefined;
}

interface TablesPart extends Used {
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
  const sites = createSites(context, organizations);
  const parts = await sites.ask({
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
    ...sites.withheld(),
    notes: [
      ...tables.every((table) => countRows(table).events === 0) ? ["No row has the event."] : [],
      ...sites.notes(),
    ],
  };
}

/** Returns this organization's counts by time. */
export function partial(context: Context, { time, event, group, where }: Question): TablesPart {
  return answer(context, where, (table) => {
    const groups = groupRows(table, group ? [group] : [], [
      [time, floatsOf(table, time)],
      [event, truthsOf(table, event)],
    ]);
    const [times, events] = [splitByGroup(groups, 0), splitByGroup(groups, 1)];
    const named = groups.levels.map(([level], i) => {
      checkTimes(time, times[i]!);
      return [level ?? ALL, lifeTableOf(times[i]!, events[i]!)] as const;
    });
    if (groups.site) return coarsePart(groups, { group, named });
    return { n: groups.n, leftOut: groups.leftOut, groups: Object.fromEntries(named) };
  });
}

/** The part of a site with rules: in intervals, without groups whose events are too few for any. */
function coarsePart(
  groups: Groups,
  { group, named }: {
    group: string | undefined;
    named: (readonly [string, LifeTable])[];
  },
): TablesPart {
  const site = groups.site!;
  const rows = countGroups(groups);
  const [times, events] = groups.numbers as [Float64Array, Float64Array];
  const tables = coarseLifeTablesOf(named.map(([, fine]) => fine), {
    times,
    events,
    groupOf: groups.places,
    site,
  });
  const coarse = named.map(([level, fine], i) => {
    const table = tables[i];
    if (!table) site.withhold("groups", "min_cell", fine.times.length);
    const fewer = fine.times.length - (table?.times.length ?? 0);
    if (table && fewer > 0) site.withhold("groups.*.times", "min_cell", fewer);
    return [level, table] as const;
  });
  const isTold = coarse.map(([, table]) => table !== undefined);
  if (groups.n > 0 && !isTold.includes(true)) throw new PartWithheld("min_cell");
  const gone = rows.reduce((sum, count, i) => isTold[i] ? sum : sum + count, 0);
  const { leftOut } = groups;
  if (gone > 0) {
    leftOut.rows! += gone;
    leftOut.levels[group!] = (leftOut.levels[group!] ?? 0) + gone;
  }
  const places = gone === 0
    ? groups.places
    : groups.places.map((place) => place >= 0 && isTold[place] ? place : -1);
  return {
    ...usedGroups({ ...groups, n: groups.n - gone, places }),
    groups: Object.fromEntries(
      coarse.flatMap(([level, table]) => table ? [[level, table] as const] : []),
    ),
  };
}

function readPart(value: unknown): TablesPart {
  return readFields<TablesPart>(value, {
    n: readCount,
    leftOut: readLeftOut,
    groups: (groups) => readRecord(groups, readLifeTable),
  });
}
