/**
 * Principal components over all organizations, from each one's means and sums of products.
 * @module
 */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import type { Context } from "sextant/api.ts";
import { type Comoments, comomentsOf } from "sextant/kernels/comoments.ts";
import { mergeComoments, readComoments } from "sextant/kernels/comoments.ts";
import { completeRows, coverage, type LeftOut, readLeftOut } from "sextant/kernels/frame.ts";
import { requireRows } from "sextant/kernels/frame.ts";
import { askParts, readCount, readFields } from "sextant/parts.ts";
import { selectRows } from "sextant/where.ts";

export { description } from "./description.ts";

interface Question {
  columns: string[];
  where?: string | undefined;
}

interface ComomentsPart {
  n: number;
  leftOut: LeftOut;
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
  const parts = await askParts(context, {
    organizations,
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
    notes: notesOn(found.map(({ variance }) => variance), shown.length),
  };
}

/** Returns this organization's comoments. */
export function partial(context: Context, { columns, where }: Question): ComomentsPart {
  const rows = selectRows(context.table(), where);
  const frame = completeRows(rows, columns.map((name) => ({ name })));
  const comoments = comomentsOf(columns.map((name) => frame.column(name)));
  return { n: frame.n, leftOut: frame.leftOut, comoments };
}

/** The components by falling variance. A sign says nothing: the largest loading is made positive. */
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
