/**
 * All attempts that this agent has in hand.
 * @module
 */
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import { orAbort } from "../../../shared/service/or_abort.ts";
import { attemptKey } from "../record/attempt_key.ts";
import type { Journal, JournalEntry } from "../record/journal.ts";
import { Interruption } from "./interruption.ts";

interface Ongoing {
  dispatch: Dispatch;
  control: AbortController;
  /** Resolves once the journal has the dispatch. */
  accepted: Promise<void>;
  done: Promise<void>;
}

export interface Attempts {
  /** Goes on with everything that the journal has. */
  resume(): void;
  /** Takes on a dispatch, unless it is in hand; resolves once the journal has it. */
  accept(dispatch: Dispatch): Promise<void>;
  /** How many are in hand. */
  readonly size: number;
  /** Resolves when at most so many are in hand. */
  whenAtMost(count: number, signal: AbortSignal): Promise<void>;
  /** Ends one attempt, or with `null` every attempt, at a result. */
  interrupt(which: { result_id: number; attempt: number | null }, why: Interruption): void;
  /** Ends everything and resolves when nothing runs and nothing is being reported any more. */
  interruptAll(why: Interruption): Promise<void>;
}

export interface CreateAttemptsOptions {
  journal: Journal;
  carryOut: (entry: JournalEntry, signal: AbortSignal) => Promise<void>;
  /** Told about an error after which the agent cannot go on. */
  onFailure: (error: unknown) => void;
}

export function createAttempts({ journal, carryOut, onFailure }: CreateAttemptsOptions): Attempts {
  const ongoing = new Map<string, Ongoing>();
  /** Called whenever an attempt is over. */
  const waiting = new Set<() => void>();

  function begin(entry: JournalEntry, accepted: Promise<void>): Promise<void> {
    const key = attemptKey(entry.dispatch);
    const control = new AbortController();
    const carry = () => carryOut(entry, control.signal);
    // What it is about to do is prepared meanwhile: the journal writes in order, so that nothing is
    // noted as started before it is as accepted.
    const done = Promise.all([accepted, Promise.resolve().then(carry)])
      .catch(onFailure)
      .then(() => {
        ongoing.delete(key);
        for (const look of waiting) look();
      });
    ongoing.set(key, { dispatch: entry.dispatch, control, accepted, done });
    return accepted;
  }

  function interrupt(which: (attempt: AttemptId) => boolean, why: Interruption): void {
    for (const { dispatch, control } of ongoing.values()) {
      if (which(dispatch)) control.abort(why);
    }
  }

  return {
    resume() {
      for (const entry of journal.open.values()) begin(entry, Promise.resolve());
    },
    accept(dispatch) {
      const known = ongoing.get(attemptKey(dispatch));
      if (known) return known.accepted;
      interrupt(
        (other) => other.result_id === dispatch.result_id && other.attempt < dispatch.attempt,
        new Interruption("unwanted", "the hub has issued the next attempt"),
      );
      return begin({ dispatch, state: "accepted" }, journal.accepted(dispatch));
    },
    get size() {
      return ongoing.size;
    },
    async whenAtMost(count, signal) {
      const there = Promise.withResolvers<void>();
      const look = () => {
        if (ongoing.size <= count) there.resolve();
      };
      waiting.add(look);
      look();
      await orAbort(there.promise, signal).finally(() => waiting.delete(look));
    },
    interrupt({ result_id, attempt }, why) {
      interrupt(
        (one) => one.result_id === result_id && (attempt === null || one.attempt === attempt),
        why,
      );
    },
    async interruptAll(why) {
      interrupt(() => true, why);
      await Promise.all([...ongoing.values()].map(({ done }) => done));
    },
  };
}
