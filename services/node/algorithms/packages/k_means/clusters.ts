/**
 * The rows of one site by the centre that each is nearest to.
 * @module
 */

/** By cluster, in the order of the centres. */
export interface Clusters {
  /** Rows. */
  sizes: number[];
  /** Sums of the columns. */
  sums: number[][];
  /** Squared distances of the rows from the centre. */
  within: number[];
}

/**
 * Returns the clusters of these columns' rows; of centres equally near, a row takes the first.
 * Distances along a column are divided by its scale, sums are not.
 *
 * The sums are of the values and not of distances from the centre, though those would be smaller:
 * so the same rows give the same centre to the last digit, and a centre that no row leaves or joins
 * does not move at all. They are compensated (Neumaier), so that they lose no digits by it.
 */
export function clustersOf(
  columns: Float64Array[],
  centres: number[][],
  scales: number[],
): Clusters {
  const [size, width, n] = [centres.length, columns.length, columns[0]!.length];
  const flat = Float64Array.from(centres.flat());
  const sizes = new Array<number>(size).fill(0);
  const within = new Float64Array(size);
  const sums = new Float64Array(size * width);
  const lost = new Float64Array(size * width);
  const row = new Float64Array(width);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < width; j++) row[j] = columns[j]![i]!;
    let [nearest, least] = [0, Infinity];
    for (let k = 0; k < size; k++) {
      let squares = 0;
      for (let j = 0; j < width; j++) {
        const distance = (row[j]! - flat[k * width + j]!) / scales[j]!;
        squares += distance * distance;
      }
      if (squares < least) [nearest, least] = [k, squares];
    }
    sizes[nearest]!++;
    within[nearest]! += least;
    for (let j = 0; j < width; j++) {
      const at = nearest * width + j;
      const [sum, value] = [sums[at]!, row[j]!];
      const next = sum + value;
      lost[at]! += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
      sums[at] = next;
    }
  }
  return {
    sizes,
    sums: centres.map((_, k) => columns.map((_, j) => sums[k * width + j]! + lost[k * width + j]!)),
    within: [...within],
  };
}
