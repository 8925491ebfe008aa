import { ensureEventStream } from "../../shared/broker/event_stream.ts";
import { subjects } from "../../shared/broker/subjects.ts";
import { startTestBroker } from "../harness.ts";
import type { Site } from "../site.ts";
import { connectAsTask, openTaskDatabase } from "./behind.ts";
import type { BenchContext } from "./context.ts";
import { percentile, report } from "./measure.ts";

const RUNS = 60;
/** The promise: 95 of 100 committed results are at the watcher's within this time. */
const GOAL_MS = 25;

/**
 * From the moment a result is being committed to its event at a client that watches the live feed:
 * of runs one after the other, and of as many at once as this machine can do. The floor is one
 * committed row and one message through JetStream to a subscriber.
 */
export async function benchFeed({ stack, site }: BenchContext): Promise<void> {
  const raw = await rawTelling(stack);
  for (const isAtOnce of [false, true]) {
    const samples = await watchRuns(site, isAtOnce);
    report(`committed result to the live feed, ${isAtOnce ? "all at once" : "one by one"}`, {
      "p50 ms": percentile(samples, 0.5),
      "p95 ms": percentile(samples, 0.95),
      "raw p50 ms": percentile(raw, 0.5),
      "raw p95 ms": percentile(raw, 0.95),
      "ratio of p50": percentile(samples, 0.5) / percentile(raw, 0.5),
      ...isAtOnce ? {} : { "goal of p95 ms": GOAL_MS },
    });
  }
}

/** How many milliseconds each result of some runs was on its way. */
async function watchRuns(site: Site, isAtOnce: boolean): Promise<number[]> {
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
    const { id } = await site.post({ image: "deno:slow@1.0.0", method: "now", members });
    if (!isAtOnce) await site.outcome(id);
  }
  await enough.promise;
  await reader.cancel();
  await watching;
  return samples;
}

/** Milliseconds of a commit and a message that tells of it, without anything of Sextant's. */
async function rawTelling(stack: BenchContext["stack"]): Promise<number[]> {
  const db = openTaskDatabase(stack, 1);
  const broker = await startTestBroker();
  const nc = await connectAsTask(broker.url, broker.trust);
  await ensureEventStream(nc);
  let heard = () => {};
  nc.subscribe(subjects.allEvents(), { callback: () => heard() });
  await nc.flush();
  const jetstream = nc.jetstream();
  await db`create table public.bench_feed (id serial primary key)`;
  const samples: number[] = [];
  for (let n = 0; n < RUNS; n++) {
    const began = performance.now();
    await db`insert into public.bench_feed default values`;
    const arrived = new Promise<void>((resolve) => heard = resolve);
    await Promise.all([arrived, jetstream.publish(subjects.event("bench", "told"), "{}")]);
    samples.push(performance.now() - began);
  }
  await db`drop table public.bench_feed`;
  await nc.close();
  await broker.stop();
  await db.end();
  return samples;
}
