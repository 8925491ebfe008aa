/**
 * Incidence rates over all organizations, from each one's events and person-time by group and
 * stratum.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { personsByPlace, type SiteRules } from "sextant/disclosure.ts";
import type { Contributions } from "sextant/shares.ts";
import { fewValuesIn } from "sextant/few_values.ts";
import { coverage, readLeftOut, requireRows } from "sextant/kernels/frame.ts";
import type { Used } from "sextant/kernels/frame.ts";
import {
  contributionsByGroup,
  groupRows,
  type Groups,
  hiddenGroups,
} from "sextant/kernels/groups.ts";
import { personsOfGroups, splitByGroup, usedGroups } from "sextant/kernels/groups.ts";
import { checkRoles } from "sextant/kernels/model_columns.ts";
import { floatsOf, truthsOf } from "sextant/columns.ts";
import { byLevel } from "sextant/kernels/survey.ts";
import { readCountOrNull, readFields, readList, readNumber, readText } from "sextant/parts.ts";
import { readCount } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";
import { type Count, countP, directRate, directRatio } from "sextant/statistics/rates.ts";
import { rateDifference, rateOf, rateRatio } from "sextant/statistics/rates.ts";
import { exactSum } from "sextant/statistics/sum.ts";
import type { Rows } from "sextant/where.ts";

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

/** Rows, events and person-time; null where an organization withholds its own. */
interface Cell {
  group: string;
  stratum: string;
  n: number | null;
  events: number | null;
  time: number | null;
  /** For the site's rules alone. */
  persons?: number;
  eventPersons?: number;
  contributions?: Contributions;
}

interface CellsPart extends Used {
  cells: Cell[];
}

type Crude = Count & { n: number };

/** The one group or stratum, where none is asked for. */
const ALL = "all";

