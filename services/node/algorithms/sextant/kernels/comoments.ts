/**
 * Means of several columns and the sums of products about them; those of parts give those of the
 * whole without a loss of digits.
 * @module
 */
import { exactSum } from "../statistics/sum.ts";
import { readCount, readFields, readList, readNumber, readSquare } from "../parts.ts";

export interface Comoments {
  n: number;
  means: number[];
  /** The sum over the rows of the products of two columns' distances from their means. */
  products: number[][];
}

export function comomentsOf(columns: Float64Array[]): Comoments {
  const n = columns[0]!.length;
  const means = columns.map((values) => n === 0 ? 0 : exactSum(values) / n);
  const centred = columns.map((values, i) => values.map((value) => value - means[i]!));
  const products = columns.map(() => columns.map(() => 0));
  for (let i = 0; i < columns.length; i++) {
    for (let j = i; j < columns.length; j++) {
      let sum = 0;
      for (let row = 0; row < n; row++) sum += centred[i]![row]! * centred[j]![row]!;
      products[i]![j] = products[j]![i] = sum;
    }
  }
  return { n, means, products };
}

/** The same covariances of a number of rows that is rounded, as a site's rules ask. */
export function roundedComoments(comoments: Comoments, roundTo: number): Comoments {
  const n = Math.round(comoments.n / roundTo) * roundTo;
  if (n === comoments.n || comoments.n < 2 || n < 2) return comoments;
  const factor = (n - 1) / (comoments.n - 1);
  return {
    ...comoments,
    n,
    products: comoments.products.map((row) => row.map((one) => one * factor)),
  };
}

/** The comoments of the whole; of no rows at all, those of an empty part. */
export function mergeComoments(parts: Comoments[]): Comoments {
  const filled = parts.filter(({ n }) => n > 0);
  if (filled.length === 0) return parts[0]!;
  const n = filled.reduce((sum, part) => sum + part.n, 0);
  const first = filled[0]!.means;
  const means = first.map((start, i) =>
    start + exactSum(filled.map((part) => part.n / n * (part.means[i]! - start)))
  );
  const products = means.map((_, i) =>
    means.map((_, j) =>
      exactSum(filled.flatMap((part) => [
        part.products[i]![j]!,
        part.n * (part.means[i]! - means[i]!) * (part.means[j]! - means[j]!),
      ]))
    )
  );
  return { n, means, products };
}

export function readComoments(value: unknown, size: number): Comoments {
  return readFields<Comoments>(value, {
    n: readCount,
    means: (means) => readList(means, readNumber, size),
    products: (products) => readSquare(products, size),
  });
}
