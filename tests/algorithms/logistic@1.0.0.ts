/**
 * A logistic regression by Newton's method, for a benchmark: in each iteration every organization
 * is asked once for its gradient and information.
 */
import type { Context } from "../../services/node/algorithms/api.ts";

interface Model {
  outcome: string;
  predictors: string[];
}
interface Part {
  gradient: number[];
  information: number[][];
}

/** Always as many iterations as asked for: that is what is measured. */
export async function central(
  context: Context,
  { outcome, predictors, iterations }: Model & { iterations: number },
) {
  const organizations = (await context.organizations()).map(({ id }) => id);
  let beta = new Array(predictors.length + 1).fill(0);
  const began = Date.now();
  for (let round = 0; round < iterations; round++) {
    const input = { method: "partial", kwargs: { outcome, predictors, beta } };
    const { id } = await context.createTask({ organizations, input });
    const parts = (await context.results(id)).map(({ result }) => result as Part);
    const gradient = beta.map((_, i) => sum(parts, ({ gradient }) => gradient[i]!));
    const information = beta.map((_, i) =>
      beta.map((_, j) => sum(parts, ({ information }) => information[i]![j]!))
    );
    const step = solve(information, gradient);
    beta = beta.map((value, i) => value + step[i]!);
  }
  return { beta, ms: Date.now() - began };
}

export function partial(
  context: Context,
  { outcome, predictors, beta }: Model & { beta: number[] },
): Part {
  const table = context.table();
  const columns = predictors.map((name) => table.floats(name));
  const y = table.floats(outcome);
  const gradient = beta.map(() => 0);
  const information = beta.map(() => beta.map(() => 0));
  for (let row = 0; row < y.length; row++) {
    const x = [1, ...columns.map((column) => column[row]!)];
    const eta = x.reduce((total, value, i) => total + value * beta[i]!, 0);
    const p = 1 / (1 + Math.exp(-eta));
    for (let i = 0; i < x.length; i++) {
      gradient[i]! += x[i]! * (y[row]! - p);
      for (let j = 0; j < x.length; j++) information[i]![j]! += x[i]! * x[j]! * p * (1 - p);
    }
  }
  return { gradient, information };
}

function sum<One>(all: One[], of: (one: One) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}

/** Gauss's elimination with the largest pivots. */
function solve(matrix: number[][], vector: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, vector[i]!]);
  for (let at = 0; at < rows.length; at++) {
    const pivot = rows.slice(at).reduce(
      (best, row, i) => Math.abs(row[at]!) > Math.abs(rows[best]![at]!) ? at + i : best,
      at,
    );
    [rows[at], rows[pivot]] = [rows[pivot]!, rows[at]!];
    for (let below = 0; below < rows.length; below++) {
      if (below === at) continue;
      const factor = rows[below]![at]! / rows[at]![at]!;
      rows[below] = rows[below]!.map((value, i) => value - factor * rows[at]![i]!);
    }
  }
  return rows.map((row, i) => row.at(-1)! / row[i]!);
}
