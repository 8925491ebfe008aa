/**
 * k-means over all organizations, from each one's sums by cluster.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { PartWithheld, useRows } from "sextant/disclosure.ts";
import { requireModel } from "sextant/kernels/design.ts";
import { completeRows, coverage, readLeftOut } from "sextant/kernels/frame.ts";
import { type Frame, requireRows, type Used, usedRows } from "sextant/kernels/frame.ts";
import { mergeMoments, type Moments, momentsOf } from "sextant/kernels/moments.ts";
import { readCount, readFields, readList, readMoments } from "sextant/parts.ts";
import { readNumber, readRecord } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";
import { exactSum } from "sextant/statistics/sum.ts";
import type { Rows } from "sextant/where.ts";
import { type Clusters, clustersOf } from "./clusters.ts";
import { clustersOfCrowds, crowdsOf } from "./crowds.ts";

export { description } from "./description.ts";

interface Question {
  columns: string[];
  where?: string | undefined;
}

interface Central extends Question {
  start: unknown[];
  scale: boolean;
  iterations: number;
  tolerance: number;
  organizations?: number[];
}

interface StartPart extends Used {
  /** By column. */
  moments: Moments[];
}

export async function central(context: Context, args: Central) {
  const { columns, where, scale, organizations } = args;
  const start = readStart(args.start);
  const sites = createSites(context, organizations);
  const parts = await sites.ask({
    method: "partial_start",
    kwargs: { columns, where },
    read: (part) => readStartPart(part, columns.length),
  });
  // Only now: a column that is none is the better answer.
  checkWidth(start, columns.length);
  sites.settle();
  const covered = coverage(parts);
  requireRows(covered, "No row has a value in each of the columns.");
  const { n } = covered;
  if (n < start.length) {
    throw new Error(`${n} complete rows are too few for ${start.length} centres.`);
  }
  const moments = columns.map((_, i) => mergeMoments(parts.map(({ part }) => part.moments[i]!)));
  const scales = scale ? moments.map(scaleOf) : columns.map(() => 1);

  async function assign(centres: number[][]): Promise<Clusters> {
    const found = await sites.ask({
      method: "partial_clusters",
      kwargs: { columns, where, centres, scales },
      read: (part) => readClusters(part, centres.length, columns.length),
    });
    for (const { organization, part } of found) {
      const before = parts.find((one) => one.organization === organization)?.part.n;
      // Rounded sizes add up to something else.
      if (part.isOfCrowds || part.sizes.reduce((sum, size) => sum + size, 0) === before) continue;
      throw new Error(`Organization ${organization} had other rows before: its data changed.`);
    }
    return mergeClusters(found.map(({ part }) => part));
  }

  // scikit-learn means its tolerance so, with variances that are divided by n.
  const variances = moments.map(({ squares }, i) => squares / n / scales[i]! ** 2);
  const enough = args.tolerance * exactSum(variances) / variances.length;
  const found = await iterate({ start, scales, enough, most: args.iterations, assign });
  const { centres, clusters, iterations, converged, notes } = found;
  return {
    centres: centres.map((centre) =>
      Object.fromEntries(columns.map((name, i) => [name, centre[i]!]))
    ),
    sizes: clusters.sizes,
    within: clusters.within,
    inertia: exactSum(clusters.within),
    iterations,
    converged,
    ...covered,
    ...sites.withheld(),
    notes: [...notes, ...sites.notes()],
  };

  function scaleOf({ squares }: Moments, i: number): number {
    if (squares > 0) return Math.sqrt(squares / (n - 1));
    throw new Error(`The column "${columns[i]}" has the same value in all these rows.`);
  }
}

/** Returns this organization's moments. */
export function partial_start(context: Context, { columns, where }: Question): StartPart {
  return answer(context, where, (table) => {
    const frame = frameOf(table, columns);
    const moments = columns.map((name) => momentsOf(frame.column(name)));
    return { ...usedRows(frame), moments };
  });
}

/** The rows with a value in each; under rules, refuses such as would show a few of them. */
function frameOf(table: Rows, columns: string[]): Frame {
  // Of a mean by cluster nobody knows how much of it one person makes up.
  const rules = table.site?.rules;
  if (rules && (rules.dominance || rules.pRatio !== null)) throw new PartWithheld("dominance");
  const frame = completeRows(table, columns.map((name) => ({ name })));
  requireModel(frame, columns.map((name) => frame.column(name)), columns.length);
  return frame;
}

