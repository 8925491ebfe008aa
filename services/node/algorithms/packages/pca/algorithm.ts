/**
 * Principal components over all organizations, from each one's means and sums of products.
 * @module
 */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { answer } from "sextant/answer.ts";
import type { Context } from "sextant/api.ts";
import { type Comoments, comomentsOf } from "sextant/kernels/comoments.ts";
import { mergeComoments, readComoments, roundedComoments } from "sextant/kernels/comoments.ts";
import { requireModel } from "sextant/kernels/design.ts";
import { completeRows, coverage, readLeftOut } from "sextant/kernels/frame.ts";
import { requireRows, type Used, usedRows } from "sextant/kernels/frame.ts";
import { readCount, readFields } from "sextant/parts.ts";
import { createSites } from "sextant/sites.ts";

export { description } from "./description.ts";

interface Question {
  columns: string[];
  where?: string | undefined;
}

interface ComomentsPart extends Used {
  comoments: Comoments;
}

/** Variances that differ by no more than this part of the largest are taken for the same. */
const SAME = 1e-9;

export async function central(
  context: Context,
  args: Question & { scale: boolean; components?: number; organizations?: number[] },
) {
  const { columns, where, scale, components, organizations } = args;
  if (columns.length < 2) throw new TypeError('The argument "columns" must name two or more.');
  if (components !== undefined && components > columns.length) {
    throw new TypeError(
      `The argument "components" must be at most ${columns.length}, as many as there are columns.`,
    );
  }
  const sites = createSites(context, organizations);
  const parts = await sites.ask({
    method: "partial",
    kwargs: { columns, where },
    read: (part) => readPart(part, columns.length),
  });
  const covered = coverage(parts);
  requireRows(covered, "No row has a value in each of the columns.");
  const { n } = covered;
  if (n < 2) throw new Error(`${n} complete rows are too few for components.`);
  const { means, products } = mergeComoments(parts.map(({ part }) => part.comoments));
  const constant = columns.find((_, i) => !(products[i]![i]! > 0));
  if (constant) throw new Error(`The column "${constant}" has the same value in all these rows.`);
  const scales = columns.map((_, i) => scale ? Math.sqrt(products[i]![i]! / (n - 1)) : 1);
  const covariances = products.map((row, i) =>
    row.map((value, j) => value / (n - 1) / scales[i]! / scales[j]!)
  );
  const found = componentsOf(covariances);
  const total = covariances.reduce((sum, row, i) => sum + row[i]!, 0);
  const shown = found.slice(0, components).map(({ variance, loadings }) => ({
    variance,
    share: variance / total,
    loadings: Object.fromEntries(columns.map((name, i) => [name, loadings[i]!])),
  }));
  const byColumn = (values: number[]) =>
    Object.fromEntries(columns.map((name, i) => [name, values[i]!]));
  return {
    components: shown,
    means: byColumn(means),
    scales: byColumn(scales),
    ...covered,
    ...sites.withheld(),
    notes: [...notesOn(found.map(({ variance }) => variance), shown.length), ...sites.notes()],
  };
}

/** Returns this organization's comoments. */
export function partial(context: Context, { columns, where }: Question): ComomentsPart {
  return answer(context, where, (rows) => {
    const frame = completeRows(rows, columns.map((name) => ({ name })));
    const numbers = columns.map((name) => frame.column(name));
    requireModel(frame, numbers, columns.length);
    const comoments = roundedComoments(comomentsOf(numbers), frame.site?.rules.roundTo ?? 1);
    return { ...usedRows(frame), comoments };
  });
}

/**
 * The components by falling variance. A sign says nothing: the largest loading is made positive.
 */
function componentsOf(covariances: number[][]) {
  const decomposition = new EigenvalueDecomposition(new Matrix(covariances), {
    assumeSymmetric: true,
  });
  const vectors = decomposition.eigenvectorMatrix.transpose().to2DArray();
  return decomposition.realEigenvalues.map((value, i) => {
    const vector = vectors[i]!;
    const largest = vector.reduce((best, one) => Math.abs(one) > Math.abs(best) ? one : best);
    const sign = largest < 0 ? -1 : 1;
    // Rounding may leave a variance of 0 a little below.
    return { variance: Math.max(0, value), loadings: vector.map((one) => sign * one) };
  }).sort((a, b) => b.variance - a.variance);
}

function notesOn(variances: number[], shown: number): string[] {
  const close = variances.slice(0, shown).flatMap((variance, i) => {
    const next = variances[i + 1];
    return next !== undefined && variance - next <= SAME * variances[0]! ? [i + 1] : [];
  });
  return close.map((i) =>
    `Components ${i} and ${i + 1} have the same variance: their directions are any two at right ` +
    "angles among many."
  );
}

function readPart(value: unknown, size: number): ComomentsPart {
  return readFields<ComomentsPart>(value, {
    n: readCount,
    leftOut: readLeftOut,
    comoments: (comoments) => readComoments(comoments, size),
  });
}
