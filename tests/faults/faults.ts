/**
 * Posts runs to several nodes while everything is killed, stopped and cut off; then looks whether
 * work was lost, done twice or left lying.
 * @module
 */
import { startTestStack, type TestStack, waitFor } from "../harness.ts";
import { createSite, decodeResult, encodeInput, type Json, type Site } from "../site.ts";
import { type Link, startLink } from "./link.ts";
import { type Fault, planFaults, randomNumbers } from "./plan.ts";
import { type Silences, watchSilences } from "./silences.ts";
import { watchFeed, type Witness } from "./witness.ts";
import { family, killDatabaseServer, postmaster, signal } from "../support/cluster.ts";
import { cutOff, whyNoCut } from "../support/network_cut.ts";
import { isOpen } from "../../shared/node_protocol/status.ts";

export interface FaultOptions {
  seed: number;
  runs: number;
  faults: number;
  nodes: number;
  pauseMs: number;
  /** Two of everything and three brokers. */
  cluster?: boolean;
  /** Told what happens, a line at a time. */
  say: (line: string) => void;
}

/** What came of it. Everything in `wrong` is a broken promise. */
export interface FaultSummary {
  seed: number;
  runs: number;
  faults: Record<string, number>;
  seconds: number;
  statuses: Record<string, number>;
  attempts: Record<string, number>;
  /** Seconds from the end of the last fault to the end of the last result. */
  settledAfter: number;
  /** Of a cluster: seconds without an answer after each kind of fault. */
  silences?: Record<string, { reads: number; changes: number }>;
  wrong: string[];
}

/** Runs under way at once. */
const AHEAD = 12;
const SETTLE_MS = 60_000;
/** Lines of the parts' log that are told when something was wrong. */
const TOLD_OF_LOG = 60;

export async function runFaults(options: FaultOptions): Promise<FaultSummary> {
  const { runs, nodes, say } = options;
  const plan = planFaults(options);
  const cuts = plan.some(({ kind, target }) => kind === "cut off" && typeof target !== "number");
  if (cuts && whyNoCut !== undefined) throw new Error(`Cannot cut servers off: ${whyNoCut}`);
  const began = performance.now();
  const ran = new Map<string, number>();
  say("Starting the stack …");
  const stack = await startTestStack({
    cluster: options.cluster === true,
    onEntry(_part, { message, fields }) {
      if (message !== "Running") return;
      const key = `${fields.result_id}/${fields.attempt}`;
      ran.set(key, (ran.get(key) ?? 0) + 1);
    },
  });
  const links: Link[] = [];
  let witness: Witness | undefined;
  let silences: Silences | undefined;
  try {
    const site = await createSite(stack, { data: Array(nodes).fill("x\n1\n") });
    for (const member of site.members) {
      const link = startLink(stack);
      links.push(link);
      const config = await Deno.readTextFile(member.config);
      await Deno.writeTextFile(member.config, config.replace(/^port: \d+$/m, `port: ${link.port}`));
      await site.startNode(member);
    }
    witness = watchFeed(site.researcher);
    if (options.cluster) silences = watchSilences(site);
    const posted = await postAll(site, stack, links, plan, options, silences);
    const settled = performance.now();
    say("The last fault is over; waiting for what is still open …");
    const wrong: string[] = [];
    await waitFor(
      async () => (await site.researcher.get("/run?state=open&per_page=1")).data.length === 0,
      { what: "all results to end", timeout: SETTLE_MS },
    ).catch(() => {});
    const settledAfter = Math.round(performance.now() - settled) / 1000;
    const silent = await silences?.stop();
    const all = await check(site, { posted, ran, witness, wrong });
    if (wrong.length > 0) {
      say("What the parts logged last:");
      for (const line of stack.log.slice(-TOLD_OF_LOG)) say(`  ${line}`);
    }
    return {
      seed: options.seed,
      runs,
      faults: tally(plan.map((fault) => fault.kind)),
      seconds: Math.round((performance.now() - began) / 1000),
      statuses: tally(all.map((run) => run.status)),
      attempts: tally(all.map((run) => String(run.attempt))),
      settledAfter,
      ...silent ? { silences: silent } : {},
      wrong,
    };
  } finally {
    await witness?.stop();
    await silences?.stop();
    await stack.stop();
    await Promise.all(links.map((link) => link.stop()));
  }
}

