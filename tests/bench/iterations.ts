import { createSite } from "../site.ts";
import type { BenchContext } from "./context.ts";
import { bareRun } from "./first_line.ts";
import { percentile, report } from "./measure.ts";

const SITES = 4;
const ROWS = 500;
const ITERATIONS = 25;
const PREDICTORS = ["a", "b", "c", "d"];
const TIMES = 3;
/** The promise, on a machine that has nothing else to do. */
const GOAL_MS = 3000;

/**
 * What people do with such a system: a logistic regression whose central part asks all sites once
 * an iteration. The floor is as many bare `deno run`s, each iteration's at once.
 */
export async function benchIterations({ stack }: BenchContext): Promise<void> {
  const data = Array.from({ length: SITES }, (_, site) => tableOf(site));
  const site = await createSite(stack, { data });
  for (const member of site.members) await site.startNode(member);
  const kwargs = { outcome: "y", predictors: PREDICTORS, iterations: ITERATIONS };
  const real: number[] = [];
  const raw: number[] = [];
  for (let time = 0; time <= TIMES; time++) {
    const { id } = await site.post({ image: "deno:logistic@1.0.0", method: "central", kwargs });
    const { status, runs, results } = await site.outcome(id, 300_000);
    if (status !== "completed") throw new Error(JSON.stringify(runs));
    const began = performance.now();
    for (let round = 0; round < ITERATIONS; round++) {
      await Promise.all(Array.from({ length: SITES }, bareRun));
    }
    if (time === 0) continue; // reads the tables
    real.push(results[0].ms);
    raw.push(performance.now() - began);
  }
  report(`${ITERATIONS} iterations at ${SITES} sites`, {
    "p50 ms": percentile(real, 0.5),
    "goal ms": GOAL_MS,
    "an iteration ms": percentile(real, 0.5) / ITERATIONS,
    "as many bare deno runs ms": percentile(raw, 0.5),
    "ratio": percentile(real, 0.5) / percentile(raw, 0.5),
  });
}

function tableOf(site: number): string {
  const lines = Array.from({ length: ROWS }, (_, row) => {
    const x = PREDICTORS.map((_, column) => Math.sin(1 + row * (column + 2) + 7 * site));
    const y = x[0]! + 0.5 * x[1]! + Math.sin(row * 13 + site) > 0 ? 1 : 0;
    return [...x.map((value) => value.toFixed(4)), y].join(",");
  });
  return `${[...PREDICTORS, "y"].join(",")}\n${lines.join("\n")}\n`;
}
