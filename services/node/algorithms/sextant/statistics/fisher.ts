/** Fisher's exact test of a table of two rows and two columns. @module */
import gammaln from "@stdlib/math-base-special-gammaln";

/** Tables whose probability differs by no more than this, relatively, are equally likely. */
const SAME = 1e-7;

/**
 * The two-sided p-value of the table `[[a, b], [c, d]]`: the probability, given its margins, of all
 * tables that are no likelier than it.
 */
export function fisherExact([[a, b], [c, d]]: [[number, number], [number, number]]): number {
  const [first, second, left] = [a + b, c + d, a + c];
  const choose = (n: number, k: number) => gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1);
  const all = choose(first + second, left);
  const likelihood = (k: number) => Math.exp(choose(first, k) + choose(second, left - k) - all);
  const observed = likelihood(a) * (1 + SAME);
  let p = 0;
  for (let k = Math.max(0, left - second); k <= Math.min(first, left); k++) {
    const one = likelihood(k);
    if (one <= observed) p += one;
  }
  return Math.min(1, p);
}