export async function central(context: Context, args: Central) {
  const { events, person_time, group, strata, where, organizations, confidence, per } = args;
  checkRoles([events, person_time, group, strata]);
  for (const name of ["standard", "standard_rates"] as const) {
    if (args[name] && !strata) throw new TypeError(`The argument "${name}" needs "strata".`);
  }
  const sites = createSites(context, organizations);
  const parts = await sites.ask({
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
  const count = (group?: string, stratum?: string): Crude | null => {
    if (parts.some(({ part }) => isUnknown(part, args, { group, stratum }))) return null;
    return sumCells(cells.filter((cell) =>
      (group === undefined || cell.group === group) &&
      (stratum === undefined || cell.stratum === stratum)
    ));
  };
  const all = stratumLevels.map((stratum) => count(undefined, stratum));
  const numbers = (name: "standard" | "standard_rates") =>
    byStratum(name, args[name], stratumLevels);
  const known = all.every((one) => one !== null) ? all : undefined;
  const standard = numbers("standard") ?? known?.map(({ time }) => time);
  const rates = numbers("standard_rates") ??
    known?.map(({ events, time }) => time > 0 ? events / time : 0);
  if (standard?.every((weight) => weight === 0)) {
    throw new TypeError(
      args.standard ? 'The weights of "standard" are all 0.' : "There is no person-time.",
    );
  }
  const notes: string[] = [];
  const of = (group?: string) => {
    const crude = count(group);
    const byStratum = stratumLevels.map((stratum) => count(group, stratum));
    if (!crude || !byStratum.every((one) => one !== null)) {
      notes.push("What an organization withholds is null, and so is what it is a part of.");
      return { crude, direct: null, indirect: null };
    }
    const direct = strata && standard ? directRate(byStratum, standard, confidence) : null;
    const expected = rates ? exactSum(byStratum.map(({ time }, i) => time * rates[i]!)) : 0;
    const smr = { events: crude.events, time: expected };
    const indirect = strata && expected > 0
      ? { observed: crude.events, expected, ...rateOf(smr, confidence)!, p: countP(smr) }
      : null;
    if (strata && standard && !direct) {
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
    const pair = other && crude && base.crude ? [crude, base.crude] as const : null;
    return [groups[i]!, {
      ...showCount(crude, { per, confidence }),
      ratio: pair && rateRatio(...pair, confidence),
      difference: pair && scaled(rateDifference(...pair, confidence), per),
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
    ...sites.withheld(),
    notes: [...new Set(notes), ...sites.notes()],
  };
}

/** Returns this organization's events and person-time. */
export function partial(context: Context, question: Question): CellsPart {
  return answer(context, question.where, (table) => cellsOf(table, question));
}

function cellsOf(table: Rows, question: Question): CellsPart {
  const { events, person_time, group, strata } = question;
  const columns = [group, strata].filter((name) => name !== undefined);
  const groups = groupRows(table, columns, [[events, countsOf()], [person_time, timesOf()]]);
  const [counts, times] = [splitByGroup(groups, 0), splitByGroup(groups, 1)];
  const persons = personsOfGroups(groups);
  const withEvent = groups.places.map((place, row) => groups.numbers[0]![row]! > 0 ? place : -1);
  const eventPersons = groups.site && personsByPlace(groups.site, withEvent, groups.levels.length);
  const few = [0, 1].flatMap((which) => groups.site ? [fewIn(groups, groups.site, which)] : []);
  const tellsOfFew = groups.levels.map((_, group) => few.some(({ tell }) => tell[group]));
  const hidden = hiddenGroups(groups, { events: eventPersons, persons, others: tellsOfFew });
  for (const one of few) one.use((group) => !hidden[group]);
  const gone = hidden.filter(Boolean).length;
  if (gone > 0) groups.site!.withhold("cells", "min_cell", 3 * gone);
  const contributions = contributionsByGroup(groups, 1);
  const cells = groups.levels.map((levels, i): Cell => ({
    group: group ? levels[0]! : ALL,
    stratum: strata ? levels.at(-1)! : ALL,
    ...hidden[i] ? { n: null, events: null, time: null } : {
      n: counts[i]!.length,
      events: exactSum(counts[i]!),
      time: exactSum(times[i]!),
    },
    ...persons && { persons: persons[i]!, eventPersons: eventPersons![i]! },
    ...contributions && { contributions: contributions[i]! },
  }));
  return { ...usedGroups(groups), cells };

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

/** Of events, or of person-time: a sum of two values counts those who have them. */
function fewIn({ numbers, places, levels }: Groups, site: SiteRules, which: number) {
  return fewValuesIn(site, {
    numbers: numbers[which]!,
    sets: places,
    size: levels.length,
    sums: 2,
  });
}

/** Null where one of them is withheld. */
function sumCells(cells: Cell[]): Crude | null {
  const isWhole = (cell: Cell): cell is Cell & Crude =>
    cell.n !== null && cell.events !== null && cell.time !== null;
  if (!cells.every(isWhole)) return null;
  const sum = (name: "n" | "events" | "time") => exactSum(cells.map((cell) => cell[name]));
  return { n: sum("n"), events: sum("events"), time: sum("time") };
}

/** Whether an organization left out levels of too few persons, of which these may be some. */
function isUnknown(
  { leftOut: { levels }, cells }: CellsPart,
  names: Question,
  { group, stratum }: { group: string | undefined; stratum: string | undefined },
): boolean {
  const isOut = (column: string | undefined, isNamed: (cell: Cell) => boolean) =>
    column !== undefined && levels[column] !== undefined && !cells.some(isNamed);
  return group !== undefined && isOut(names.group, (cell) => cell.group === group) ||
    stratum !== undefined && isOut(names.strata, (cell) => cell.stratum === stratum);
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
  crude: Crude | null,
  { per, confidence }: { per: number; confidence: number },
) {
  if (!crude) return { n: null, events: null, person_time: null, rate: null };
  const { n, events, time } = crude;
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
          n: readCountOrNull,
          events: readCountOrNull,
          time: (time) => time === null ? null : readNumber(time),
        })),
  });
}