function tally(words: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/**
 * Posts every run, whatever it takes, with the faults in between; returns task id → what the run
 * must answer.
 */
async function postAll(
  site: Site,
  stack: TestStack,
  links: Link[],
  plan: Fault[],
  { runs, seed, say }: FaultOptions,
  silences: Silences | undefined,
): Promise<Map<number, number>> {
  const random = randomNumbers(seed + 1);
  const posted = new Map<number, number>();
  let injecting: Promise<void> = Promise.resolve();
  let due = 0;
  let failure: unknown;
  for (let count = 0; count < runs; count++) {
    while (plan[due] && plan[due]!.afterRuns <= count) {
      // One at a time, with the next share of the runs posted into it.
      await injecting;
      const fault = plan[due]!;
      const number = ++due;
      injecting = (async () => {
        const name = typeof fault.target === "number" ? `node ${fault.target}` : fault.target;
        say(`${posted.size}/${runs} posted; fault ${number}/${plan.length}: ${fault.kind} ${name}`);
        await inject(fault, site, stack, links, silences);
      })().catch((error) => void (failure ??= error));
    }
    const ms = Math.floor(random() * 200);
    const member = site.members[Math.floor(random() * site.members.length)]!;
    const task = {
      name: `fault ${count}-`,
      image: "deno:slow@1.0.0",
      collaboration_id: site.collaborationId,
      organizations: [{ id: member.id, input: encodeInput({ method: "wait", kwargs: { ms } }) }],
      databases: [{ label: "default" }],
    };
    posted.set(await insist(site, task, crypto.randomUUID()), ms);
    if (count % AHEAD === AHEAD - 1) await untilOpen(site, AHEAD);
    if (failure) throw failure;
  }
  await injecting;
  if (failure) throw failure;
  return posted;
}

/** Posts until it is acknowledged; the key sees to it that this makes one task. */
async function insist(site: Site, task: Json, key: string): Promise<number> {
  for (;;) {
    try {
      const headers = { "idempotency-key": key };
      const answer = await within(10_000, site.researcher.request("POST", "/task", task, headers));
      const body = await within(10_000, answer.json());
      if (answer.status === 201) return body.id;
      if (answer.status < 500) throw new Refused(`POST /task: ${answer.status} ${body.msg}`);
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

class Refused extends Error {}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("no answer")), ms);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

/**
 * Waits until there are few open results, so that faults meet work in every state; not for ever.
 */
async function untilOpen(site: Site, few: number): Promise<void> {
  const path = "/run?state=open&per_page=1";
  await waitFor(async () => {
    const answer = await within(5_000, site.researcher.request("GET", path));
    await within(5_000, answer.json());
    return Number(answer.headers.get("total-count")) <= few;
  }, { what: "open results to be few", timeout: 30_000 }).catch(() => {});
}

async function inject(
  { target, kind, ms, afterRuns }: Fault,
  site: Site,
  stack: TestStack,
  links: Link[],
  silences: Silences | undefined,
): Promise<void> {
  const pause = () => new Promise((resolve) => setTimeout(resolve, ms));
  if (target === "primary" || target === "standby") await stack.whole();
  silences?.begin({ target, kind, ms, afterRuns });
  if (kind === "cut off") {
    const join = await cut(target, site, stack, links);
    try {
      await pause();
    } finally {
      await join();
    }
    return;
  }
  const name = await partOf(target, site, stack);
  const part = stack.part(name);
  const isDatabase = target === "primary" || target === "standby";
  if (kind === "kill -9") {
    await (isDatabase ? killDatabaseServer(stack, name) : part.kill9());
    await pause();
    return await part.restart();
  }
  const stopped = family(part.pid);
  if (isDatabase) stopped.push(...family(postmaster(stack, name)));
  for (const pid of stopped) signal(pid, "SIGSTOP");
  await pause();
  for (const pid of stopped) signal(pid, "SIGCONT");
}

/** Cuts off a node or a server of the cluster; returns how to join it to the others again. */
async function cut(
  target: Fault["target"],
  site: Site,
  stack: TestStack,
  links: Link[],
): Promise<() => unknown> {
  if (typeof target !== "number") return await cutOff(stack, await partOf(target, site, stack));
  const link = links[target]!;
  link.cut();
  return link.heal;
}

async function partOf(target: Fault["target"], site: Site, stack: TestStack): Promise<string> {
  if (typeof target === "number") return `node ${site.members[target]!.node}`;
  if (target !== "primary" && target !== "standby") return target;
  const primary = await stack.primary();
  return (primary === "postgres") === (target === "primary") ? "postgres" : "postgres-2";
}

interface Evidence {
  posted: Map<number, number>;
  ran: Map<string, number>;
  witness: Witness;
  wrong: string[];
}

/** Compares what was posted and seen with what the hub says now; returns all runs. */
async function check(
  site: Site,
  { posted, ran, witness, wrong }: Evidence,
): Promise<Json[]> {
  const tasks: Json[] = (await site.researcher.get("/task")).data;
  const runs: Json[] = (await site.researcher.get("/run")).data;
  const results: Json[] = (await site.researcher.get("/result")).data;
  const resultOf = new Map(results.map((one) => [one.id, one.result]));
  const present = new Set(tasks.map((task) => task.id));
  for (const id of posted.keys()) {
    if (!present.has(id)) wrong.push(`task ${id} was acknowledged and is gone`);
  }
  if (tasks.length !== posted.size) {
    wrong.push(`${tasks.length} tasks are there, ${posted.size} were posted`);
  }
  await waitFor(() => runs.every((run) => witness.ends.has(run.id)), {
    what: "the feed",
    timeout: 15_000,
  }).catch(() => {});
  for (const run of runs) {
    const name = `result ${run.id}`;
    if (isOpen(run.status)) {
      wrong.push(`${name} is stuck: ${run.status}, attempt ${run.attempt}`);
      continue;
    }
    const ends = witness.ends.get(run.id) ?? [];
    if (ends.length !== 1) wrong.push(`${name} ended ${ends.length} times: ${ends.join(", ")}`);
    if (run.status === "completed") {
      const { waited } = decodeResult(resultOf.get(run.id)) as { waited: number };
      if (waited !== posted.get(run.task.id)) wrong.push(`${name} has another run's answer`);
    } else if (!/Given up after 3 attempts/.test(run.log)) {
      wrong.push(`${name} ended as ${run.status}: ${run.log}`);
    }
    if (run.status === "completed" && !ran.has(`${run.id}/${run.attempt}`)) {
      wrong.push(`${name} is completed and nobody was seen to run attempt ${run.attempt}`);
    }
  }
  for (const [key, count] of ran) {
    if (count > 1) wrong.push(`result/attempt ${key} ran ${count} times`);
  }
  return runs;
}
