import type { Db } from "../../shared/storage/db.ts";
import { createSite } from "../site.ts";
import { allCompleted, openTaskDatabase } from "./behind.ts";
import type { BenchContext } from "./context.ts";
import { rateOf, report } from "./measure.ts";
import { startProgram } from "./programs.ts";

const RUNS = 1000;
const IN_FLIGHT = 16;
/** The promise: at least so much of the raw rate. */
const GOAL = 0.1;

/**
 * Runs per second of one node whose algorithms do nothing: from the POST over dispatch, journal and
 * reports to the last committed result. The floor is what the database alone must do for a run:
 * three transactions, for its creation, its start and its end, by as many callers.
 */
export async function benchNoopRuns({ stack, quick }: BenchContext): Promise<void> {
  const runs = quick ? RUNS / 10 : RUNS;
  const db = openTaskDatabase(stack, IN_FLIGHT);
  const raw = await rawRuns(db);
  const site = await createSite(stack, { data: ["x\n1\n"], node: { max_runs: IN_FLIGHT } });
  const [member] = site.members;
  const node = await startProgram("./noop_node.ts", member!.config);
  const began = performance.now();
  let left = runs;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (left-- > 0) await site.post({ image: "deno:slow@1.0.0", method: "now" });
  }));
  const posted = (performance.now() - began) / 1000;
  await allCompleted(db, member!.nodeId, 300_000);
  const took = (performance.now() - began) / 1000;
  report(`${runs.toLocaleString("en")} runs that do nothing`, {
    "runs/s": runs / took,
    "POSTs/s": runs / posted,
    "raw 3 transactions/s": raw,
    "ratio": runs / took / raw,
    "goal": GOAL,
  });
  await node.stop();
  await db.end();
}

/** How often a second the database takes the three transactions of a run. */
async function rawRuns(db: Db): Promise<number> {
  await db`create table public.bench_run (id serial primary key, status text)`;
  const { perSecond } = await rateOf(async () => {
    const [row] = await db`
      insert into public.bench_run (status) values ('pending') returning id`;
    for (const status of ["active", "completed"]) {
      await db`update public.bench_run set status = ${status} where id = ${row!.id}`;
    }
  }, { inFlight: IN_FLIGHT });
  await db`drop table public.bench_run`;
  return perSecond;
}
