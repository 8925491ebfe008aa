import { bareRun } from "./first_line.ts";
import type { BenchContext } from "./context.ts";
import { report } from "./measure.ts";

const RUNS = 60;

/**
 * How many results per second two nodes finish, each in a sandbox of its own; the floor is as many
 * bare runs.
 */
export async function benchRuns({ site }: BenchContext): Promise<void> {
  const atOnce = 2 * navigator.hardwareConcurrency; // what the two nodes run at once
  const rawBegan = performance.now();
  let left = RUNS;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left-- > 0) await bareRun();
  }));
  const raw = RUNS / ((performance.now() - rawBegan) / 1000);

  const began = performance.now();
  const tasks = await Promise.all(
    Array.from(
      { length: RUNS / 2 },
      () => site.post({ image: "deno:slow@1.0.0", method: "now", members: site.members }),
    ),
  );
  await Promise.all(tasks.map((task) => site.outcome(task.id, 120_000)));
  const real = RUNS / ((performance.now() - began) / 1000);
  report(`${RUNS} runs on two nodes`, {
    "runs/s": real,
    "bare deno runs/s": raw,
    "ratio": real / raw,
  });
}
