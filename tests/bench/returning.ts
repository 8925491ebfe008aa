import { connectToBroker } from "../../shared/broker/connection.ts";
import { issueNodeCredential } from "../../shared/broker/trust.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { newUserKey } from "../../shared/broker/signing.ts";
import { subjects } from "../../shared/broker/subjects.ts";
import type { Db } from "../../shared/storage/db.ts";
import { startTestBroker, waitFor } from "../harness.ts";
import { createSite } from "../site.ts";
import { allCompleted, connectAsTask, openTaskDatabase } from "./behind.ts";
import type { BenchContext } from "./context.ts";
import { report } from "./measure.ts";
import { memoryOf } from "./payload.ts";
import { startProgram } from "./programs.ts";

const RUNS = 10_000;
const IN_FLIGHT = 16;
/** Dispatches in a page of work, and bytes of one with its signature: about those of the hub's. */
const PAGE = 200;
const MESSAGE = 750;

/**
 * A node comes back to many queued runs, whose algorithms do nothing: how fast it has all of them
 * in its journal, while it begins to work them off, and how fast they are done. The floor is as
 * many bytes in as many answers.
 */
export async function benchReturning({ stack, quick }: BenchContext): Promise<void> {
  const runs = quick ? RUNS / 10 : RUNS;
  const raw = await rawTaking(runs);
  const site = await createSite(stack, { data: ["x\n1\n"], node: { max_runs: IN_FLIGHT } });
  const { config, nodeId } = site.members[0]!;
  const db = openTaskDatabase(stack);

  const before = await startProgram("./noop_node.ts", config);
  const idle = memoryOf(before.pid);
  await before.stop();
  let left = runs;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (left-- > 0) await site.post({ image: "deno:slow@1.0.0", method: "now" });
  }));

  const node = await startProgram("./noop_node.ts", config);
  const began = performance.now();
  let most = 0;
  const timer = setInterval(() => most = Math.max(most, memoryOf(node.pid)), 50);
  await waitFor(async () => await unaccepted(db, nodeId) === 0, {
    what: "the node to take everything",
    timeout: 600_000,
  });
  const taken = (performance.now() - began) / 1000;
  await allCompleted(db, nodeId, 1_200_000);
  const done = (performance.now() - began) / 1000;
  clearInterval(timer);
  report(`a node returns to ${runs.toLocaleString("en")} runs`, {
    "all taken s": taken,
    "raw pages s": raw,
    "finished runs/s": runs / done,
    "agent MiB idle": idle,
    "at most": most,
  });
  await node.stop();
  await db.end();
}

async function unaccepted(db: Db, nodeId: number): Promise<number> {
  const [row] = await db<{ count: number }[]>`
    select count(*)::integer as count from result
    where node_id = ${nodeId} and status = 'pending' and accepted_at is null`;
  return row!.count;
}

/** Seconds in which a bare client asks for as much, page by page. */
async function rawTaking(count: number): Promise<number> {
  const node = 1;
  const broker = await startTestBroker();
  const task = await connectAsTask(broker.url, broker.trust);
  const page = new Uint8Array(PAGE * MESSAGE);
  task.subscribe(subjects.report(node, "work"), {
    callback: (_, message) => void message.respond(page),
  });
  await task.flush();
  const { seed, publicKey } = newUserKey();
  const { jwt } = await issueNodeCredential(broker.trust, node, publicKey, 3600);
  const nc = await connectToBroker({
    url: broker.url,
    name: "raw node",
    credential: { seed, jwt: () => jwt },
    inboxPrefix: subjects.inbox(node),
    log: silentLogger,
  });
  const began = performance.now();
  for (let taken = 0; taken < count; taken += PAGE) {
    await nc.request(subjects.report(node, "work"), "{}");
  }
  const seconds = (performance.now() - began) / 1000;
  await nc.close();
  await task.close();
  await broker.stop();
  return seconds;
}
