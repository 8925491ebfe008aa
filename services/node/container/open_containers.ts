/**
 * Containers on this machine, if it has an engine: found, cleaned of what earlier agents left, and
 * kept clean.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { type Hub, HubError } from "../hub/hub.ts";
import type { WayOut } from "../hub/way_out.ts";
import type { Journal } from "../record/journal.ts";
import { type Containers, createContainers } from "./containers.ts";
import { createEngine, engineInfo, findEngine, missingLimits, usualSockets } from "./engine.ts";
import type { ContainerOptions } from "./options.ts";

export interface OpenContainersOptions {
  options: ContainerOptions | undefined;
  folder: string;
  journal: Journal;
  hub: Pick<Hub, "request">;
  wayOut: WayOut;
  log: Logger;
  env?: Record<string, string | undefined>;
  /** How often what runs and jobs have left is removed. */
  everyMs?: number;
}

/** `undefined` when the owner wants no containers, or the machine has no engine. */
export async function openContainers(
  { options, folder, journal, hub, wayOut, log, env = Deno.env.toObject(), everyMs = 60_000 }:
    OpenContainersOptions,
): Promise<Containers | undefined> {
  if (!options) return undefined;
  // One that is named may come up later than the agent.
  const engine = await findEngine(options.socket ? [options.socket] : usualSockets(env)) ??
    (options.socket ? createEngine(options.socket) : undefined);
  if (!engine) {
    log.info("There is no container engine here: algorithms in container images cannot run");
    return undefined;
  }
  log.info("Found a container engine", { socket: engine.socket });
  const missing = await engineInfo(engine).then(missingLimits).catch(() => []);
  if (missing.length > 0) log.warn("The engine cannot limit what algorithms use", { missing });
  const containers = await createContainers({
    engine,
    folder,
    agentId: journal.agentId,
    options,
    wayOut,
    log,
  });
  const closing = new AbortController();
  const { signal } = closing;

  /**
   * Removes what runs have left that are not under way: also what an engine that was away could not
   * kill or remove.
   */
  async function cleanUp(): Promise<void> {
    try {
      await containers.cleanUp((name) => journal.open.get(name)?.state === "started");
    } catch (error) {
      log.warn("Cannot remove containers that runs have left", { reason: messageOf(error) });
    }
  }

  async function sweep(): Promise<void> {
    try {
      await containers.sweep(isOver);
    } catch (error) {
      log.warn("Cannot look for temporary folders", { reason: messageOf(error) });
    }
  }

  async function isOver(jobId: number): Promise<boolean> {
    const jobs = [...journal.open.values()].map(({ dispatch }) => dispatch.run_id);
    return !jobs.includes(jobId) && await isOverAtHub(hub, jobId, signal);
  }

  async function keepClean(): Promise<void> {
    while (!signal.aborted) {
      await sweep();
      await delay(everyMs, undefined, { signal, ref: false }).catch(() => {});
      if (!signal.aborted) await cleanUp();
    }
  }

  await cleanUp();
  const cleaning = keepClean();
  return {
    ...containers,
    async close() {
      closing.abort(new Error("closed"));
      await cleaning;
      await containers.close();
    },
  };
}

/**
 * Whether nothing of a job can run any more: all runs of each of its tasks have ended, or it is
 * gone.
 */
async function isOverAtHub(
  hub: Pick<Hub, "request">,
  jobId: number,
  signal: AbortSignal,
): Promise<boolean> {
  // Not the status of a task: one run that failed makes it "failed" while the others go on.
  const schema = z.object({ data: z.array(z.object({ complete: z.boolean() })) });
  try {
    const { data } = await hub.request(`/task?job_id=${jobId}`, schema, { signal });
    return data.every(({ complete }) => complete);
  } catch (error) {
    if (signal.aborted) return false;
    // A filter that names what does not exist is a bad request.
    if (error instanceof HubError) return error.status === 400 || error.status === 404;
    throw error;
  }
}
