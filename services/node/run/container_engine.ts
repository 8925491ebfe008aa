/**
 * Containers on this machine, if it has an engine: found, cleaned of what earlier agents left, and kept clean.
 * @module
 */
import { z } from "zod";
import { messageOf } from "../../../shared/errors.ts";
import type { Logger } from "../../../shared/log.ts";
import { type Hub, HubError } from "../hub/hub.ts";
import type { Journal } from "../record/journal.ts";
import {
  type ContainerOptions,
  type Containers,
  createContainers,
} from "../runtimes/container/containers.ts";
import {
  createEngine,
  engineInfo,
  findEngine,
  missingLimits,
  usualSockets,
} from "../runtimes/container/engine.ts";

const SWEEP_MS = 60_000;
const OPEN = ["pending", "initializing", "active"];

export interface OpenContainersOptions {
  options: ContainerOptions | undefined;
  folder: string;
  journal: Journal;
  hub: Hub;
  log: Logger;
  env?: Record<string, string | undefined>;
}

/** Containers for the runner, or `undefined` when the owner wants none or the machine has no engine. */
export async function openContainers(
  { options, folder, journal, hub, log, env = Deno.env.toObject() }: OpenContainersOptions,
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
    log,
  });
  const states = new Map([...journal.open].map(([name, { state }]) => [name, state]));
  await containers.cleanUp((name) => states.get(name) === "started").catch((error) =>
    log.warn("Cannot look for containers of an earlier time", { reason: messageOf(error) })
  );

  const sweep = () =>
    containers.sweep((jobId) => isOver(hub, jobId)).catch((error) =>
      log.warn("Cannot remove temporary folders", { reason: messageOf(error) })
    );
  let sweeping = sweep();
  const timer = setInterval(() => sweeping = sweep(), SWEEP_MS);
  Deno.unrefTimer(timer);
  return {
    ...containers,
    async close() {
      clearInterval(timer);
      await sweeping;
      await containers.close();
    },
  };
}

/** Whether nothing of a job can run any more: every task of it has ended, or is gone. */
async function isOver(hub: Hub, jobId: number): Promise<boolean> {
  const schema = z.object({ data: z.array(z.object({ status: z.string() })) });
  try {
    const { data } = await hub.request(`/task?job_id=${jobId}`, schema);
    return data.every(({ status }) => !OPEN.includes(status));
  } catch (error) {
    if (error instanceof HubError) return error.status === 404;
    throw error;
  }
}
