/**
 * Incidence rates over all organizations, from each one's events and person-time by group and
 * stratum.
 * @module
 */
import type { Context } from "sextant/api.ts";
import { coverage, type LeftOut, readLeftOut, requireRows } from "sextant/kernels/frame.ts";
import { groupRows, splitByGroup } from "sextant/kernels/groups.ts";
import { checkRoles } from "sextant/kernels/model_columns.ts";
import { byLevel, floatsOf, truthsOf } from "sextant/kernels/survey.ts";
import { askParts, readCount, readFields, readList, readNumber, readText } from "sextant/parts.ts";
import { type Count, countP, directRate, directRatio } from "sextant/statistics/rates.ts";
import { rateDifference, rateOf, rateRatio } from "sextant/statistics/rates.ts";
import { exactSum } from "sextant/statistics/sum.ts";
import { selectRows } from "sextant/where.ts";

export { description } from "./description.ts";

interface Question {
  events: string;
  person_time: string;
  group?: string | undefined;
  strata?: string | undefined;
  where?: string | undefined;
}

interface Central extends Question {
  reference?: string;
  standard?: Record<string, unknown>;
  standard_rates?: Record<string, unknown>;
  per: number;
  confidence: number;
  organizations?: number[];
}

interface Cell extends Count {
  group: string;
  stratum: string;
  n: number;
}

interface CellsPart {
  n: number;
  leftOut: LeftOut;
  cells: Cell[];
}

/** The one group or stratum, where none is asked for. */
const ALL = "all";

export async function central(context: Context, args: Central) {
  const { events, person_time, group, strata, where, organizations, confidence, per } = args;
  checkRoles([events, person_time, group, strata]);
  for (const name of ["standard", "standard_rates"] as const) {
    if (args[name] && !strata) throw new TypeError(`The argument "${name}" needs "strata".`);
  }
  const parts = await askParts(context, {
    organizations,
    method: "partial",
    kwargs: { events, person_time, group, strata, where },
    read: readPart,
  });
  const covered = coverage(parts);
  requireRows(covered, "No row has a value in each of the columns.");
  const cells = parts.flatMap(({ part }) => part.cells);
  const levelsOf = (name: "group" | "stratum") =>
    [...new Set(cells.map((cell) => cell[name]))].sort(byLevel);
  const [groups, stratumLevels] = [levelsOf("group"), levelsOf("stratum")];
  const reference = args.reference ?? groups[0]!;
  if (!groups.includes(reference)) {
    const known = groups.map((level) => `"${level}"`).join(", ");
    throw new TypeError(`The argument "reference" must be one of the groups: ${known}.`);
  }
  const count = (group?: string, stratum?: string) =>
    sumCells(cells.filter((cell) =>
      (group === undefined || cell.group === group) &&
      (stratum === undefined || cell.stratum === stratum)
    ));
  const all = stratumLevels.map((stratum) => count(undefined, stratum));
  const numbers = (name: "standard" | "standard_rates") =>
    byStratum(name, args[name], stratumLevels);
  const standard = numbers("standard") ?? all.map(({ time }) => time);
  const rates = numbers("standard_rates") ??
    all.map(({ events, time }) => time > 0 ? events / time : 0);
  if (standard.every((weight) => weight === 0)) {
    throw new TypeError(
      args.standard ? 'The weights of "standard" are all 0.' : "There is no person-time.",
    );
  }
  const notes: string[] = [];
  const of = (group?: string) => {
    const crude = count(group);
    const byStratum = stratumLevels.map((stratum) => count(group, stratum));
    const direct = strata ? directRate(byStratum, standard, confidence) : null;
    const expected = exactSum(byStratum.map(({ time }, i) => time * rates[i]!));
    const smr = { events: crude.events, time: expected };
    const indirect = strata && expected > 0
      ? { observed: crude.events, expected, ...rateOf(smr, confidence)!, p: countP(smr) }
      : null;
    if (strata && !direct) {
      notes.push(
        `${group === undefined ? "There" : `In the group "${group}"`} is no person-time in some ` +
          "stratum of the standard, so no directly standardised rate.",
      );
    }
    return { crude, direct, indirect };
  };
  const found = groups.map((group) => of(group));
  const base = found[groups.indexOf(reference)]!;
  const shown = found.map(({ crude, direct, indirect }, i) => {
    const other = groups[i] !== reference;
    return [groups[i]!, {
      ...showCount(crude, { per, confidence }),
      ratio: other ? rateRatio(crude, base.crude, confidence) : null,
      difference: other ? scaled(rateDifference(crude, base.crude, confidence), per) : null,
      direct: scaled(direct, per),
      direct_ratio: other && direct && base.direct
        ? directRatio(direct, base.direct, confidence)
        : null,
      indirect,
    }] as const;
  });
  const total = of();
  return {
    groups: Object.fromEntries(shown),
    total: {
      ...showCount(total.crude, { per, confidence }),
      direct: scaled(total.direct, per),
      indirect: total.indirect,
    },
    strata: strata
      ? Object.fromEntries(
        stratumLevels.map((level, i) => [level, showCount(all[i]!, { per, confidence })] as const),
      )
      : null,
    reference: group ? reference : null,
    per,
    ...covered,
    notes: [...new Set(notes)],
  };
}