/** Returns this organization's sums by cluster. */
export function partial_clusters(
  context: Context,
  { columns, where, centres, scales }: Question & { centres: number[][]; scales: number[] },
): Clusters {
  return answer(context, where, (table): Clusters => {
    const frame = frameOf(table, columns);
    const values = columns.map((name) => frame.column(name));
    const { site } = frame;
    if (!site) return clustersOf(values, centres, scales);
    if (frame.n > 0) useRows(site);
    const crowds = crowdsOf(values, site);
    if (frame.n > crowds.length) site.withhold("means", "min_cell", frame.n - crowds.length);
    return clustersOfCrowds(crowds, { centres, scales, site }) as object as Clusters;
  });
}

interface Iteration {
  start: number[][];
  scales: number[];
  /** The sum of squared distances moved that ends it. */
  enough: number;
  most: number;
  assign: (centres: number[][]) => Promise<Clusters>;
}

/** Moves the centres to the means of their rows until they stay; `clusters` are of the last. */
async function iterate({ start, scales, enough, most, assign }: Iteration) {
  let [centres, iterations, converged, moved] = [start, 0, false, Infinity];
  const notes: string[] = [];
  const lonely = new Set<number>();
  let clusters = await assignAndNote();
  while (iterations < most && !converged) {
    const { sizes, sums } = clusters;
    const before = centres;
    // scikit-learn gives a centre without rows the row that is farthest from its own: a row of some
    // site would have to leave it. Ours stays, and may get rows again.
    centres = before.map((centre, k) =>
      sizes[k] === 0 ? centre : sums[k]!.map((sum) => sum / sizes[k]!)
    );
    iterations++;
    moved = exactSum(
      centres.flatMap((centre, k) =>
        centre.map((value, j) => ((value - before[k]![j]!) / scales[j]!) ** 2)
      ),
    );
    converged = moved <= enough;
    // Of centres that did not move the clusters are known already.
    if (moved > 0) clusters = await assignAndNote();
  }
  if (!converged) {
    notes.push(
      `The centres still moved in iteration ${iterations}, the last: they have not converged.`,
    );
  }
  return { centres, clusters, iterations, converged, notes };

  async function assignAndNote(): Promise<Clusters> {
    const found = await assign(centres);
    found.sizes.forEach((size, k) => {
      if (size > 0 || lonely.has(k)) return;
      lonely.add(k);
      notes.push(
        `Centre ${k + 1} had no rows ${
          iterations ? `after iteration ${iterations}` : "at the start"
        }` +
          ", and stays where it is while it has none.",
      );
    });
    return found;
  }
}

function mergeClusters(parts: Clusters[]): Clusters {
  const { sizes, sums } = parts[0]!;
  return {
    sizes: sizes.map((_, k) => parts.reduce((sum, part) => sum + part.sizes[k]!, 0)),
    sums: sums.map((row, k) => row.map((_, j) => exactSum(parts.map((part) => part.sums[k]![j]!)))),
    within: sizes.map((_, k) => exactSum(parts.map((part) => part.within[k]!))),
  };
}

function readStart(start: unknown[]): number[][] {
  const isCentre = (one: unknown): one is number[] =>
    Array.isArray(one) && one.every(Number.isFinite);
  if (start.length === 0 || !start.every(isCentre)) {
    throw new TypeError('The argument "start" must be a list of centres, each a list of numbers.');
  }
  if (new Set(start.map((centre) => centre.join())).size < start.length) {
    throw new TypeError('The argument "start" must be a list of centres that differ.');
  }
  return start;
}

function checkWidth(start: number[][], width: number) {
  if (start.every((centre) => centre.length === width)) return;
  throw new TypeError(
    'The argument "start" must be a list of centres, each of as many numbers as there are ' +
      `columns: ${width}.`,
  );
}

function readStartPart(value: unknown, width: number): StartPart {
  return readFields<StartPart>(value, {
    n: readCount,
    leftOut: readLeftOut,
    moments: (moments) => readList(moments, readMoments, width),
  });
}

function readClusters(
  value: unknown,
  size: number,
  width: number,
): Clusters & { isOfCrowds: boolean } {
  const isOfCrowds = "means" in readRecord(value, (one) => one);
  const readRows = (one: unknown) => readList(one, (row) => readList(row, readNumber, width), size);
  const { sizes, within } = readFields<Omit<Clusters, "sums">>(value, {
    sizes: (sizes) => readList(sizes, readCount, size),
    within: (within) => readList(within, readNumber, size),
  });
  if (!isOfCrowds) {
    return {
      sizes,
      within,
      isOfCrowds,
      ...readFields<{ sums: number[][] }>(value, { sums: readRows }),
    };
  }
  const { means } = readFields<{ means: number[][] }>(value, { means: readRows });
  const sums = means.map((row, k) => row.map((mean) => mean * sizes[k]!));
  return { sizes, within, isOfCrowds, sums };
}
