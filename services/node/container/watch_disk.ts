/**
 * Watches how much a container writes while it runs.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import type { Logger } from "../../../shared/service/log.ts";
import type { Verdict } from "../run/outcome.ts";
import type { RunLimits } from "../run/runtime.ts";
import type { ContainerLimits } from "./create_request.ts";
import { type DiskCounter, sizeOf, UncountableError } from "./disk.ts";
import { EngineError } from "./engine.ts";
import { overDisk, overOutput, uncountable } from "./verdict.ts";

/** How often the size of a run's folders is looked at, and of what it writes outside of them. */
const FOLDERS_MS = 250;
const OUTSIDE_MS = 500;

const MIB = 2 ** 20;

export interface WatchDiskOptions {
  /** The container's id. */
  id: string;
  /** Its first process. */
  pid: number;
  disk: DiskCounter;
  /** Host side of what the container sees as its own folder. */
  io: string;
  /** The folder of its job. */
  temporary: string;
  limits: RunLimits & ContainerLimits;
  log: Logger;
  /** Ends the run, for a reason. Nothing is looked at any more once this was called. */
  onOver: (verdict: Verdict) => Promise<void>;
  /** Ends the watch. */
  signal: AbortSignal;
}

/** Resolves when `signal` is aborted or the run is over a limit. */
export async function watchDisk(
  { id, pid, disk, io, temporary, limits, log, onOver, signal }: WatchDiskOptions,
): Promise<void> {
  const countOutside = disk.of(id, pid);
  let inFolders = 0;
  let outside = 0;
  let over = false;

  async function end(verdict: Verdict): Promise<void> {
    over = true;
    await onOver(verdict);
  }

  async function lookAtFolders(): Promise<void> {
    const output = await Deno.lstat(join(io, "output")).catch(() => undefined);
    if ((output?.size ?? 0) > limits.outputMiB * MIB) return await end(overOutput(limits));
    inFolders = await sizeOf(io, pid) + await sizeOf(temporary, pid);
    await checkSize();
  }

  async function lookOutside(): Promise<void> {
    try {
      outside = await countOutside();
    } catch (error) {
      // It has just ended, or the engine is away; whoever waits for the end tells of it.
      if (!(error instanceof EngineError)) throw error;
    }
    await checkSize();
  }

  async function checkSize(): Promise<void> {
    if (inFolders + outside > limits.diskMiB * MIB) await end(overDisk(limits.diskMiB));
  }

  /**
   * Looks again and again; looking shall take a small part of the time, however much there is to
   * see.
   */
  async function repeat(look: () => Promise<void>, everyMs: number): Promise<void> {
    while (!signal.aborted && !over) {
      const started = performance.now();
      try {
        await look();
      } catch (error) {
        // What nobody can count has no limit.
        if (error instanceof UncountableError) await end(uncountable(error.message));
        else log.error("Cannot see what a container writes; trying on", { error });
      }
      const pause = Math.max(everyMs, 10 * (performance.now() - started));
      await delay(pause, undefined, { signal }).catch(() => {});
    }
  }

  await Promise.all([repeat(lookAtFolders, FOLDERS_MS), repeat(lookOutside, OUTSIDE_MS)]);
}
