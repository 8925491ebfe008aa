/**
 * How many values of a column lie in each of equal bins, over all organizations.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { type SiteRules, useGroups } from "sextant/disclosure.ts";
import { countPlaces, type Places } from "sextant/grouping.ts";
import { evenest, intervalsOfRuns, runsOfPlaces } from "sextant/kernels/coarse.ts";
import { tellableEdges } from "sextant/kernels/edges.ts";
import { completeRows, coverage, type Frame, readLeftOut } from "sextant/kernels/frame.ts";
import { requireRows, type Used, usedRows } from "sextant/kernels/frame.ts";
import { PartError, readCount, readFields, readList, readRecord } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";

export { description } from "./description.ts";

interface Question {
  column: string;
  from: number;
  to: number;
  bins: number;
  where?: string | undefined;
}

interface BinsPart extends Used {
  below: number;
  above: number;
  counts: number[];
}

/**
 * Of a site with rules: what is below, the bins, and what is above, in runs of enough persons. A
 * run goes up to its end, which counts from 0 for what is below.
 */
interface RunsPart extends Used {
  ends: number[];
  runs: number[];
  runPersons?: number[];
}

export async function central(
  context: Context,
  { organizations, ...question }: Question & { organizations?: number[] },
) {
  const { bins, column } = question;
  checkEdges(question);
  const sites = createSites(context, organizations);
  const parts = await sites.ask({
    method: "partial",
    kwargs: { ...question },
    read: (part) => readRuns(part, bins),
  });
  const covered = coverage(parts);
  requireRows(covered, `No organization has a value in the column "${column}".`);
  const edges = edgesOf(question);
  const runs = mergeRuns(parts.map(({ part }) => part));
  const apart = (place: number) => runs.find(({ first, end }) => first === place && end === place);
  const whole = runs.length < bins + 2;
  return {
    bins: runs.filter(({ first, end }) => end > 0 && first <= bins).map((
      { first, end, count },
    ) => ({
      from: first === 0 ? null : edges[first - 1]!,
      to: end > bins ? null : edges[end]!,
      count,
    })),
    below: apart(0)?.count ?? null,
    above: apart(bins + 1)?.count ?? null,
    ...covered,
    ...sites.withheld(),
    notes: [
      ...whole ? ["Bins are taken together where an organization has too few persons in one."] : [],
      ...sites.notes(),
    ],
  };
}

/** The runs that all parts have together, with their sums: where one ends, one of each ends. */
function mergeRuns(parts: RunsPart[]) {
  const [first, ...others] = parts.map(({ ends }) => new Set(ends));
  const ends = [...first!].filter((end) => others.every((one) => one.has(end)));
  return ends.map((end, i) => {
    const begin = i === 0 ? 0 : ends[i - 1]! + 1;
    const count = parts.reduce(
      (all, part) =>
        all +
        part.runs.reduce(
          (sum, run, j) => part.ends[j]! >= begin && part.ends[j]! <= end ? sum + run : sum,
          0,
        ),
      0,
    );
    return { first: begin, end, count };
  });
}

/** Returns this organization's counts. */
export function partial(context: Context, question: Question): BinsPart | RunsPart {
  return answer(context, question.where, (table) => {
    const frame = completeRows(table, [{ name: question.column }]);
    return frame.site ? countRuns(frame, question, frame.site) : countBins(frame, question);
  });
}

