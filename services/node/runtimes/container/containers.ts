/**
 * Runs algorithms as containers of Docker or Podman, over the engine's socket: the field's published images, unmodified.
 *
 * A container outlives the agent. What is needed to take it up again lies in its labels and in its folder, and it is
 * removed only when its outcome is in the journal.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { z } from "zod";
import { messageOf } from "../../../../shared/errors.ts";
import type { Logger } from "../../../../shared/log.ts";
import type { ContentFile } from "../../pieces.ts";
import type { Outcome, OutcomeStatus, RunHandle, RunLimits } from "../runtime.ts";
import { type ContainerLimits, createBody } from "./container_spec.ts";
import { type Engine, EngineError, engineInfo } from "./engine.ts";
import { buildEnvironment, EnvironmentError } from "./environment.ts";
import { createImages, type Images, type RegistryLogin } from "./image.ts";
import { type DatabaseSource, type Mount, openPlaces, type Place, PlaceError } from "./place.ts";
import { type Relay, RELAY_PORT, startRelay } from "./relay_process.ts";
import { stateSchema, supervise } from "./supervise.ts";

const AGENT_LABEL = "sextant.agent";
const RUN_LABEL = "sextant.run";
const TEMPORARY_FOLDER = "/mnt/tmp";

/** What of the node's configuration concerns containers. */
export interface ContainerOptions {
  /** The engine's socket; the usual places are tried unless it is given. */
  socket: string | undefined;
  limits: ContainerLimits;
  logins: readonly RegistryLogin[];
  requirePull: boolean;
  pullTimeoutSeconds: number;
  algorithmEnv: Readonly<Record<string, string>>;
  gpu: boolean;
}

/** One run to execute. */
export interface ContainerRun {
  /** Letters, digits and `-`, unique among the runs of this agent. */
  name: string;
  resultId: number;
  /** Shared by a task and all its descendants. */
  jobId: number;
  /** From {@linkcode Images.get}. */
  imageId: string;
  /** The input's very bytes, or the file that they lie in, which is taken. */
  input: Uint8Array | ContentFile;
  databases: DatabaseSource[];
  /** Labels of all databases of the node. */
  labels: string[];
  limits: RunLimits;
  onLog: (lines: string[]) => void;
  token: string;
  serve: Serve;
}

/** Answers what a run asks of its proxy. `place` is where the proxy may remember things. */
export type Serve = (
  request: Request,
  context: { completed: Promise<void> },
) => Response | Promise<Response>;

export interface Adoption {
  jobId: number;
  limits: RunLimits;
  onLog: (lines: string[]) => void;
  serve: (token: string) => Serve;
}

export interface Containers {
  readonly images: Images;
  /** The place of a run, which is there while the run is. */
  place(name: string): Place;
  /** Starts a run. What is wrong with the run itself is its outcome, not a rejection. */
  start(run: ContainerRun): Promise<RunHandle>;
  /** Takes up the container of a run that was started before this agent was; `undefined` when there is none. */
  reattach(name: string, adoption: Adoption): Promise<RunHandle | undefined>;
  /** Removes every container and folder of this agent whose run is not in `keep`. */
  cleanUp(keep: (name: string) => boolean): Promise<void>;
  /** Removes the temporary folders of jobs that are over. */
  sweep(isOver: (jobId: number) => Promise<boolean>): Promise<void>;
  close(): Promise<void>;
}

export interface CreateContainersOptions {
  engine: Engine;
  /** The agent's data folder. */
  folder: string;
  agentId: string;
  options: ContainerOptions;
  log: Logger;
}

