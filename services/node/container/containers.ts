/**
 * Runs algorithms as containers of Docker or Podman, over the engine's socket: the field's published images, unmodified.
 *
 * A container outlives the agent. What is needed to take it up again lies in its labels and in its folder, and it is
 * removed only when its outcome is in the journal.
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Outcome, OutcomeStatus, RunHandle, RunLimits } from "../run/runtime.ts";
import { type About, aboutEngine, type Engine, EngineError } from "./engine.ts";
import { createDiskCounter } from "./disk.ts";
import { EnvironmentError } from "./environment.ts";
import { GpuError } from "./gpu.ts";
import { createImages, type Images } from "./image.ts";
import { type Connect, type Link, openLink, type Serve } from "./network/ways_out.ts";
import { describeContainer } from "./create_container.ts";
import type { ContainerOptions, ContainerRun } from "./options.ts";
import { ownContainers } from "./own_containers.ts";
import { openPlaces, type Place, PlaceError } from "./run_folder.ts";
import { planReach, type Target, type Way, within } from "./network/addresses.ts";
import { hasRun, startOnce } from "./start.ts";
import { isAlive, stateOf, supervise } from "./supervise.ts";
import { openSurroundings } from "./surroundings.ts";

/** How long an engine may take over a start that an earlier agent has asked for. */
const START_MS = 5000;

export interface Adoption {
  jobId: number;
  /** What the owner lets the run reach now. */
  reach: readonly Target[];
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
  /**
   * Removes the temporary folders of jobs that are over, and containers that could not be removed before; what stays is
   * tried again with the next call.
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
  log: Logger;
}

export async function createContainers(
  { engine, folder, agentId, options, connect, log }: CreateContainersOptions,
): Promise<Containers> {
  const places = await openPlaces(join(folder, "containers"), log);
  const sockets = await makeSocketFolder(join(folder, "containers", "sockets"));
  const images = createImages({
    engine,
    logins: options.logins,
    requirePull: options.requirePull,
    timeoutSeconds: options.pullTimeoutSeconds,
    log,
  });
  const surroundings = await openSurroundings({
    ...options,
    engine,
    folder: sockets,
    connect,
    log,
  });
  const disk = createDiskCounter(engine);
  const own = ownContainers({ engine, agentId, log });
  const links = new Set<Link>();
  const closed = new AbortController();
  const busyJobs = new Map<number, number>();

  let known: Promise<About> | undefined;
  /** Asked once: another engine means another agent. */
  function about(): Promise<About> {
    return known ??= aboutEngine(engine).catch((error) => {
      known = undefined;
      throw error;
    });
  }

  /** Opens all that a run reaches; closed with the run, or with everything. */
  async function open(name: string, serve: Serve, ways: Way[]): Promise<Link> {
    const link = await openLink({
      folder: join(sockets, name),
      serve,
      ways,
      whitelist: options.whitelist,
      connect: surroundings.connect,
      log: log.with({ run: name }),
    });
    links.add(link);
    return link;
  }

  async function shut(link: Link): Promise<void> {
    links.delete(link);
    await link.close();
  }

  /** Watches a started container, and connects it unless it is. */
  async function takeUp(
    id: string,
    name: string,
    link: Link,
    { jobId, limits, onLog }: Pick<ContainerRun, "jobId" | "limits" | "onLog">,
  ): Promise<RunHandle> {
    const State = await stateOf(engine, id);
    const place = places.find(name);
    const temporary = await places.temporary(jobId);
    busyJobs.set(jobId, (busyJobs.get(jobId) ?? 0) + 1);
    const handle = supervise({
      engine,
      id,
      disk,
      pid: State.Pid,
      place,
      temporary,
      limits: { ...options.limits, ...limits },
      startedAt: Date.parse(State.StartedAt) || Date.now(),
      onLog,
      log,
      signal: closed.signal,
      async onEnd() {
        busyJobs.set(jobId, busyJobs.get(jobId)! - 1);
        await shut(link);
      },
      async release() {
        await own.remove(id);
        await places.remove(name);
      },
    });
    if (link.connected || !State.Running || State.Pid === 0) return handle;
    try {
      await link.connect(State.Pid);
      return handle;
    } catch (error) {
      // One that has ended already has no network to enter.
      if (!await isAlive(State.Pid) || !await runs(id)) return handle;
      await handle.kill();
      const { release } = await handle.done;
      return endedAtOnce({ ...cannotConnect(error), release });
    }
  }

  function cannotConnect(error: unknown): { status: OutcomeStatus; reason: string } {
    log.error("Cannot connect a container with its proxy", { reason: messageOf(error) });
    const reason = "The node could not connect the container with its proxy; its own log says why.";
    return { status: "start failed", reason };
  }

