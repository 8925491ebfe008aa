/**
 * Runners that are started before there is a run for them: a runner takes longer to start than most
 * algorithms take to run. Each serves one run and no other.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { RunLimits } from "../run/runtime.ts";
import type { RunnerProcess } from "./runner_process.ts";

/**
 * What a waiting runner takes of the machine's memory: 14 MiB of its own where this was measured.
 */
const RUNNER_MIB = 16;
/** All of an agent that waits has 150 MiB; this much is for runners. */
const MOST_MIB = 64;
/** The share of what is free that may be spent on waiting. */
const SHARE_OF_FREE = 1 / 16;
/** A run that begins shall have the processor first. */
const PAUSE_MS = 50;

/** How many runners wait: as many as runs can begin at once, and memory allows. */
export function howManyWait(
  { maxRuns, freeMiB }: { maxRuns: number; freeMiB: number },
): number {
  const memoryMiB = Math.min(MOST_MIB, freeMiB * SHARE_OF_FREE);
  return Math.max(1, Math.min(maxRuns, Math.floor(memoryMiB / RUNNER_MIB)));
}

export interface WaitingRunners {
  /** A runner that waits, if one fits; it is the caller's from then on. */
  take(limits: RunLimits): Promise<RunnerProcess | undefined>;
  /** Starts what is missing, one after the other, after a pause. */
  refill(limits: RunLimits, pauseMs?: number): void;
  close(): Promise<void>;
}

export interface CreateWaitingRunnersOptions {
  launch: (limits: RunLimits) => Promise<RunnerProcess>;
  count: number;
  log: Logger;
}

export function createWaitingRunners(
  { launch, count, log }: CreateWaitingRunnersOptions,
): WaitingRunners {
  let waiting: RunnerProcess[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let launching: Promise<void> | undefined;
  let closed = false;

  async function fill(limits: RunLimits): Promise<void> {
    try {
      const runner = await launch(limits);
      // It must not keep an agent from ending.
      runner.process.unref();
      waiting.push(runner);
      launching = undefined;
      refill(limits);
    } catch (error) {
      launching = undefined;
      log.warn("Cannot start a runner in advance", { reason: messageOf(error) });
    }
  }

  function refill(limits: RunLimits, pauseMs = PAUSE_MS): void {
    if (waiting.length >= count || launching || timer || closed) return;
    timer = setTimeout(() => {
      timer = undefined;
      launching = fill(limits);
    }, pauseMs);
  }

  return {
    async take(limits) {
      const unfit = waiting.filter((runner) => !isAlive(runner) || !isFor(runner, limits));
      const fitting = waiting.find((runner) => !unfit.includes(runner));
      waiting = waiting.filter((runner) => runner !== fitting && !unfit.includes(runner));
      fitting?.process.ref();
      // What died while it waited, or waits for runs of other limits.
      const removed = Promise.all(unfit.map((runner) => runner.remove()));
      if (!fitting) await removed;
      else {
        removed.catch((error) => log.warn("Cannot remove a runner", { reason: messageOf(error) }));
      }
      return fitting;
    },
    refill,
    async close() {
      closed = true;
      clearTimeout(timer);
      await launching;
      await Promise.all(waiting.map((runner) => runner.remove()));
    },
  };
}

/** Asks the kernel, too: of its end this process hears a moment later. */
function isAlive({ gone, process }: RunnerProcess): boolean {
  if (gone) return false;
  try {
    // Empty as soon as the kernel has begun to end a process: a state in `stat` comes later.
    return Deno.readTextFileSync(`/proc/${process.pid}/cmdline`) !== "";
  } catch {
    // No longer there; or there is no /proc on this machine.
    return Deno.build.os !== "linux";
  }
}

function isFor({ limits }: RunnerProcess, { memoryMiB, timeoutSeconds }: RunLimits): boolean {
  return limits.memoryMiB === memoryMiB && limits.timeoutSeconds === timeoutSeconds;
}
