import { connectToBroker } from "../../shared/broker/connection.ts";
import { issueNodeCredential } from "../../shared/broker/trust.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { newUserKey } from "../../shared/broker/signing.ts";
import { nodeDurable, STREAMS, subjects } from "../../shared/broker/subjects.ts";
import { createDispatchStreams } from "../../services/task/dispatch/streams.ts";
import { startTestBroker, waitFor } from "../harness.ts";
import { createSite } from "../site.ts";
import { allCompleted, connectAsTask, openTaskDatabase, trustOf } from "./behind.ts";
import type { BenchContext } from "./context.ts";
import { report } from "./measure.ts";
import { memoryOf } from "./payload.ts";
import { startProgram } from "./programs.ts";

const RUNS = 10_000;
const IN_FLIGHT = 16;
/** Bytes of a raw message: about those of a dispatch with its headers. */
const MESSAGE = 550;

/**
 * A node comes back to many queued runs, whose algorithms do nothing: how fast it has all of them in its journal, while
 * it begins to work them off, and how fast they are done. The floor is taking and acknowledging as many messages.
 */
export async function benchReturning({ stack, quick }: BenchContext): Promise<void> {
  const runs = quick ? RUNS / 10 : RUNS;
  const raw = await rawTaking(runs);
  const site = await createSite(stack, { data: ["x\n1\n"], node: { max_runs: IN_FLIGHT } });
  const { config, nodeId } = site.members[0]!;
  const db = openTaskDatabase(stack);
  const nc = await connectAsTask(stack.natsUrl, await trustOf(stack));
  const streams = createDispatchStreams(() => nc.jetstreamManager());

  const before = await startProgram("./noop_node.ts", config);
  const idle = memoryOf(before.pid);
  await before.stop();
  let left = runs;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (left-- > 0) await site.post({ image: "deno:slow@1.0.0", method: "now" });
  }));
  await waitFor(async () => await streams.outstanding(nodeId) === runs, {
    what: "all dispatches to be in the stream",
  });

  const node = await startProgram("./noop_node.ts", config);
  const began = performance.now();
  let most = 0;
  const timer = setInterval(() => most = Math.max(most, memoryOf(node.pid)), 50);
  await waitFor(async () => await streams.outstanding(nodeId) === 0, {
    what: "the node to take everything",
    timeout: 600_000,
  });
  const taken = (performance.now() - began) / 1000;
  await allCompleted(db, nodeId, 1_200_000);
  const done = (performance.now() - began) / 1000;
  clearInterval(timer);
  report(`a node returns to ${runs.toLocaleString("en")} runs`, {
    "all taken s": taken,
    "raw consume+ack s": raw,
    "ratio": taken / raw,
    "finished runs/s": runs / done,
    "agent MiB idle": idle,
    "at most": most,
  });
  await node.stop();
  await nc.close();
  await db.end();
}

/** Seconds in which a bare client takes and acknowledges so many messages, one consumer, as a node has it. */
async function rawTaking(count: number): Promise<number> {
  const node = 1;
  const broker = await startTestBroker();
  const task = await connectAsTask(broker.url, broker.trust);
  const streams = createDispatchStreams(() => task.jetstreamManager());
  await streams.ensureStream();
  await streams.ensureConsumer(node);
  const jetstream = task.jetstream();
  let left = count;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (left-- > 0) await jetstream.publish(subjects.dispatch(node), new Uint8Array(MESSAGE));
  }));
  const { seed, publicKey } = newUserKey();
  const { jwt } = await issueNodeCredential(broker.trust, node, publicKey, 3600);
  const nc = await connectToBroker({
    url: broker.url,
    name: "raw node",
    credential: { seed, jwt: () => jwt },
    inboxPrefix: subjects.inbox(node),
    log: silentLogger,
  });
  const consumer = await nc.jetstream().consumers.get(STREAMS.dispatch, nodeDurable(node));
  const began = performance.now();
  const messages = await consumer.consume({ max_messages: 100 });
  let taken = 0;
  for await (const message of messages) {
    message.ack();
    if (++taken === count) break;
  }
  await nc.flush();
  const seconds = (performance.now() - began) / 1000;
  await nc.close();
  await task.close();
  await broker.stop();
  return seconds;
}