  /** Where the engine can, all that a program reaches is there before the program begins. */
  async function connectEarly(id: string, link: Link): Promise<void> {
    if (!(await about()).podman) return;
    try {
      await engine.done("POST", `/containers/${id}/init`, { podman: true });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      return; // the start will tell what is wrong
    }
    const State = await stateOf(engine, id);
    if (State.Pid > 0) await link.connect(State.Pid);
  }

  async function runs(id: string): Promise<boolean> {
    return (await stateOf(engine, id).catch(() => undefined))?.Running ?? false;
  }

  return {
    images,
    place: places.find,

    async start(run) {
      let id: string | undefined;
      let link: Link | undefined;
      try {
        const place = await places.make(run.name, run);
        const ways = planReach([...run.reach, ...await surroundings.targets()]);
        const body = await describeContainer(run, {
          about: await about(),
          options,
          places,
          place,
          temporary: await places.temporary(run.jobId),
          ways,
          labels: own.labels(run.name, ways),
        });
        id = await own.make(run.name, body);
        link = await open(run.name, run.serve, ways);
        await connectEarly(id, link);
        await startOnce({ engine, id, log });
        return await takeUp(id, run.name, link, run);
      } catch (error) {
        if (link) await shut(link);
        if (id) await own.remove(id);
        await places.remove(run.name);
        return endedAtOnce(explain(error));
      }
    },

    async reattach(name, { reach, serve, ...adoption }) {
      const id = await own.find(name);
      if (id === undefined) return undefined;
      const token = await places.token(name).catch(() => undefined);
      if (token === undefined) return undefined;
      // The agent died about when it asked for the start. Who asks again may be the second to do so, and what the first
      // one started may have ended in between: an attempt that is lost can be made anew, one made twice cannot be unmade.
      if (!await hasRun(engine, id, START_MS)) {
        await own.remove(id);
        await places.remove(name);
        return undefined;
      }
      const allowed = [...reach, ...await surroundings.targets()];
      const ways = within(await own.waysOf(id), allowed);
      const link = await open(name, serve(token), ways);
      try {
        return await takeUp(id, name, link, adoption);
      } catch (error) {
        // Or nobody could try again: its sockets would be taken.
        await shut(link);
        throw error;
      }
    },

    async cleanUp(keep) {
      for (const { id, run } of await own.list()) if (!keep(run)) await own.remove(id);
      for (const name of await places.runs()) if (!keep(name)) await places.remove(name);
    },

    async sweep(isOver) {
      await own.removeRest();
      for (const job of await places.jobs()) {
        try {
          if (busyJobs.get(job) || !await isOver(job)) continue;
          if (!busyJobs.get(job)) await places.removeTemporary(job);
        } catch (error) {
          // One that stays must not keep the others.
          const reason = messageOf(error);
          log.warn("Cannot remove the temporary folder of a job", { job_id: job, reason });
        }
      }
    },

    async close() {
      closed.abort(new Error("closed"));
      for (const link of links) await link.close();
      await surroundings.close();
      await Deno.remove(sockets, { recursive: true }).catch(() => {});
    },
  };

  function explain(error: unknown): { status: OutcomeStatus; reason: string } {
    if ([EnvironmentError, PlaceError, GpuError].some((kind) => error instanceof kind)) {
      return { status: "start failed", reason: messageOf(error) };
    }
    log.error("Cannot start a container", { error });
    const words = error instanceof EngineError && error.status !== undefined
      ? error.message.replaceAll(folder, "…").slice(0, 1000)
      : "its own log says why";
    return { status: "start failed", reason: `The node could not start the container: ${words}` };
  }
}

/**
 * Makes a folder for sockets, of which a path has at most 107 characters: too few for the data folder. The file `note`
 * says where it is, so that the next agent removes what one that was killed has left.
 */
async function makeSocketFolder(note: string): Promise<string> {
  const left = await Deno.readTextFile(note).catch(() => "");
  if (left !== "") await Deno.remove(left, { recursive: true }).catch(() => {});
  const folder = await Deno.makeTempDir({ prefix: "sx-" });
  await Deno.writeTextFile(note, folder);
  return folder;
}

/** A run that has ended before it could begin. */
function endedAtOnce(
  end: Pick<Outcome, "status" | "reason"> & Pick<Partial<Outcome>, "release">,
): RunHandle {
  const outcome: Outcome = { result: null, log: "", ...end };
  return { done: Promise.resolve(outcome), kill: () => Promise.resolve() };
}