/** What may leave: runs of bins, each of enough persons, that end where the data are dense. */
function countRuns(frame: Frame, question: Question, site: SiteRules): RunsPart {
  const { bins } = question;
  const places = placesOf(frame, question);
  const used = usedRows(frame);
  const isTellable = tellableEdges(edgesOf(question), {
    least: site.rules.minCell,
    persons: site.persons,
  }, {
    values: frame.column(question.column),
    places,
  });
  const runs = runsOfPlaces(places, bins + 2, site.persons);
  const intervals = intervalsOfRuns(runs, {
    least: Math.min(site.rules.minCell, used.persons!),
    part: (low, high) => evenest(low, high, (place) => isTellable[place]!),
    last: bins + 1,
  })!;
  const found: RunsPart = { ...used, ends: [], runs: [], runPersons: [] };
  const add = (end: number, rows: number, persons: number) => {
    found.ends.push(end);
    found.runs.push(rows);
    found.runPersons!.push(persons);
  };
  const [first, last] = [
    runs.values[0] ?? bins + 1,
    runs.values[runs.values.length - 1] ?? bins + 1,
  ];
  // Nobody is below the first value, nor above the last one.
  for (let edge = 0; edge < first; edge++) if (isTellable[edge]) add(edge, 0, 0);
  for (const [i, { end, rows, persons }] of intervals.entries()) {
    if (i < intervals.length - 1) add(end, rows, persons);
  }
  const whole = intervals.at(-1);
  const beyond = isTellable.flatMap((is, edge) => is && edge >= last ? [edge] : []);
  for (const [i, end] of [...beyond, bins + 1].entries()) {
    add(end, i === 0 ? whole?.rows ?? 0 : 0, i === 0 ? whole?.persons ?? 0 : 0);
  }
  // Of each run the rows that it counts.
  const runOf = Array.from(
    { length: bins + 2 },
    (_, place) => found.ends.findIndex((end) => place <= end),
  );
  const { runPersons } = found;
  const { minSubset } = site.rules;
  // Whoever is in several runs is counted in one of them: there may be more persons.
  const isCounted = found.runs.every((rows, i) => rows === 0 || runPersons![i]! >= minSubset);
  useGroups(site, places, found.ends.length, {
    numberOf: runOf,
    ...isCounted && { areEnough: found.runs.map((rows) => rows > 0) },
  });
  const fewer = bins + 2 - found.ends.length;
  if (fewer > 0) site.withhold("runs", "min_cell", fewer);
  return found;
}

function countBins(frame: Frame, question: Question): BinsPart {
  const { bins } = question;
  const [below, ...counts] = countPlaces(placesOf(frame, question), bins + 2);
  const above = counts.pop()!;
  return { ...usedRows(frame), below: below!, above, counts };
}

/** Of each row its bin, from 1; 0 for what is below, and one more than there are bins for above. */
function placesOf(frame: Frame, question: Question): Places {
  const { column, from, to, bins } = question;
  const edges = edgesOf(question);
  const values = frame.column(column);
  const places = bins + 2 <= 256 ? new Uint8Array(values.length) : new Int32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    places[row] = value < from ? 0 : value > to ? bins + 1 : binOf(value, edges) + 1;
  }
  return places;
}

function checkEdges(question: Question) {
  const { from, to, bins } = question;
  if (!(from < to)) throw new TypeError('The argument "from" must be less than "to".');
  if (!Number.isFinite(to - from)) {
    throw new TypeError(`The range from ${from} to ${to} is too wide for a histogram.`);
  }
  const edges = edgesOf(question);
  if (edges.slice(1).some((edge, i) => !(edge > edges[i]!))) {
    throw new TypeError(`The range from ${from} to ${to} is too narrow for ${bins} bins.`);
  }
}

function edgesOf({ from, to, bins }: Question): number[] {
  return Array.from(
    { length: bins + 1 },
    (_, i) => i === bins ? to : from + (to - from) / bins * i,
  );
}

/** A bin has its lower edge, the last one both. */
function binOf(value: number, edges: number[]): number {
  const bins = edges.length - 1;
  const from = edges[0]!;
  const to = edges[bins]!;
  let bin = Math.min(bins - 1, Math.floor((value - from) / (to - from) * bins));
  // Rounding may have put a value at an edge beside it.
  if (value < edges[bin]!) bin--;
  else if (bin < bins - 1 && value >= edges[bin + 1]!) bin++;
  return bin;
}

function readRuns(value: unknown, bins: number): RunsPart {
  const used = readFields<Used>(value, { n: readCount, leftOut: readLeftOut });
  if (!("ends" in readRecord(value, (one) => one))) {
    const { below, above, counts } = readFields<Omit<BinsPart, keyof Used>>(value, {
      below: readCount,
      above: readCount,
      counts: (counts) => readList(counts, readCount, bins),
    });
    const runs = [below, ...counts, above];
    return { ...used, ends: runs.map((_, i) => i), runs };
  }
  const { ends } = readFields(value, { ends: (ends) => readList(ends, readCount) });
  const isRising = ends.every((end, i) => i === 0 || end > ends[i - 1]!);
  if (!isRising || ends.at(-1) !== bins + 1) throw new PartError("runs of bins are not in order");
  const { runs } = readFields(value, { runs: (runs) => readList(runs, readCount, ends.length) });
  return { ...used, ends, runs };
}
