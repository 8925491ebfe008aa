/**
 * What both runtimes say and do about the end of a run.
 * @module
 */
import { isHandedOver } from "./interruption.ts";
import type { Outcome, RunHandle, RunLimits } from "./runtime.ts";

/** The longest that a timer can wait, in milliseconds; a longer time limit is taken for that. */
export const MAX_TIMER = 2 ** 31 - 1;

/** How a run ended, its log apart. */
export type Verdict = Omit<Outcome, "log">;

/** The verdict on a run that leaves no result. */
export function noResult(status: Verdict["status"], reason: string): Verdict {
  return { status, result: null, reason };
}

export const KILLED: Verdict = noResult("killed by user", "The run was killed.");

export function overTime({ timeoutSeconds }: RunLimits): Verdict {
  return noResult(
    "failed",
    `The run took longer than the ${timeoutSeconds} seconds that this node gives it.`,
  );
}

/** A run that has ended before it could begin. */
export function endedAtOnce(
  end: Pick<Outcome, "status" | "reason"> & Pick<Outcome, "release">,
): RunHandle {
  const outcome: Outcome = { result: null, log: "", ...end };
  return { done: Promise.resolve(outcome), kill: () => Promise.resolve() };
}

/**
 * Follows a run to its end, and kills it when `signal` is aborted. Rejects with the signal's reason
 * then, once nothing is left of the run; but one that completed before it was killed is as good as
 * any. When the agent hands over, a run that can outlive it is left as it is.
 */
export async function followToEnd(handle: RunHandle, signal: AbortSignal): Promise<Outcome> {
  const left = Promise.withResolvers<never>();
  function interrupt(): void {
    if (!handle.leave || !isHandedOver(signal.reason)) return void handle.kill();
    handle.leave();
    left.reject(signal.reason);
  }
  // Caught here, because the first of the two is what counts.
  left.promise.catch(() => {});
  signal.addEventListener("abort", interrupt, { once: true });
  if (signal.aborted) interrupt();
  try {
    const outcome = await Promise.race([handle.done, left.promise]);
    if (!signal.aborted || outcome.status === "completed") return outcome;
    await outcome.release?.();
    throw signal.reason;
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}
