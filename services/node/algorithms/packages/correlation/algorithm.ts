/**
 * Pearson's correlations between columns, on the rows of all organizations in which none of them is
 * missing.
 * @module
 */
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { type Comoments, comomentsOf } from "sextant/kernels/comoments.ts";
import { mergeComoments, readComoments, roundedComoments } from "sextant/kernels/comoments.ts";
import { requireModel } from "sextant/kernels/design.ts";
import { completeRows, coverage, readLeftOut } from "sextant/kernels/frame.ts";
import { requireRows, type Used, usedRows } from "sextant/kernels/frame.ts";
import { readCount, readFields } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";
import { normalQuantile, tTwoSided } from "sextant/statistics/distributions.ts";

export { description } from "./description.ts";

interface Question {
  columns: string[];
  where?: string | undefined;
}

interface CorrelationPart extends Used {
  comoments: Comoments;
}

export async function central(
  context: Context,
  args: Question & { confidence: number; organizations?: number[] },
) {
  const { columns, where, confidence, organizations } = args;
  if (columns.length < 2) throw new TypeError('The argument "columns" must name two or more.');
  const sites = createSites(context, organizations);
  const parts = await sites.ask({
    method: "partial",
    kwargs: { columns, where },
    read: (part) => readPart(part, columns.length),
  });
  const covered = coverage(parts);
  requireRows(covered, "No row has a value in each of the columns.");
  if (covered.n < 2) throw new Error(`${covered.n} complete rows are too few for a correlation.`);
  const { products } = mergeComoments(parts.map(({ part }) => part.comoments));
  const constant = columns.find((_, i) => !(products[i]![i]! > 0));
  if (constant) throw new Error(`The column "${constant}" has the same value in all these rows.`);
  const correlations = columns.flatMap((x, i) =>
    columns.slice(i + 1).map((y, k) => {
      const j = i + 1 + k;
      const r = products[i]![j]! / Math.sqrt(products[i]![i]! * products[j]![j]!);
      return { x, y, ...describe(Math.max(-1, Math.min(1, r)), covered.n, confidence) };
    })
  );
  return { correlations, ...covered, ...sites.withheld(), notes: sites.notes() };
}

/** Returns this organization's comoments. */
export function partial(context: Context, { columns, where }: Question): CorrelationPart {
  return answer(context, where, (rows) => {
    const frame = completeRows(rows, columns.map((name) => ({ name })));
    const numbers = columns.map((name) => frame.column(name));
    requireModel(frame, numbers, columns.length);
    const comoments = roundedComoments(comomentsOf(numbers), frame.site?.rules.roundTo ?? 1);
    return { ...usedRows(frame), comoments };
  });
}

/** Fisher's interval; null where too few rows are left for one. */
function describe(r: number, n: number, confidence: number) {
  const t = r * Math.sqrt((n - 2) / ((1 - r) * (1 + r)));
  const reach = normalQuantile(1 - (1 - confidence) / 2) / Math.sqrt(n - 3);
  const [low, high] = n > 3
    ? [Math.tanh(Math.atanh(r) - reach), Math.tanh(Math.atanh(r) + reach)]
    : [null, null];
  return { r, p: n > 2 ? tTwoSided(t, n - 2) : null, low, high };
}

function readPart(value: unknown, size: number): CorrelationPart {
  return readFields<CorrelationPart>(value, {
    n: readCount,
    leftOut: readLeftOut,
    comoments: (comoments) => readComoments(comoments, size),
  });
}
