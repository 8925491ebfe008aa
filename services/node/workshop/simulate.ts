/**
 * A task on one machine without a hub: the real sandbox, the owner's rules, and sites that are
 * files.
 * @module
 */
import type { Logger } from "../../../shared/service/log.ts";
import type { SandboxDatabase } from "../data/databases.ts";
import { type Exit, OPEN_EXIT } from "../disclosure/exit.ts";
import type { Exits } from "../disclosure/exits.ts";
import { decideCall } from "../policy/decide_call.ts";
import { decideTask } from "../policy/decide_task.ts";
import { decideAll, type Policy } from "../policy/policy.ts";
import type { ResolvedAlgorithm } from "../run/algorithm_store.ts";
import { type Call, callSchema } from "../run/call.ts";
import { CannotStart } from "../run/cannot_start.ts";
import type { Outcome, RunLimits } from "../run/runtime.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { CLOSED_CLIENT, type SubtaskClient } from "../subtasks/sandbox_client.ts";
import { MOST_MIB } from "../subtasks/subtasks.ts";

/** An organization with its node; ids count from 1. */
export interface Site {
  name: string;
  databases: SandboxDatabase[];
}

/** Something that left a site, as the hub would have got it before encryption. */
export interface Message {
  from: string;
  /** The site whose run asked for it; undefined for the researcher. */
  to: string | undefined;
  what: "result" | "subtask";
  method: string;
  /** Bytes of its JSON. */
  bytes: number;
  content: unknown;
}

/** One run of one method at one site. */
export interface SimulatedRun {
  site: string;
  method: string;
  status: Outcome["status"] | "not allowed";
  /** Why it did not complete. */
  reason: string | null;
  log: string;
  seconds: number;
}

/** A subtask, from its creation until its last run ended. */
export interface Round {
  name: string;
  method: string;
  sites: string[];
  seconds: number;
}

/** What became of a task. */
export interface Simulation {
  /** The run that was asked for first; then those of its subtasks, as they were asked for. */
  runs: [SimulatedRun, ...SimulatedRun[]];
  /** What the task's own run returned; undefined when it did not complete. */
  result: unknown;
  rounds: Round[];
  messages: Message[];
}

export interface SimulateOptions {
  sandbox: Pick<Sandbox, "start">;
  /** The algorithm's file, what people call it, and how tasks refer to it. */
  algorithm: { name: string; path: string; image: string } & Partial<ResolvedAlgorithm>;
  /** At least one; the first executes the task's own run. */
  sites: readonly Site[];
  /** The rules of every site. */
  policy: Policy;
  /** What may leave each site, which is named last: everything unless given. */
  exits?: ExitsOfSites;
  limits: RunLimits;
  log: Logger;
  /** Ends everything that runs. */
  signal: AbortSignal;
}

export interface ExitsOfSites {
  ofSandbox(...asked: [...Parameters<Exits["ofSandbox"]>, site: Site]): Promise<Exit>;
}

interface Ended {
  run: SimulatedRun;
  result: unknown;
}

const OPEN_EXITS: ExitsOfSites = { ofSandbox: () => Promise.resolve(OPEN_EXIT) };

/** The person who asks, to the owner's rules. */
const CALLER = { id: 1, name: "you" };