/** Returns this organization's events and person-time. */
export function partial(context: Context, question: Question): CellsPart {
  const { events, person_time, group, strata, where } = question;
  const table = selectRows(context.table(), where);
  const numbers = { [events]: countsOf(), [person_time]: timesOf() };
  const columns = [group, strata].filter((name) => name !== undefined);
  const groups = groupRows(table, columns, numbers);
  const [counts, times] = [splitByGroup(groups, 0), splitByGroup(groups, 1)];
  const cells = groups.levels.map((levels, i): Cell => ({
    group: group ? levels[0]! : ALL,
    stratum: strata ? levels.at(-1)! : ALL,
    n: counts[i]!.length,
    events: exactSum(counts[i]!),
    time: exactSum(times[i]!),
  }));
  return { n: groups.n, leftOut: groups.leftOut, cells };

  function countsOf(): Float64Array {
    if (table.column(events).type === "boolean") return truthsOf(table, events);
    const values = floatsOf(table, events);
    const good = (value: number) => Number.isNaN(value) || (value >= 0 && Number.isInteger(value));
    if (values.every(good)) return values;
    throw new TypeError(
      `The events in "${events}" must be whole numbers that are not negative, and some are not.`,
    );
  }

  function timesOf(): Float64Array {
    const values = floatsOf(table, person_time);
    if (!values.some((value) => value < 0)) return values;
    throw new TypeError(
      `The person-time in "${person_time}" must not be negative, and is in some rows.`,
    );
  }
}

function sumCells(cells: Cell[]) {
  const sum = (name: "n" | "events" | "time") => exactSum(cells.map((cell) => cell[name]));
  return { n: sum("n"), events: sum("events"), time: sum("time") };
}

/** A number for each stratum; undefined if none are given. */
function byStratum(
  name: string,
  given: Record<string, unknown> | undefined,
  strata: string[],
): number[] | undefined {
  if (!given) return undefined;
  const stray = Object.keys(given).find((level) => !strata.includes(level));
  if (stray !== undefined) {
    throw new TypeError(`"${name}" names "${stray}", which is no stratum of any row.`);
  }
  return strata.map((level) => {
    const value = Object.hasOwn(given, level) ? given[level] : undefined;
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
    throw new TypeError(
      `"${name}" must have a number that is not negative for the stratum "${level}".`,
    );
  });
}

function showCount(
  { n, events, time }: { n: number; events: number; time: number },
  { per, confidence }: { per: number; confidence: number },
) {
  return {
    n,
    events,
    person_time: time,
    rate: scaled(rateOf({ events, time }, confidence), per),
  };
}

function scaled(
  rate: { estimate: number; low: number; high: number } | null,
  per: number,
) {
  if (!rate) return null;
  return { estimate: rate.estimate * per, low: rate.low * per, high: rate.high * per };
}

function readPart(value: unknown): CellsPart {
  return readFields<CellsPart>(value, {
    n: readCount,
    leftOut: readLeftOut,
    cells: (cells) =>
      readList(cells, (cell) =>
        readFields<Cell>(cell, {
          group: readText,
          stratum: readText,
          n: readCount,
          events: readCount,
          time: readNumber,
        })),
  });
}
