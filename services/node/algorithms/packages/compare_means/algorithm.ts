/**
 * The means of groups over all organizations: analysis of variance, t-tests, and Welch's of both.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { PartWithheld, type SiteRules } from "sextant/disclosure.ts";
import { fewValuesIn } from "sextant/few_values.ts";
import { coverage, readLeftOut, requireRows } from "sextant/kernels/frame.ts";
import type { Used } from "sextant/kernels/frame.ts";
import {
  contributionsByGroup,
  groupRows,
  type Groups,
  personsOfGroups,
} from "sextant/kernels/groups.ts";
import { splitByGroup, usedGroups } from "sextant/kernels/groups.ts";
import { deviation, mergeMoments, type Moments, momentsOf } from "sextant/kernels/moments.ts";
import { roundedMoments } from "sextant/kernels/moments.ts";
import { floatsOf } from "sextant/columns.ts";
import { byLevel } from "sextant/kernels/survey.ts";
import { readCount, readFields, readMoments, readRecord } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";
import { fAbove, tQuantile, tTwoSided } from "sextant/statistics/distributions.ts";

export { description } from "./description.ts";

interface Question {
  column: string;
  group?: string | undefined;
  where?: string | undefined;
}

interface MeansPart extends Used {
  groups: Record<string, Moments>;
}

/** The one group, where none is asked for. */
const ALL = "all";

export async function central(
  context: Context,
  args: Question & { against?: number; confidence: number; organizations?: number[] },
) {
  const { column, group, against, where, confidence, organizations } = args;
  if (group === column) throw new TypeError(`The column "${column}" stands for two things.`);
  if (!group && against === undefined) {
    throw new TypeError('Give a column as "group", or a mean to compare with as "against".');
  }
  const sites = createSites(context, organizations);
  const parts = await sites.ask({
    method: "partial",
    kwargs: { column, group, where },
    read: readPart,
  });
  const names = [...new Set(parts.flatMap(({ part }) => Object.keys(part.groups)))].sort(byLevel);
  const groups = names.map((name) =>
    mergeMoments(parts.flatMap(({ part }) => part.groups[name] ?? []))
  );
  const covered = coverage(parts);
  requireRows(covered, "No row has a value in each of the columns.");
  const notes: string[] = [];
  if (group && groups.length < 2) {
    throw new Error(`The column "${group}" has the same value everywhere: "${names[0]}".`);
  }
  const single = names.filter((_, i) => groups[i]!.n < 2);
  if (single.length > 0) notes.push(`Groups of a single row have no deviation: ${single}.`);
  const tested = single.length === 0 && groups.every(({ squares }) => squares > 0);
  if (!tested && single.length === 0) notes.push("A group does not vary: Welch's tests are null.");
  const pair = groups.length === 2 ? groups as [Moments, Moments] : undefined;
  return {
    groups: Object.fromEntries(names.map((name, i) => [name, showGroup(groups[i]!)])),
    anova: group ? anova(groups) : null,
    welch_anova: group && tested ? welchAnova(groups) : null,
    t_test: pair ? tTest(pair, confidence, "equal") : null,
    welch_t_test: pair && tested ? tTest(pair, confidence, "unequal") : null,
    one_sample: !group ? oneSample(groups[0]!, against!, confidence) : null,
    ...covered,
    ...sites.withheld(),
    notes: [...notes, ...sites.notes()],
  };
}

/** Returns this organization's moments by group. */
export function partial(context: Context, { column, group, where }: Question): MeansPart {
  return answer(context, where, (table) => {
    const groups = groupRows(table, group ? [group] : [], [[column, floatsOf(table, column)]]);
    if (groups.site) requireManyValues(groups, groups.site);
    const roundTo = groups.site?.rules.roundTo ?? 1;
    const moments = splitByGroup(groups).map((one) => roundedMoments(momentsOf(one), roundTo));
    const [persons, contributions] = [personsOfGroups(groups), contributionsByGroup(groups)];
    const named = groups.levels.map(([level], i) => [level ?? ALL, {
      ...moments[i]!,
      ...persons && { persons: persons[i]! },
      ...contributions && { contributions: contributions[i]! },
    }]);
    return { ...usedGroups(groups), groups: Object.fromEntries(named) };
  });
}

