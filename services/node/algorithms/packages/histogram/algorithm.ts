/**
 * How many values of a column lie in each of equal bins, over all organizations.
 * @module
 */
import type { Context } from "sextant/api.ts";
import { completeRows, coverage, type LeftOut, readLeftOut } from "sextant/kernels/frame.ts";
import { requireRows } from "sextant/kernels/frame.ts";
import { askParts, readCount, readFields, readList } from "sextant/parts.ts";
import { selectRows } from "sextant/where.ts";

export { description } from "./description.ts";

interface Question {
  column: string;
  from: number;
  to: number;
  bins: number;
  where?: string | undefined;
}

interface BinsPart {
  n: number;
  leftOut: LeftOut;
  below: number;
  above: number;
  counts: number[];
}

export async function central(
  context: Context,
  { organizations, ...question }: Question & { organizations?: number[] },
) {
  const { bins, column } = question;
  checkEdges(question);
  const parts = await askParts(context, {
    organizations,
    method: "partial",
    kwargs: { ...question },
    read: (part) => readPart(part, bins),
  });
  const covered = coverage(parts);
  requireRows(covered, `No organization has a value in the column "${column}".`);
  const sum = (value: (part: BinsPart) => number) =>
    parts.reduce((all, { part }) => all + value(part), 0);
  const edges = edgesOf(question);
  return {
    bins: edges.slice(1).map((edge, i) => ({
      from: edges[i]!,
      to: edge,
      count: sum(({ counts }) => counts[i]!),
    })),
    below: sum(({ below }) => below),
    above: sum(({ above }) => above),
    ...covered,
    notes: [],
  };
}

/** Returns this organization's counts. */
export function partial(context: Context, question: Question): BinsPart {
  const { column, from, to, where } = question;
  const frame = completeRows(selectRows(context.table(), where), [{ name: column }]);
  const edges = edgesOf(question);
  const part = { n: frame.n, leftOut: frame.leftOut, below: 0, above: 0 };
  const counts = edges.slice(1).map(() => 0);
  for (const value of frame.column(column)) {
    if (value < from) part.below++;
    else if (value > to) part.above++;
    else counts[binOf(value, edges)]!++;
  }
  return { ...part, counts };
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
  const [from, to] = [edges[0]!, edges[bins]!];
  let bin = Math.min(bins - 1, Math.floor((value - from) / (to - from) * bins));
  // Rounding may have put a value at an edge beside it.
  if (value < edges[bin]!) bin--;
  else if (bin < bins - 1 && value >= edges[bin + 1]!) bin++;
  return bin;
}

function readPart(value: unknown, bins: number): BinsPart {
  return readFields<BinsPart>(value, {
    n: readCount,
    leftOut: readLeftOut,
    below: readCount,
    above: readCount,
    counts: (counts) => readList(counts, readCount, bins),
  });
}
