import type { BenchContext } from "./context.ts";
import { percentile, report } from "./measure.ts";

const TIMES = 20;
/** The promise: at most so much of a bare `deno run`. */
const GOAL = 0.7;

/**
 * From the moment the client has the answer to its POST until the algorithm's first line runs, on
 * an idle node. The floor is a bare `deno run` of one line: both ends are clocks of this machine.
 */
export async function benchFirstLine({ site }: BenchContext): Promise<void> {
  const real: number[] = [];
  const raw: number[] = [];
  for (let round = 0; round < TIMES + 2; round++) {
    const task = await site.post({ image: "deno:slow@1.0.0", method: "now" });
    const accepted = Date.now();
    const { results } = await site.outcome(task.id);
    const floor = await bareRun();
    if (round < 2) continue; // the first ones compile and warm up
    real.push(results[0] - accepted);
    raw.push(floor);
  }
  report("accepted to first line", {
    "p50 ms": percentile(real, 0.5),
    "p99 ms": percentile(real, 0.99),
    "bare deno run p50 ms": percentile(raw, 0.5),
    "ratio": percentile(real, 0.5) / percentile(raw, 0.5),
    "goal": GOAL,
  });
}

/** Milliseconds from the spawn to the first line of a program that does nothing else. */
export async function bareRun(): Promise<number> {
  const program = new URL("./bare.ts", import.meta.url).pathname;
  const began = Date.now();
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", "--cached-only", program],
  }).output();
  return Number(new TextDecoder().decode(stdout)) - began;
}