/** Executes `call` at the first site, and its subtasks where it asks for them. */
export async function simulate(
  call: Call,
  { sandbox, algorithm, sites, policy, exits = OPEN_EXITS, limits, signal }: SimulateOptions,
): Promise<Simulation> {
  const runs: SimulatedRun[] = [];
  const rounds: Round[] = [];
  const messages: Message[] = [];
  const tasks = new Map<number, { maker: number; runs: Promise<Ended>[]; sites: number[] }>();

  function siteOf(id: number): Site {
    const site = sites[id - 1];
    if (site) return site;
    throw new Error(`There is no organization ${id} here; there are 1 to ${sites.length}.`);
  }

  function send(message: Omit<Message, "bytes">) {
    const bytes = new TextEncoder().encode(JSON.stringify(message.content)).length;
    messages.push({ ...message, bytes });
  }

  function decide(call: Call, site: Site, organizations: number) {
    const { image } = algorithm;
    const databases = site.databases.map(({ label }) => label);
    return decideAll(
      () => decideTask({ image, user: CALLER, organization: CALLER, databases }, policy),
      () => decideCall({ image, organizations, ...call }, policy),
    );
  }

  async function execute(
    call: Call,
    { task, at, to, organizations }: {
      task: number;
      at: number;
      to: string | undefined;
      organizations: number;
    },
  ): Promise<Ended> {
    const site = siteOf(at);
    const run: SimulatedRun = {
      site: site.name,
      method: call.method,
      status: "not allowed",
      reason: null,
      log: "",
      seconds: 0,
    };
    const number = runs.push(run);
    const decision = decide(call, site, organizations);
    if (!decision.allowed) {
      run.reason = decision.reason;
      return { run, result: undefined };
    }
    const began = performance.now();
    let exit: Exit;
    try {
      const { image } = algorithm;
      const asked = { image, call, isSubtask: number > 1 };
      exit = await exits.ofSandbox({ code: "", ...algorithm }, asked, site);
    } catch (error) {
      if (!(error instanceof CannotStart)) throw error;
      run.reason = error.message;
      return { run, result: undefined };
    }
    const client = clientOf(number, at);
    const handle = await sandbox.start({
      name: `try-${number}-${crypto.randomUUID().slice(0, 8)}`,
      algorithm,
      input: call,
      databases: exit.access === "none" ? [] : site.databases,
      access: exit.access,
      words: exit.words,
      knownRows: exit.knownRows,
      place: {
        organization: { id: at, name: site.name },
        node: { id: at, name: site.name },
        task: { id: task, runId: 1 },
        settings: {},
        disclosure: exit.rules,
      },
      allowWhere: policy.allowWhere,
      limits,
      onLog() {},
      client: exit.maySend ? client : CLOSED_CLIENT,
    });
    const kill = () => void handle.kill();
    signal.addEventListener("abort", kill, { once: true });
    if (signal.aborted) kill();
    const { status, reason, log, result: made, release } = await handle.done;
    signal.removeEventListener("abort", kill);
    run.seconds = (performance.now() - began) / 1000;
    Object.assign(run, { status, reason, log });
    const decided = made ? await exit.decide(made) : undefined;
    const file = decided?.is === "released" ? decided.result : null;
    if (decided && decided.is !== "released") {
      Object.assign(run, { status: "not allowed", reason: decided.reason });
    }
    const result = file ? JSON.parse(await Deno.readTextFile(file.path)) : undefined;
    if (file && file !== made) await Deno.remove(file.path).catch(() => {});
    await release?.();
    if (file) send({ from: site.name, to, what: "result", method: call.method, content: result });
    return { run, result };
  }

  /** What the run of this number, at this organization, may ask for. */
  function clientOf(number: number, at: number): SubtaskClient {
    return {
      organizations: () =>
        Promise.resolve(sites.map(({ name }, index) => ({ id: index + 1, name }))),
      createTask({ organizations, input, name = "subtask" }) {
        const call = callSchema.parse(JSON.parse(new TextDecoder().decode(input)));
        const maker = siteOf(at).name;
        const asked = organizations.map((id) => ({ id, name: siteOf(id).name }));
        for (const site of asked) {
          if (site.id === at) continue;
          send({ from: maker, to: site.name, what: "subtask", method: call.method, content: call });
        }
        const began = performance.now();
        const task = tasks.size + 2; // the first is the task itself
        const under = asked.map(({ id }) =>
          execute(call, { task, at: id, to: maker, organizations: asked.length })
        );
        const round = {
          name,
          method: call.method,
          sites: asked.map(({ name }) => name),
          seconds: 0,
        };
        rounds.push(round);
        Promise.allSettled(under).then(() => {
          round.seconds = (performance.now() - began) / 1000;
        });
        tasks.set(task, { maker: number, runs: under, sites: organizations });
        return Promise.resolve({ id: task });
      },
      async results(id, { failed: whatOfFailed = "throw" } = {}) {
        const task = tasks.get(id);
        if (task?.maker !== number) {
          throw new Error(`Task ${id} is not a subtask that this run created.`);
        }
        const ended = await Promise.all(task.runs);
        const failed = ended.filter(({ run }) => run.status !== "completed");
        if (failed.length > 0 && whatOfFailed === "throw") {
          throw new Error(explain(id, failed.map(({ run }) => run)));
        }
        const results = ended.map(({ run: { status, reason }, result }, index) => ({
          organization_id: task.sites[index]!,
          status,
          result: result ?? null,
          ...(status === "completed" ? {} : { reason: reason ?? "" }),
        }));
        if (JSON.stringify(results).length > MOST_MIB * 2 ** 20) {
          throw new Error(
            `The results of subtask ${id} are larger than the ${MOST_MIB} MiB that an algorithm gets at once.`,
          );
        }
        return results.sort((one, other) => one.organization_id - other.organization_id);
      },
    };
  }

  const { result } = await execute(call, { task: 1, at: 1, to: undefined, organizations: 1 });
  await Promise.allSettled([...tasks.values()].flatMap((task) => task.runs));
  return { runs: runs as Simulation["runs"], result, rounds, messages };
}

function explain(id: number, failed: SimulatedRun[]): string {
  const parts = failed.map(({ site, status, reason }) =>
    `${site}: ${status}${reason ? ` (${reason.split("\n")[0]})` : ""}`
  );
  return `Subtask ${id} did not complete. ${parts.join("; ")}`;
}
