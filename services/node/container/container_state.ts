/**
 * What the engine, and this machine, know of a container: whether it runs, and how it ended.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Logger } from "../../../shared/service/log.ts";
import { type Engine, EngineError } from "./engine.ts";

/** How often the process is looked at, and how often the engine is asked whether it runs. */
const LOOK_MS = 50;
const ASK_MS = 5000;
/** How often an engine that does not answer is asked again. */
const RETRY_MS = 500;
/** How often an engine that fails to tell of a container is asked again at once. */
const MORE_QUESTIONS = 5;
/** Statuses of containers that are over; one that is paused or stopping is not. */
const ENDED = ["exited", "stopped", "dead", "removing"];

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
export type ContainerState = z.infer<typeof stateSchema>["State"];

/**
 * What the engine knows of a container. Podman (seen with 4.3.1) may answer 500 while the
 * container's program ends; then it is asked again.
 */
export async function stateOf(engine: Engine, id: string): Promise<ContainerState> {
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

/** Whether there is such a process; the engine may notice its end later. */
export function isAlive(pid: number): Promise<boolean> {
  return Deno.stat(`/proc/${pid}/ns`).then(() => true, () => false);
}

export interface WhenEndedOptions {
  log: Logger;
  /** Gives up waiting: rejects with its reason. */
  signal: AbortSignal;
}

/**
 * Waits for the end of a container through restarts of the engine; `undefined` when there is no
 * such container any more. The engine is not asked to wait: Podman looks a million times a second
 * meanwhile until it is of April 2023 or later
 * (https://github.com/podman-container-tools/podman/issues/18150; seen with 4.3.1).
 */
export async function whenEnded(
  engine: Engine,
  id: string,
  { log, signal }: WhenEndedOptions,
): Promise<ContainerState | undefined> {
  for (;;) {
    try {
      const state = await stateOf(engine, id);
      if (!state.Running && ENDED.includes(state.Status)) return state;
      await whenGone(state.Pid, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof EngineError)) throw error;
      if (error.status === 404) return undefined;
      log.warn("Cannot watch a container; trying on", { reason: error.message });
      await delay(RETRY_MS);
    }
  }
}

/** Waits until a process has ended, but not for ever: its number may be another's by now. */
async function whenGone(pid: number, signal: AbortSignal): Promise<void> {
  const until = performance.now() + ASK_MS;
  do {
    await delay(LOOK_MS, undefined, { signal });
  } while (performance.now() < until && await isAlive(pid));
}
