// Algorithms for tests: they take their time, or fail, on purpose.
import type { Context } from "../../services/node/algorithms/api.ts";

/** Says that it runs, waits, and answers. */
export async function wait(context: Context, { ms = 1000 }: { ms?: number }) {
  context.log("waiting");
  await new Promise((resolve) => setTimeout(resolve, ms));
  return { waited: ms };
}

/** Says so many lines, one after the other, then waits. */
export async function chatter(context: Context, { lines = 100, ms = 60_000 }) {
  for (let n = 1; n <= lines; n++) {
    context.log(`line ${n} <b>bold</b> \u202edesrever`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await new Promise((resolve) => setTimeout(resolve, ms));
  return { lines };
}

/** Answers at once with as many characters as wanted. */
export function text(_context: Context, { length }: { length: number }) {
  return "x".repeat(length);
}

/** Tells when its first line ran. */
export function now() {
  return Date.now();
}

export function fail() {
  throw new Error("This algorithm fails on purpose");
}