export async function createContainers(
  { engine, folder, agentId, options, log }: CreateContainersOptions,
): Promise<Containers> {
  const places = await openPlaces(join(folder, "containers"));
  // Not in the data folder: the path of a socket has at most 107 characters.
  const sockets = await Deno.makeTempDir({ prefix: "sx-" });
  const images = createImages({
    engine,
    logins: options.logins,
    requirePull: options.requirePull,
    timeoutSeconds: options.pullTimeoutSeconds,
    log,
  });
  const relays = new Set<Relay>();
  const closed = new AbortController();
  const busyJobs = new Map<number, number>();

  async function create(run: ContainerRun, place: Place, temporary: string): Promise<string> {
    const own = `/mnt/data/task-${String(run.resultId).padStart(9, "0")}`;
    const handed = [];
    for (const database of run.databases) handed.push(await places.hand(run.name, database));
    const mounts: Mount[] = [
      { source: place.io, target: own, readOnly: false },
      { source: temporary, target: TEMPORARY_FOLDER, readOnly: false },
      ...handed.flatMap(({ mount }) => mount ? [mount] : []),
    ];
    const body = createBody({
      image: run.imageId,
      env: buildEnvironment({
        folder: own,
        temporaryFolder: TEMPORARY_FOLDER,
        proxy: { host: "http://127.0.0.1", port: RELAY_PORT },
        databases: handed.map(({ database }) => database),
        labels: run.labels,
        extra: options.algorithmEnv,
      }),
      mounts,
      labels: { [AGENT_LABEL]: agentId, [RUN_LABEL]: run.name, "vantage6-type": "algorithm" },
      limits: { ...options.limits, ...run.limits },
      gpu: options.gpu,
    }, await engineInfo(engine));
    const name = `sextant-${agentId.slice(0, 8)}-${run.name}`;
    for (const id of await containersOf(run.name)) await removeContainer(id);
    const created = await engine.json(
      "POST",
      `/containers/create?name=${name}`,
      z.object({ Id: z.string() }),
      { body },
    );
    return created.Id;
  }

  /** Starts a created container, and once again when the engine stumbles. */
  async function startContainer(id: string): Promise<void> {
    try {
      await engine.done("POST", `/containers/${id}/start`);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      log.warn("Cannot start a container; trying once more", { reason: error.message });
      await delay(1000);
      await engine.done("POST", `/containers/${id}/start`);
    }
  }

  /** Connects a started container with its proxy and watches it. */
  async function takeUp(
    id: string,
    name: string,
    { jobId, limits, onLog, serve }: Omit<Adoption, "serve"> & { serve: Serve },
  ): Promise<RunHandle> {
    const { State } = await engine.json("GET", `/containers/${id}/json`, stateSchema);
    const socket = join(sockets, `${name}.sock`);
    const server = Deno.serve({ path: socket, onListen() {}, onError: failed }, serve);
    let relay: Relay | undefined;
    let over = false;
    const place = places.find(name);
    const temporary = await places.temporary(jobId);
    busyJobs.set(jobId, (busyJobs.get(jobId) ?? 0) + 1);
    const handle = supervise({
      engine,
      id,
      place,
      temporary,
      limits: { ...options.limits, ...limits },
      startedAt: Date.parse(State.StartedAt) || Date.now(),
      onLog,
      log,
      signal: closed.signal,
      async onEnd() {
        over = true;
        relay?.stop();
        if (relay) relays.delete(relay);
        busyJobs.set(jobId, busyJobs.get(jobId)! - 1);
        await server.shutdown().catch(() => {});
        await Deno.remove(socket).catch(() => {});
      },
      async release() {
        await removeContainer(id);
        await places.remove(name);
      },
    });
    if (State.Running && State.Pid > 0) {
      try {
        relay = await startRelay(State.Pid, socket);
        relays.add(relay);
        if (over) relay.stop();
      } catch (error) {
        // One that has ended already has no network to enter.
        if (!await isAlive(State.Pid) || !await runs(id)) return handle;
        log.error("Cannot connect a container with its proxy", { reason: messageOf(error) });
        await handle.kill();
        const { release } = await handle.done;
        const reason =
          "The node could not connect the container with its proxy; its own log says why.";
        return endedAtOnce({ status: "start failed", reason, release });
      }
    }
    return handle;
  }

  async function runs(id: string): Promise<boolean> {
    const state = await engine.json("GET", `/containers/${id}/json`, stateSchema).catch(() => {});
    return state?.State.Running ?? false;
  }

  function failed(error: unknown): Response {
    log.error("The algorithm proxy failed", { error });
    return Response.json({ msg: "Request failed, see node logs" }, { status: 500 });
  }

  async function containersOf(name?: string): Promise<string[]> {
    const label = [`${AGENT_LABEL}=${agentId}`, ...(name ? [`${RUN_LABEL}=${name}`] : [])];
    return (await list(label)).map(({ Id }) => Id);
  }

  function list(label: string[]) {
    const filters = encodeURIComponent(JSON.stringify({ label }));
    const schema = z.array(z.object({
      Id: z.string(),
      Labels: z.record(z.string(), z.string()).nullable(),
    }));
    return engine.json("GET", `/containers/json?all=true&filters=${filters}`, schema);
  }

  /** The engine may be slow to see that a container has ended; what cannot be removed goes at the next start. */
  async function removeContainer(id: string): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        return await engine.done("DELETE", `/containers/${id}?force=true&v=true`);
      } catch (error) {
        if (error instanceof EngineError && error.status === 404) return;
        if (tries === 10) {
          return log.warn("Cannot remove a container", { container: id, reason: messageOf(error) });
        }
        await delay(100 * tries);
      }
    }
  }

  return {
    images,
    place: places.find,

    async start(run) {
      let id: string | undefined;
      try {
        const place = await places.make(run.name, run);
        id = await create(run, place, await places.temporary(run.jobId));
        await startContainer(id);
        return await takeUp(id, run.name, run);
      } catch (error) {
        if (id) await removeContainer(id);
        await places.remove(run.name);
        return endedAtOnce(explain(error));
      }
    },

    async reattach(name, adoption) {
      const [id] = await containersOf(name);
      if (id === undefined) return undefined;
      const token = await places.token(name).catch(() => undefined);
      if (token === undefined) return undefined;
      const { State } = await engine.json("GET", `/containers/${id}/json`, stateSchema);
      // The agent died between making it and starting it.
      if (State.Status === "created") await engine.done("POST", `/containers/${id}/start`);
      return await takeUp(id, name, { ...adoption, serve: adoption.serve(token) });
    },

    async cleanUp(keep) {
      for (const { Id, Labels } of await list([`${AGENT_LABEL}=${agentId}`])) {
        if (!keep(Labels?.[RUN_LABEL] ?? "")) await removeContainer(Id);
      }
      for (const name of await places.runs()) if (!keep(name)) await places.remove(name);
    },

    async sweep(isOver) {
      for (const job of await places.jobs()) {
        if (busyJobs.get(job) || !await isOver(job)) continue;
        if (!busyJobs.get(job)) await places.removeTemporary(job);
      }
    },

    async close() {
      closed.abort(new Error("closed"));
      for (const relay of relays) relay.stop();
      await Deno.remove(sockets, { recursive: true }).catch(() => {});
      engine.close();
    },
  };

  function explain(error: unknown): { status: OutcomeStatus; reason: string } {
    if (error instanceof EnvironmentError || error instanceof PlaceError) {
      return { status: "start failed", reason: error.message };
    }
    log.error("Cannot start a container", { error });
    const words = error instanceof EngineError && error.status !== undefined
      ? error.message.replaceAll(folder, "…").slice(0, 1000)
      : "its own log says why";
    return { status: "start failed", reason: `The node could not start the container: ${words}` };
  }
}

/** The engine may not have noticed yet. */
function isAlive(pid: number): Promise<boolean> {
  return Deno.stat(`/proc/${pid}/ns`).then(() => true, () => false);
}

/** A run that has ended before it could begin. */
function endedAtOnce(
  end: Pick<Outcome, "status" | "reason"> & Pick<Partial<Outcome>, "release">,
): RunHandle {
  const outcome: Outcome = { result: null, log: "", ...end };
  return { done: Promise.resolve(outcome), kill: () => Promise.resolve() };
}
