/**
 * Runs algorithms as containers of Docker or Podman, over the engine's socket: v6's published
 * images, unmodified.
 *
 * A container outlives the agent. What is needed to take it up again lies in its labels and in its
 * folder, and it is removed only when its outcome is in the journal.
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { WayOut } from "../hub/way_out.ts";
import { endedAtOnce } from "../run/outcome.ts";
import type { RunHandle } from "../run/runtime.ts";
import { createAgentContainers } from "./agent_containers.ts";
import { createDiskCounter } from "./disk.ts";
import { type About, aboutEngine, type Engine, EngineError } from "./engine.ts";
import { EnvironmentError } from "./environment.ts";
import { GpuError } from "./gpu.ts";
import { createImages, type Images } from "./image.ts";
import { openJobFolders } from "./job_folders.ts";
import { openCommonTargets } from "./network/common_targets.ts";
import type { Connect } from "./network/connect.ts";
import type { ContainerNetwork } from "./network/container_network.ts";
import { createNetworks } from "./network/networks.ts";
import { planRoutes, routesTo } from "./network/routes.ts";
import type { ContainerOptions } from "./options.ts";
import { prepareContainer } from "./prepare_container.ts";
import { openRunFolders, type RunFolder, RunFolderError } from "./run_folder.ts";
import type { RunSpec, TakenUpRun } from "./run_spec.ts";
import { createSocketFolder } from "./socket_folder.ts";
import { hasRun, startOnce } from "./start_once.ts";
import { connectEarly, takeUp } from "./take_up.ts";

/** How long an engine may take over a start that an earlier agent has asked for. */
const START_MS = 5000;

export interface Containers {
  readonly images: Images;
  /** The folder of a run, which is there while the run is. */
  folderOf(name: string): RunFolder;
  /** Starts a run. What is wrong with the run itself is its outcome, not a rejection. */
  start(run: RunSpec): Promise<RunHandle>;
  /**
   * Takes up the container of a run that was started before this agent was; `undefined`, and
   * nothing left of it, when it did not run. Rejects when the engine does not tell.
   */
  reattach(run: TakenUpRun): Promise<RunHandle | undefined>;
  /** Removes every container and folder of this agent whose run is not in `keep`. */
  cleanUp(keep: (name: string) => boolean): Promise<void>;
  /**
   * Removes the temporary folders of jobs that are over, and containers that could not be removed
   * before; what stays is tried again with the next call.
   */
  sweep(isOver: (jobId: number) => Promise<boolean>): Promise<void>;
  close(): Promise<void>;
}

export interface CreateContainersOptions {
  engine: Engine;
  /** The agent's data folder. */
  folder: string;
  agentId: string;
  options: ContainerOptions;
  connect?: Connect;
  /** How containers reach the web, as far as they may. */
  wayOut: WayOut;
  log: Logger;
}

/** Rejects when a folder cannot be made, or no program for an SSH tunnel be started. */
export async function createContainers(
  { engine, folder, agentId, options, connect, wayOut, log }: CreateContainersOptions,
): Promise<Containers> {
  const home = await createHome(folder);
  const runFolders = await openRunFolders(join(home, "runs"), log);
  const jobFolders = await openJobFolders(join(home, "tmp"), log);
  const sockets = await createSocketFolder(join(home, "sockets"));
  const images = createImages({ ...options, engine, log });
  const common = await openCommonTargets({ ...options, engine, folder: sockets, connect, log });
  const own = createAgentContainers({ engine, agentId, log });
  const { whitelist, limits } = options;
  const networks = createNetworks({
    folder: sockets,
    whitelist,
    wayOut,
    connect: common.connect,
    log,
  });
  const closed = new AbortController();
  const about = askOnce(() => aboutEngine(engine));
  const takeUpTools = {
    engine,
    runFolders,
    jobFolders,
    disk: createDiskCounter(engine),
    limits,
    log,
    signal: closed.signal,
    closeNetwork: networks.close,
    remove,
  };

  /** Removes what there is of a run. */
  async function remove(name: string, id: string | undefined): Promise<void> {
    if (id !== undefined) await own.remove(id);
    await runFolders.remove(name);
  }

  return {
    images,
    folderOf: runFolders.of,

    async start(run) {
      let id: string | undefined;
      let network: ContainerNetwork | undefined;
      try {
        const runFolder = await runFolders.create(run.name, run);
        const routes = planRoutes([...run.targets, ...await common.list()]);
        const request = await prepareContainer(run, {
          about: await about(),
          options,
          runFolders,
          runFolder,
          temporary: await jobFolders.of(run.jobId),
          routes,
          labels: own.labels(run.name, routes),
        });
        id = await own.create(run.name, request);
        network = await networks.open(run.name, run.serve, routes);
        if ((await about()).podman) await connectEarly(engine, { id, network });
        await startOnce({ engine, id, log });
        return await takeUp({ id, run, network }, takeUpTools);
      } catch (error) {
        if (network) await networks.close(network);
        await remove(run.name, id);
        return endedAtOnce({ status: "start failed", reason: explain(error, { folder, log }) });
      }
    },

    async reattach({ serve, targets, ...run }) {
      const id = await own.find(run.name);
      const token = await runFolders.token(run.name).catch(() => undefined);
      if (id === undefined || token === undefined || !await ranOnce(engine, id)) {
        await remove(run.name, id);
        return undefined;
      }
      const allowed = [...targets, ...await common.list()];
      const routes = routesTo(allowed, await own.routesOf(id));
      const network = await networks.open(run.name, serve(token), routes);
      try {
        return await takeUp({ id, run, network }, takeUpTools);
      } catch (error) {
        // Or nobody could try again: its sockets would be taken.
        await networks.close(network);
        throw error;
      }
    },

    async cleanUp(keep) {
      for (const { id, run } of await own.list()) if (!keep(run)) await own.remove(id);
      for (const name of await runFolders.list()) if (!keep(name)) await runFolders.remove(name);
    },

    async sweep(isOver) {
      await own.removeRest();
      await jobFolders.sweep(isOver);
    },

    async close() {
      closed.abort(new Error("closed"));
      await networks.closeAll();
      await common.close();
      await Deno.remove(sockets, { recursive: true }).catch(() => {});
    },
  };
}

/**
 * Whether a container was started by an agent that died about when it asked for that. Who asks
 * again may be the second to do so, and what the first one started may have ended in between: an
 * attempt that is lost can be made anew, one made twice cannot be unmade.
 */
function ranOnce(engine: Engine, id: string): Promise<boolean> {
  return hasRun(engine, id, START_MS);
}

/** The folder of all files of containers, which is the agent's alone. */
async function createHome(dataFolder: string): Promise<string> {
  const home = join(dataFolder, "containers");
  await Deno.mkdir(home, { recursive: true, mode: 0o700 });
  await Deno.chmod(home, 0o700);
  return home;
}

/** What the engine says of itself is asked once: another engine means another agent. */
function askOnce(ask: () => Promise<About>): () => Promise<About> {
  let known: Promise<About> | undefined;
  return function about() {
    known ??= ask().catch((error) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}

/**
 * Why a container did not start, for the researcher; what only the owner should read is for the
 * log.
 */
function explain(error: unknown, { folder, log }: { folder: string; log: Logger }): string {
  if ([EnvironmentError, RunFolderError, GpuError].some((kind) => error instanceof kind)) {
    return messageOf(error);
  }
  log.error("Cannot start a container", { error });
  const words = error instanceof EngineError && error.status !== undefined
    ? error.message.replaceAll(folder, "…").slice(0, 1000)
    : "its own log says why";
  return `The node could not start the container: ${words}`;
}
