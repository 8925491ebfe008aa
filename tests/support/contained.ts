/** Container runs as the agent makes them, without an agent, on a real engine. */
import { type Logger, silentLogger } from "../../shared/service/log.ts";
import type { Outcome, RunHandle } from "../../services/node/run/runtime.ts";
import { type Containers, createContainers } from "../../services/node/container/containers.ts";
import type { Connect } from "../../services/node/container/network/connect.ts";
import type { ContainerOptions } from "../../services/node/container/options.ts";
import type { RunSpec } from "../../services/node/container/run_spec.ts";
import { createEngine } from "../../services/node/container/engine.ts";
import { createWayOut, type WayOut } from "../../services/node/hub/way_out.ts";
import { temporaryFolder } from "../harness.ts";
import { SHELL_IMAGE, type TestEngine } from "./container_engine.ts";

export const LIMITS = { timeoutSeconds: 60, memoryMiB: 64, outputMiB: 1 };
export const OPTIONS: ContainerOptions = {
  socket: undefined,
  limits: { pids: 64, cpus: undefined, diskMiB: 64, logMiB: 1 },
  logins: [],
  requirePull: false,
  pullTimeoutSeconds: 20,
  algorithmEnv: {},
  gpu: false,
  whitelist: undefined,
  services: [],
  tunnels: [],
  runContext: false,
};

export interface ContainersOfTest {
  containers: Containers;
  folder: string;
  imageId: string;
  log: string[];
  /** Another agent with the same folder, after the first has died. */
  again(engineSocket?: string): Promise<Containers>;
  start(
    script: string,
    run?: Partial<RunSpec>,
  ): Promise<RunHandle>;
  /** Runs a script in a container to its end. */
  run(script: string, run?: Partial<RunSpec>): Promise<Outcome & { text: string }>;
}

let runs = 0;
let shellImage: Promise<string> | undefined;

/** Containers of one agent with its own folder; everything is removed at the end. */
export async function withContainers(
  testEngine: TestEngine,
  use: (given: ContainersOfTest) => Promise<void>,
  { connect, wayOut = createWayOut(), socket = testEngine.socket, ...options }:
    & Partial<ContainerOptions>
    & {
      connect?: Connect;
      wayOut?: WayOut;
      /** The engine's, or one in between. */
      socket?: string;
    } = {},
): Promise<void> {
  const folder = await temporaryFolder();
  const log: string[] = [];
  const agentId = crypto.randomUUID();
  const note = (message: string, fields: unknown) =>
    void log.push(`${message} ${Deno.inspect(fields)}`);
  const logger: Logger = { ...silentLogger, warn: note, error: note, with: () => logger };
  const all: Containers[] = [];
  async function again(engineSocket = socket) {
    const containers = await createContainers({
      engine: createEngine(engineSocket),
      folder: folder.path,
      agentId,
      options: { ...OPTIONS, ...options },
      ...(connect ? { connect } : {}),
      wayOut,
      log: logger,
    });
    all.push(containers);
    return containers;
  }
  const containers = await again();
  const { signal } = new AbortController();
  // Once for all: a pull that fails takes seconds.
  const imageId =
    await (shellImage ??= containers.images.get(SHELL_IMAGE, { signal }).then(({ id }) => id));
  function start(script: string, run: Partial<RunSpec> = {}) {
    const number = ++runs;
    return containers.start({
      name: `${number}-1`,
      resultId: number,
      jobId: number,
      imageId,
      context: {
        nodeId: 7,
        taskId: 1,
        collaborationId: 2,
        method: "m",
        args: [1],
        kwargs: { a: 2 },
      },
      input: new TextEncoder().encode(script),
      databases: [],
      labels: [],
      targets: [],
      limits: LIMITS,
      onLog() {},
      token: "a.b.c",
      serve: () => new Response("from the proxy\n"),
      ...run,
    });
  }
  try {
    await use({
      containers,
      folder: folder.path,
      imageId,
      log,
      again,
      start,
      async run(script, run) {
        const outcome = await (await start(script, run)).done;
        const text = await textOf(outcome);
        await outcome.release?.();
        return { ...outcome, text };
      },
    });
    await all.at(-1)!.cleanUp(() => false);
  } catch (error) {
    console.log(log.join("\n"));
    throw error;
  } finally {
    for (const one of all) await one.close().catch(() => {});
    await folder.remove();
  }
}

/** The result of a run that has not been released yet. */
export async function textOf({ result }: Outcome): Promise<string> {
  return result ? await Deno.readTextFile(result.path) : "";
}
