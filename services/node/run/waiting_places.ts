/**
 * How many runs have begun and wait for their subtasks. A run that waits gives its slot back
 * (`slots.ts`), but its process stays, and may even compute on; so these are bounded, too.
 *
 * Nobody may wait for a place while somebody with one waits for them, on this node or on another.
 * So:
 *
 * - The run of a person's task has a place from before it begins to its end, whether or not it ever
 *   waits, because that is not known before. Nobody's subtask is among these, so whoever has a
 *   place waits for none of those that still want one.
 * - The run of a subtask begins without a place: it needs a slot alone, and slots come free, since
 *   whoever has one computes, which ends, or gives it back. So what a run with a place waits for
 *   always begins.
 * - The run of a subtask that waits for subtasks of its own would have to wait for a place behind
 *   others of its kind, which may wait for it. So it waits for none: it gets one of as many others,
 *   or an error.
 * @module
 */
import { createSlots } from "./slots.ts";

/** A run may not wait for its subtasks here now. The message is for its algorithm. */
export class TooManyWaitError extends Error {
  override name = "TooManyWaitError";
}

export interface WaitingPlaces {
  /** Waits for a place for the run of a person's task; returns what gives it back. */
  take(signal: AbortSignal): Promise<() => void>;
  /** The same for a run that has begun: were there none, one would be missing for the next. */
  occupy(): () => void;
  /**
   * A place for the run of a subtask that waits for its own. Throws a {@linkcode TooManyWaitError}.
   */
  takeNow(): () => void;
}

export function createWaitingPlaces(limit: number): WaitingPlaces {
  const first = createSlots(limit);
  let others = 0;

  return {
    async take(signal) {
      await first.take(signal);
      return first.release;
    },
    occupy() {
      first.occupy();
      return first.release;
    },
    takeNow() {
      if (others >= limit) {
        throw new TooManyWaitError(
          "At this node as many runs of subtasks wait for subtasks of their own as may " +
            `(max_waiting_runs: ${limit}): try again later.`,
        );
      }
      others++;
      return () => void others--;
    },
  };
}

/** For runs of which it does not matter how many wait. */
export const UNBOUNDED: WaitingPlaces = createWaitingPlaces(Infinity);
