/**
 * Takes up a container that has been started: watches it to its end, and connects it with what it
 * may reach.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { endedAtOnce } from "../run/outcome.ts";
import type { RunHandle } from "../run/runtime.ts";
import { isAlive, stateOf } from "./container_state.ts";
import type { ContainerLimits } from "./create_request.ts";
import type { DiskCounter } from "./disk.ts";
import { type Engine, EngineError } from "./engine.ts";
import type { JobFolders } from "./job_folders.ts";
import type { ContainerNetwork } from "./network/container_network.ts";
import type { RunFolders } from "./run_folder.ts";
import type { RunSpec } from "./run_spec.ts";
import { supervise } from "./supervise.ts";

export interface TakeUpTools {
  engine: Engine;
  runFolders: RunFolders;
  jobFolders: JobFolders;
  disk: DiskCounter;
  limits: ContainerLimits;
  log: Logger;
  /** Gives up watching. */
  signal: AbortSignal;
  closeNetwork: (network: ContainerNetwork) => Promise<void>;
  /** Removes a run's container and folder. */
  remove: (name: string, id: string) => Promise<void>;
}

export interface StartedContainer {
  id: string;
  run: Pick<RunSpec, "name" | "jobId" | "limits" | "onLog">;
  /** Closed when the container has ended. */
  network: ContainerNetwork;
}

/** Rejects when the engine cannot tell of the container; its network is open still then. */
export async function takeUp(
  { id, run, network }: StartedContainer,
  { engine, runFolders, jobFolders, disk, limits, log, signal, closeNetwork, remove }: TakeUpTools,
): Promise<RunHandle> {
  const { name, jobId, onLog } = run;
  const state = await stateOf(engine, id);
  const temporary = await jobFolders.of(jobId);
  const letGo = jobFolders.hold(jobId);
  const handle = supervise({
    engine,
    id,
    disk,
    pid: state.Pid,
    runFolder: runFolders.of(name),
    temporary,
    limits: { ...limits, ...run.limits },
    startedAt: Date.parse(state.StartedAt) || Date.now(),
    onLog,
    log,
    signal,
    async onEnd() {
      letGo();
      await closeNetwork(network);
    },
    release: () => remove(name, id),
  });
  if (network.connected || !state.Running || state.Pid === 0) return handle;
  try {
    await network.connect(state.Pid);
    return handle;
  } catch (error) {
    // One that has ended already has no network to enter.
    if (!await isAlive(state.Pid) || !await isRunning(engine, id)) return handle;
    log.error("Cannot connect a container with its proxy", { reason: messageOf(error) });
    await handle.kill();
    const { release } = await handle.done;
    return endedAtOnce({
      status: "start failed",
      reason: "The node could not connect the container with its proxy; its own log says why.",
      release,
    });
  }
}

/**
 * Connects a container that has not started: with Podman, all that a program reaches is there
 * before the program begins.
 */
export async function connectEarly(
  engine: Engine,
  { id, network }: Pick<StartedContainer, "id" | "network">,
): Promise<void> {
  try {
    await engine.done("POST", `/containers/${id}/init`, { podman: true });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return; // the start will tell what is wrong
  }
  const { Pid } = await stateOf(engine, id);
  if (Pid > 0) await network.connect(Pid);
}

async function isRunning(engine: Engine, id: string): Promise<boolean> {
  return (await stateOf(engine, id).catch(() => undefined))?.Running ?? false;
}
