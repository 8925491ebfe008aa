/**
 * Watches one container from its start, or from the agent's, to its end.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../../shared/service/log.ts";
import { KILLED, MAX_TIMER, overTime, type Verdict } from "../run/outcome.ts";
import { createRunLog } from "../run/run_log.ts";
import type { Outcome, RunHandle, RunLimits } from "../run/runtime.ts";
import { type ContainerState, whenEnded } from "./container_state.ts";
import type { ContainerLimits } from "./create_request.ts";
import type { DiskCounter } from "./disk.ts";
import { type Engine, EngineError } from "./engine.ts";
import { followLog } from "./follow_log.ts";
import { collectOutput } from "./output.ts";
import type { RunFolder } from "./run_folder.ts";
import { judgeEnd, overOutput, vanished } from "./verdict.ts";
import { watchDisk } from "./watch_disk.ts";

/** How often the engine is asked again to end a container. */
const KILL_MS = 100;
/** How long the last lines of a log may take once their container has ended. */
const LAST_LINES_MS = 5000;

export interface SuperviseOptions {
  engine: Engine;
  /** The container's id. */
  id: string;
  disk: DiskCounter;
  /** Its first process, as this machine numbers it; 0 when it has ended. */
  pid: number;
  runFolder: RunFolder;
  /** The folder of its job. */
  temporary: string;
  limits: RunLimits & ContainerLimits;
  /** When it was started, in milliseconds since 1970. */
  startedAt: number;
  onLog: (lines: string[]) => void;
  log: Logger;
  /** Gives up watching. */
  signal: AbortSignal;
  /** Called once when the container has ended, however it did. */
  onEnd: () => Promise<void>;
  /** Removes container and folder, when the outcome is safe. */
  release: () => Promise<void>;
}

/** Follows the container; the first verdict that anything leads to is the run's. */
export function supervise(options: SuperviseOptions): RunHandle {
  const { engine, id, disk, pid, runFolder, temporary, limits, startedAt, log } = options;
  const ended = new AbortController();
  const leaving = new AbortController();
  let verdict: Verdict | undefined;
  let over: Promise<void> | undefined;

  function endOnce(): Promise<void> {
    return over ??= options.onEnd();
  }

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
    Math.min(Math.max(0, left), MAX_TIMER),
  );

  async function follow(): Promise<Outcome> {
    const runLog = createRunLog({ maxBytes: limits.logMiB * 2 ** 20, onLines: options.onLog });
    const [output, errors] = [runLog.writer(), runLog.writer()];
    const { signal } = ended;
    const following = followLog(engine, {
      id,
      pid,
      signal,
      log,
      onPiece: (piece, channel) => (channel === 2 ? errors : output)(piece),
    });
    const watching = watchDisk({
      id,
      pid,
      disk,
      io: runFolder.io,
      temporary,
      limits,
      log,
      onOver: end,
      signal,
    });
    try {
      const state = await whenEnded(engine, id, {
        log,
        signal: AbortSignal.any([options.signal, leaving.signal]),
      });
      await Promise.race([following, delay(LAST_LINES_MS, undefined, { ref: false })]);
      ended.abort();
      await watching;
      return {
        ...await judge(state, verdict, options),
        log: runLog.text(),
        release: options.release,
      };
    } finally {
      clearTimeout(timer);
      ended.abort();
      await endOnce();
    }
  }

  const done = follow().catch((error): Outcome => {
    if (!leaving.signal.aborted) log.error("Cannot watch a container to its end", { error });
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
    leave() {
      // First of all its ways to this agent end, as if that had died: its questions are to break
      // off, which programs try again, and not to be answered with errors.
      void endOnce();
      leaving.abort(new Error("left to the next agent"));
    },
  };
}

/**
 * The verdict on a container that has ended; `own` is the node's reason to end it, if it had one.
 */
async function judge(
  state: ContainerState | undefined,
  own: Verdict | undefined,
  { runFolder, limits }: Pick<SuperviseOptions, "runFolder" | "limits">,
): Promise<Verdict> {
  if (!state) return own ?? vanished();
  // What was complete before the node's reason reached it is as good as any.
  if (own && state.ExitCode !== 0) return own;
  const end = { exitCode: state.ExitCode, oomKilled: state.OOMKilled };
  const output = await collectOutput(runFolder, { maxBytes: limits.outputMiB * 2 ** 20 });
  return output === "too large" ? overOutput(limits) : judgeEnd(end, output, limits);
}