/** A mean of few values counts those who have them, and is told where a crosstab would. */
function requireManyValues({ numbers, places, levels }: Groups, site: SiteRules) {
  const few = fewValuesIn(site, {
    numbers: numbers[0]!,
    sets: places,
    size: levels.length,
    sums: 3,
  });
  if (few.tell.includes(true)) throw new PartWithheld("min_level");
  few.use(() => true);
}

function showGroup(moments: Moments) {
  const sd = deviation(moments);
  const error = sd === null ? null : sd / Math.sqrt(moments.n);
  return { n: moments.n, mean: moments.mean, sd, standard_error: error };
}

/** Null where nothing is left to compare with. */
function anova(groups: Moments[]) {
  const all = mergeMoments(groups);
  const within = groups.reduce((sum, { squares }) => sum + squares, 0);
  const between = groups.reduce((sum, { n, mean }) => sum + n * (mean - all.mean) ** 2, 0);
  const [above, below] = [groups.length - 1, all.n - groups.length];
  if (below < 1 || within === 0) return null;
  const f = between / above / (within / below);
  return {
    f,
    degrees_of_freedom: [above, below],
    p: fAbove(f, above, below),
    eta_squared: between / (between + within),
  };
}

function welchAnova(groups: Moments[]) {
  const k = groups.length;
  const weights = groups.map(({ n, squares }) => n * (n - 1) / squares);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = groups.reduce((sum, group, i) => sum + weights[i]! * group.mean, 0) / total;
  const between =
    groups.reduce((sum, group, i) => sum + weights[i]! * (group.mean - mean) ** 2, 0) / (k - 1);
  const spread = groups.reduce(
    (sum, { n }, i) => sum + (1 - weights[i]! / total) ** 2 / (n - 1),
    0,
  );
  const f = between / (1 + 2 * (k - 2) / (k * k - 1) * spread);
  const below = (k * k - 1) / (3 * spread);
  return { f, degrees_of_freedom: [k - 1, below], p: fAbove(f, k - 1, below) };
}

function tTest([a, b]: [Moments, Moments], confidence: number, variances: "equal" | "unequal") {
  const shares = [a, b].map(({ n, squares }) => squares / (n - 1) / n);
  const pooled = (a.squares + b.squares) / (a.n + b.n - 2);
  const square = variances === "equal" ? pooled * (1 / a.n + 1 / b.n) : shares[0]! + shares[1]!;
  const freedom = variances === "equal"
    ? a.n + b.n - 2
    : square ** 2 / (shares[0]! ** 2 / (a.n - 1) + shares[1]! ** 2 / (b.n - 1));
  return testOf({ difference: a.mean - b.mean, square, freedom, confidence });
}

function oneSample({ n, mean, squares }: Moments, against: number, confidence: number) {
  return testOf({
    difference: mean - against,
    square: squares / (n - 1) / n,
    freedom: n - 1,
    confidence,
  });
}

/** Null without rows to spare, or where nothing varies. `low` and `high` are of the difference. */
function testOf(
  { difference, square, freedom, confidence }: {
    difference: number;
    square: number;
    freedom: number;
    confidence: number;
  },
) {
  if (!(freedom > 0) || !(square > 0)) return null;
  const error = Math.sqrt(square);
  const t = difference / error;
  const reach = tQuantile(1 - (1 - confidence) / 2, freedom) * error;
  return {
    difference,
    t,
    degrees_of_freedom: freedom,
    p: tTwoSided(t, freedom),
    low: difference - reach,
    high: difference + reach,
  };
}

function readPart(value: unknown): MeansPart {
  return readFields<MeansPart>(value, {
    n: readCount,
    leftOut: readLeftOut,
    groups: (groups) => readRecord(groups, readMoments),
  });
}
