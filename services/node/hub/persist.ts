/**
 * Trying again until it works or an AbortSignal says stop.
 *
 * Not `p-retry`: it ends at once at a TypeError whose message it does not know for the network's
 * (its `is-network-error`), and an agent must go on.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";

export interface PersistOptions {
  /** What is being tried, for the log: "Cannot <what> yet". */
  what: string;
  log: Logger;
  signal: AbortSignal;
  /** Errors for which another attempt is of no use are thrown; by default there are none. */
  retryable?: (error: unknown) => boolean;
  /** The pause after the first failure, in milliseconds; it doubles with each. */
  minMs?: number;
  /** The longest pause. */
  maxMs?: number;
}

/**
 * Calls `attempt` until it succeeds, with growing pauses; tells the log now and then why it has
 * not. Rejects with the signal's reason when that is aborted, and with an error that is not
 * retryable.
 */
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
    }
    const pause = Math.min(maxMs, minMs * 2 ** Math.min(failures, 16));
    // Spread, so that a thousand nodes do not come back in one instant.
    const spread = pause * (0.5 + Math.random() / 2);
    await delay(spread, undefined, { signal }).catch(() => {});
  }
}
