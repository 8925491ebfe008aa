/**
 * Watches one container from its start, or from the agent's, to its end.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { ContentFile } from "../payload/pieces.ts";
import { inspectFile } from "../run/output.ts";
import { createRunLog } from "../run/run_log.ts";
import type { Outcome, RunHandle, RunLimits } from "../run/runtime.ts";
import { KILLED, overTime, type Verdict } from "../sandbox/verdict.ts";
import type { ContainerLimits } from "./container_spec.ts";
import { type DiskCounter, sizeOf, UncountableError } from "./disk.ts";
import { type Engine, EngineError } from "./engine.ts";
import { readLogFrames } from "./log_frames.ts";
import type { Place } from "./run_folder.ts";
import { judgeEnd, overDisk, overOutput, uncountable, vanished } from "./verdict.ts";

/** How often the size of a run's files is looked at, and of what it writes elsewhere. */
const WATCH_MS = 250;
const WATCH_ELSEWHERE_MS = 500;
/** How often the process is looked at, and how often the engine is asked whether it runs. */
const LOOK_MS = 50;
const ASK_MS = 5000;
/** Statuses of containers that are over; one that is paused or stopping is not. */
const ENDED = ["exited", "stopped", "dead", "removing"];
/** How often an engine that does not answer is asked again about a container. */
const RETRY_MS = 500;
/** How often it is asked again to end one. */
const KILL_MS = 100;
/** How long the last lines of a log may take once their container has ended. */
const LAST_LINES_MS = 5000;

export const stateSchema = z.object({
  State: z.object({
    Status: z.string(),
    Running: z.boolean(),
    Pid: z.number().default(0),
    ExitCode: z.number(),
    OOMKilled: z.boolean().default(false),
    StartedAt: z.string(),
    FinishedAt: z.string().default(""),
  }),
});

/** Whether there is such a process; the engine may notice its end later. */
export function isAlive(pid: number): Promise<boolean> {
  return Deno.stat(`/proc/${pid}/ns`).then(() => true, () => false);
}

/** How often an engine that fails to tell of a container is asked again at once. */
const MORE_QUESTIONS = 5;

/** What the engine knows of a container. Podman may fail to tell while the container's program ends; then it is asked again. */
export async function stateOf(
  engine: Engine,
  id: string,
): Promise<z.infer<typeof stateSchema>["State"]> {
  for (let asked = 0;; asked++) {
    try {
      return (await engine.json("GET", `/containers/${id}/json`, stateSchema)).State;
    } catch (error) {
      const failed = error instanceof EngineError && (error.status ?? 0) >= 500;
      if (!failed || asked === MORE_QUESTIONS) throw error;
      await delay(LOOK_MS);
    }
  }
}

export interface SuperviseOptions {
  engine: Engine;
  /** The container's id. */
  id: string;
  disk: DiskCounter;
  /** Its first process, as this machine numbers it; 0 when it has ended. */
  pid: number;
  place: Place;
  temporary: string;
  limits: RunLimits & ContainerLimits;
  /** When it was started, in milliseconds since 1970. */
  startedAt: number;
  onLog: (lines: string[]) => void;
  log: Logger;
  /** Gives up watching. */
  signal: AbortSignal;
  /** Called once when the container has ended, whatever way. */
  onEnd: () => Promise<void>;
  /** Removes container and place, when the outcome is safe. */
  release: () => Promise<void>;
}

