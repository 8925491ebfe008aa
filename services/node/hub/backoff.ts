/**
 * Waiting and trying again, always until an AbortSignal says stop.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";

/** What becomes of `promise`, or a rejection with the signal's reason when it is aborted first. */
export async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([aborted.promise, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await orAbort(promise, signal).finally(() => clearTimeout(timer));
}

export interface PersistOptions {
  /** What is being tried, for the log: "Cannot <what> yet". */
  what: string;
  log: Logger;
  signal: AbortSignal;
  /** Errors for which another attempt is of no use are thrown; by default there are none. */
  retryable?: (error: unknown) => boolean;
  minMs?: number;
  maxMs?: number;
}

/** Calls `attempt` until it succeeds, with growing pauses; tells the log now and then why it has not. */
export async function persist<T>(
  attempt: () => Promise<T>,
  { what, log, signal, retryable = () => true, minMs = 100, maxMs = 5000 }: PersistOptions,
): Promise<T> {
  for (let failures = 0;; failures++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || !retryable(error)) throw error;
      if (failures % 10 === 2) {
        log.warn(`Cannot ${what} yet; trying on`, { reason: messageOf(error) });
      }
      const pause = Math.min(maxMs, minMs * 2 ** Math.min(failures, 16));
      // Spread, so that a thousand nodes do not come back in one instant.
      await sleep(pause * (0.5 + Math.random() / 2), signal);
    }
  }
}
