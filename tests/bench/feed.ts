import type { BenchContext } from "./main.ts";
import { percentile, report } from "./measure.ts";

const RUNS = 60;
/** The promise: 95 of 100 committed results are at the watcher's within this time. */
const GOAL_MS = 100;

/** From the moment a result is being committed to its event at a client that watches the live feed. */
export async function benchFeed({ site }: BenchContext): Promise<void> {
  const answer = await site.researcher.request("GET", "/events");
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const samples: number[] = [];
  const enough = Promise.withResolvers<void>();
  const watching = (async () => {
    for (let text = "";;) {
      const { done, value } = await reader.read();
      if (done) return;
      const now = Date.now();
      text += value;
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
        const data = /^event: result\.status\n(?:.*\n)*data: (.*)$/m.exec(text.slice(0, end))?.[1];
        if (!data) continue;
        const { at, status } = JSON.parse(data);
        if (status !== "completed") continue;
        samples.push(now - Date.parse(at));
        if (samples.length === RUNS) enough.resolve();
      }
    }
  })();
  for (let n = 0; n < RUNS; n++) {
    const members = [site.members[n % site.members.length]!];
    await site.post({ image: "deno:slow@1.0.0", method: "now", members });
  }
  await enough.promise;
  await reader.cancel();
  await watching;
  report("committed result to the live feed", {
    "p50 ms": percentile(samples, 0.5),
    "p95 ms": percentile(samples, 0.95),
    "goal ms": GOAL_MS,
  });
}