export function supervise(options: SuperviseOptions): RunHandle {
  const { engine, id, pid, place, temporary, limits, startedAt, log } = options;
  const ended = new AbortController();
  let verdict: Verdict | undefined;

  /** Ends the container for a reason of the node's; the first reason counts. */
  async function end(why: Verdict): Promise<void> {
    verdict ??= why;
    // However long the engine is away, that must not let it live on.
    while (!ended.signal.aborted) {
      try {
        return await engine.done("POST", `/containers/${id}/kill?signal=KILL`);
      } catch (error) {
        // No such container, or none that runs.
        if (error instanceof EngineError && (error.status === 404 || error.status === 409)) return;
        await delay(KILL_MS);
      }
    }
  }

  const left = startedAt + limits.timeoutSeconds * 1000 - Date.now();
  const timer = setTimeout(
    () => void end(overTime(limits)),
    Math.min(Math.max(0, left), 2 ** 31 - 1),
  );

  const countElsewhere = options.disk.of(id, pid);
  let inFolders = 0;
  let elsewhere = 0;

  async function watchFolders(): Promise<void> {
    const output = await Deno.lstat(join(place.io, "output")).catch(() => undefined);
    if ((output?.size ?? 0) > limits.outputMiB * 2 ** 20) return await end(overOutput(limits));
    inFolders = await sizeOf(place.io, pid) + await sizeOf(temporary, pid);
    await checkSize();
  }

  async function watchElsewhere(): Promise<void> {
    elsewhere = await countElsewhere().catch((error) => {
      // It has just ended, or the engine is away; whoever waits for the end tells of it.
      if (error instanceof EngineError) return elsewhere;
      throw error;
    });
    await checkSize();
  }

  async function checkSize(): Promise<void> {
    if (inFolders + elsewhere > limits.diskMiB * 2 ** 20) await end(overDisk(limits.diskMiB));
  }

  /** Looks again and again; looking shall take a small part of the time, however much there is to see. */
  async function watch(look: () => Promise<void>, everyMs: number): Promise<void> {
    while (!ended.signal.aborted && !verdict) {
      const started = performance.now();
      try {
        await look();
      } catch (error) {
        // What nobody can count has no limit.
        if (error instanceof UncountableError) await end(uncountable(error.message));
        else log.error("Cannot see what a container writes; trying on", { error });
      }
      const pause = Math.max(everyMs, 10 * (performance.now() - started));
      await delay(pause, undefined, { signal: ended.signal }).catch(() => {});
    }
  }

  async function run(): Promise<Outcome> {
    const runLog = createRunLog({ maxBytes: limits.logMiB * 2 ** 20, onLines: options.onLog });
    const writers = [runLog.writer(), runLog.writer()];
    const following = follow((piece, channel) => writers[channel === 2 ? 1 : 0]!(piece));
    const watching = Promise.all([
      watch(watchFolders, WATCH_MS),
      watch(watchElsewhere, WATCH_ELSEWHERE_MS),
    ]);
    try {
      const state = await whenEnded();
      await Promise.race([following, delay(LAST_LINES_MS, undefined, { ref: false })]);
      ended.abort();
      await watching;
      return { ...await judge(state), log: runLog.text(), release: options.release };
    } finally {
      clearTimeout(timer);
      ended.abort();
      await options.onEnd();
    }
  }

  async function judge(state: z.infer<typeof stateSchema>["State"] | undefined): Promise<Verdict> {
    if (!state) return verdict ?? vanished();
    // What was complete before the node's reason reached it is as good as any.
    if (verdict && state.ExitCode !== 0) return verdict;
    const end = { exitCode: state.ExitCode, oomKilled: state.OOMKilled };
    const output = await lookAtOutput();
    if (output === undefined) return overOutput(limits);
    return judgeEnd(end, output, limits);
  }

  /** What the run left as its result, if anything; `undefined` if that is too large. */
  async function lookAtOutput(): Promise<ContentFile | null | undefined> {
    await takeOutput();
    const info = await Deno.lstat(place.output).catch(() => undefined);
    // The folder was the algorithm's: only what is a file is read, and nothing that a link points to.
    if (!info?.isFile || info.nlink !== 1 || info.size === 0) return null;
    if (info.size > limits.outputMiB * 2 ** 20) return undefined;
    const output = await inspectFile(place.output);
    return output.size > limits.outputMiB * 2 ** 20 ? undefined : output;
  }

  /**
   * Moves what the run left as its result to where no container sees it. Another run of the job may have been given its
   * folder, open, and could put a link to any file in its place while the agent reads it.
   */
  async function takeOutput(): Promise<void> {
    // Taken by an agent that died after that.
    if (await Deno.lstat(place.output).catch(() => undefined)) return;
    const path = join(place.io, "output");
    try {
      await Deno.rename(path, place.output);
    } catch (error) {
      if ((await Deno.lstat(path).catch(() => undefined))?.isFile) throw error;
    }
  }

  /**
   * Waits for the end through restarts of the engine, without asking it to wait: Podman keeps a processor busy over
   * twenty such requests. `undefined` when there is no such container any more.
   */
  async function whenEnded() {
    for (;;) {
      try {
        const State = await stateOf(engine, id);
        if (!State.Running && ENDED.includes(State.Status)) return State;
        await whenGone(State.Pid);
      } catch (error) {
        options.signal.throwIfAborted();
        if (!(error instanceof EngineError)) throw error;
        if (error.status === 404) return undefined;
        log.warn("Cannot watch a container; trying on", { reason: error.message });
        await delay(RETRY_MS);
      }
    }
  }

  /** Waits until a process has ended, but asks the engine now and then: the number may be another's by now. */
  async function whenGone(pid: number): Promise<void> {
    const until = performance.now() + ASK_MS;
    do {
      await delay(LOOK_MS, undefined, { signal: options.signal });
    } while (performance.now() < until && await isAlive(pid));
  }

  /** Passes on what the container prints, through restarts of the engine. */
  async function follow(onPiece: (piece: Uint8Array, channel: number) => void): Promise<void> {
    const path = `/containers/${id}/logs?follow=1&stdout=1&stderr=1`;
    const passed = new Map<number, number>();
    while (!ended.signal.aborted) {
      // The engine begins with the first line each time.
      const known = new Map(passed);
      try {
        const pieces = await engine.request("GET", path, { signal: ended.signal });
        await readLogFrames(pieces, (piece, channel) => {
          const old = Math.min(known.get(channel) ?? 0, piece.length);
          known.set(channel, (known.get(channel) ?? 0) - old);
          if (old === piece.length) return;
          passed.set(channel, (passed.get(channel) ?? 0) + piece.length - old);
          onPiece(piece.subarray(old), channel);
        });
        // An engine that is told to stop ends its answers in order.
        if (!await isAlive(pid)) return;
      } catch (error) {
        if (ended.signal.aborted) return;
        log.warn("A container's log is cut off", { reason: messageOf(error) });
        if (error instanceof EngineError && error.status !== undefined) return;
      }
      await delay(RETRY_MS, undefined, { signal: ended.signal }).catch(() => {});
    }
  }

  const done = run().catch((error): Outcome => {
    log.error("Cannot watch a container to its end", { error });
    return {
      status: "unknown error",
      result: null,
      log: "",
      reason: "The node lost its hold of the container; its own log says why.",
      release: options.release,
    };
  });
  return {
    done,
    async kill() {
      await end(KILLED);
      await done;
    },
  };
}
