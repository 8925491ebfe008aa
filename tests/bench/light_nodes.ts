// Many nodes in one process: each with a connection, a credential and subjects of its own, as an
// agent has them and with the agent's own modules, but without journal, policy and algorithms. What
// they are told: first the hub's address and their API keys; then how many raw messages to count;
// then, by anything, to work.
import { join } from "node:path";
import { connectBroker } from "../../services/node/hub/broker.ts";
import type { Dispatch } from "../../shared/node_protocol/dispatch.ts";
import { createWayOut } from "../../services/node/hub/way_out.ts";
import { createHub } from "../../services/node/hub/hub.ts";
import { writePieces } from "../../services/node/payload/pieces.ts";
import { type FinishedRun, writeFinishReport } from "../../services/node/record/finish_report.ts";
import { attemptKey } from "../../services/node/record/attempt_key.ts";
import type { Journal } from "../../services/node/record/journal.ts";
import type { Attempts } from "../../services/node/run/attempts.ts";
import { takeWork } from "../../services/node/run/intake.ts";
import { createReporter } from "../../services/node/run/reporter.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { subjects } from "../../shared/broker/subjects.ts";
import { clock, say, told } from "./programs.ts";

const CONNECTING_AT_ONCE = 4;
const messages = told();
const hear = async () => (await messages.next()).value;
const { api, folder, nodes }: {
  api: string;
  folder: string;
  nodes: { id: number; key: string }[];
} = await hear();
const nothing: FinishedRun = {
  status: "completed",
  result: await writePieces(join(folder, "nothing"), [new TextEncoder().encode("null")]),
  log: "",
  reason: null,
};
const signal = new AbortController().signal;
const log = silentLogger;

async function connect({ id, key }: { id: number; key: string }) {
  const place = join(folder, String(id));
  await Deno.mkdir(place);
  const hub = createHub({ api, apiKey: key, payloadFormats: [], log });
  const broker = await connectBroker({
    hub,
    nodeId: id,
    wayOut: createWayOut(),
    log,
    onTrouble() {},
    signal,
    onRefused,
  });
  return { id, place, hub, broker };
}

function onRefused(error: unknown): never {
  console.error(error);
  Deno.exit(1);
}

const all: Awaited<ReturnType<typeof connect>>[] = [];
const left = [...nodes];
await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, async () => {
  for (let next; (next = left.pop());) all.push(await connect(next));
}));
say("ready");

const expected = await hear();
let counted = 0;
const raw = await Promise.all(all.map(async ({ id, broker: { connection } }) => {
  // A subject that a node may hear, on which nothing else speaks now.
  const subscription = connection.subscribe(subjects.kill(id), {
    callback() {
      if (++counted % expected === 0) say(clock());
    },
  });
  await connection.flush();
  return subscription;
}));
say("listening");

await hear();
for (const subscription of raw) subscription.unsubscribe();
const taken = new Set<string>();
const waiting: (() => void)[] = [];
let reported = 0;
await Promise.all(all.map(async ({ id, place, hub, broker }) => {
  const agentId = crypto.randomUUID();
  const reporter = createReporter({ broker, hub, agentId, nodeId: id, log, signal });
  const ready = Promise.withResolvers<void>();

  async function finish(dispatch: Dispatch) {
    const { result_id, attempt } = dispatch;
    const report = join(place, `${attemptKey(dispatch)}.json`);
    await reporter.start(dispatch, signal);
    await writeFinishReport(report, { result_id, attempt, agent_id: agentId }, nothing);
    await reporter.finish(dispatch, report);
    if (++reported % all.length === 0) say({ reported: clock() });
  }

  const attempts: Attempts = {
    resume() {},
    interrupt() {},
    interruptAll: () => Promise.resolve(),
    size: 0,
    whenAtMost: () => Promise.resolve(),
    accept(dispatch) {
      const key = attemptKey(dispatch);
      if (taken.has(key)) return Promise.resolve();
      taken.add(key);
      waiting.push(() => finish(dispatch));
      if (waiting.length === all.length) {
        say({ dispatched: clock() });
        // Only now, or this one process would report and take in turns, which a thousand machines
        // would not.
        for (const report of waiting.splice(0)) report();
      }
      return Promise.resolve();
    },
  };
  // Nothing is in hand before the hello.
  const journal = { open: new Map() } as Pick<Journal, "open"> as Journal;
  takeWork({
    nodeId: id,
    broker,
    journal,
    reporter,
    attempts,
    log,
    whyNot: () => undefined,
    onCheckpoints() {},
    audit: { record: () => Promise.resolve() },
    onReady: ready.resolve,
    signal,
  });
  await ready.promise;
}));
let connected = all.length;
for (const { broker: { connection } } of all) {
  let here = true;
  connection.watch((now) => {
    if (now === here) return;
    here = now;
    connected += now ? 1 : -1;
    if (now && connected === all.length) say({ back: clock() });
  });
}
say("working");
await hear();
Deno.exit(0);
