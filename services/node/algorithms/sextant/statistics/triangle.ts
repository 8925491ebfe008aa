/**
 * Upper triangles. The triangle R of a matrix X (R'R = X'X) says the same as the sums of products
 * X'X, in twice as many digits; and the triangle of several triangles, one below the other, is the
 * triangle of all their rows. So it is what sites tell of theirs.
 * @module
 */

/** Rows that are collected before they are folded in. */
const BLOCK = 64;

export interface TriangleBuilder {
  /** Adds a row, of which it keeps nothing. */
  add(row: ArrayLike<number>): void;
  /** The triangle of all rows so far; no diagonal element is negative. */
  finish(): number[][];
}

/** Builds the triangle of rows with `size` columns, by Householder's reflections. */
export function createTriangle(size: number): TriangleBuilder {
  // Column by column: the triangle's `size` rows, then those of the block.
  const height = size + BLOCK;
  const cells = new Float64Array(size * height);
  let filled = size;

  function fold() {
    for (let k = 0; k < size; k++) {
      const column = k * height;
      const corner = cells[column + k]!;
      let block = 0;
      for (let i = column + size; i < column + filled; i++) block += cells[i]! ** 2;
      if (block === 0) continue;
      const length = Math.sqrt(corner ** 2 + block);
      const reflected = corner > 0 ? -length : length;
      const first = corner - reflected;
      const scale = 2 / (first ** 2 + block);
      for (let j = k + 1; j < size; j++) {
        const other = j * height;
        let product = first * cells[other + k]!;
        for (let i = size; i < filled; i++) product += cells[column + i]! * cells[other + i]!;
        product *= scale;
        cells[other + k]! -= product * first;
        for (let i = size; i < filled; i++) cells[other + i]! -= product * cells[column + i]!;
      }
      cells[column + k] = reflected;
    }
    filled = size;
  }

  return {
    add(row) {
      for (let j = 0; j < size; j++) cells[j * height + filled] = row[j]!;
      if (++filled === height) fold();
    },
    finish() {
      fold();
      return Array.from({ length: size }, (_, i) => {
        const sign = cells[i * height + i]! < 0 ? -1 : 1;
        return Array.from({ length: size }, (_, j) => j < i ? 0 : sign * cells[j * height + i]!);
      });
    },
  };
}

/** The triangle of triangles, or other rows, one below the other. */
export function stackTriangles(triangles: number[][][], size: number): number[][] {
  const all = createTriangle(size);
  for (const rows of triangles) for (const row of rows) all.add(row);
  return all.finish();
}

/** The triangle R of a symmetric positive matrix A (R'R = A), by Cholesky; where it is not, NaN. */
export function triangleOf(matrix: number[][]): number[][] {
  const r = matrix.map((row) => row.map(() => 0));
  for (const [i, row] of matrix.entries()) {
    for (let j = i; j < matrix.length; j++) {
      let value = row[j]!;
      for (let k = 0; k < i; k++) value -= r[k]![i]! * r[k]![j]!;
      r[i]![j] = j === i ? Math.sqrt(value) : value / r[i]![i]!;
    }
  }
  return r;
}

/**
 * The first column that follows from the ones before it: of its length they leave no more than
 * `tolerance`. Undefined if none does.
 */
export function dependentColumn(r: number[][], size: number, tolerance: number) {
  for (let j = 0; j < size; j++) {
    const length = Math.hypot(...r.slice(0, j + 1).map((row) => row[j]!));
    if (!(Math.abs(r[j]![j]!) > tolerance * length)) return j;
  }
  return undefined;
}

/** The x for which R x = b. */
export function solveTriangle(r: number[][], b: readonly number[]): number[] {
  const x = new Array<number>(b.length).fill(0);
  for (let i = b.length - 1; i >= 0; i--) {
    let value = b[i]!;
    for (let j = i + 1; j < b.length; j++) value -= r[i]![j]! * x[j]!;
    x[i] = value / r[i]![i]!;
  }
  return x;
}

/** The x for which R' x = b. */
export function solveTransposed(r: number[][], b: readonly number[]): number[] {
  const x: number[] = [];
  for (const [i, value] of b.entries()) {
    x.push(x.reduce((rest, one, j) => rest - r[j]![i]! * one, value) / r[i]![i]!);
  }
  return x;
}

/** The inverse of R'R, of its first `size` rows and columns. */
export function inverse(r: number[][], size = r.length): number[][] {
  const unit = (i: number) => Array.from({ length: size }, (_, j) => i === j ? 1 : 0);
  return Array.from({ length: size }, (_, i) => solveTriangle(r, solveTransposed(r, unit(i))));
}
