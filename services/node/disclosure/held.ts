/**
 * Results that wait for a person at this site, as the agent keeps them: from the moment in which
 * the exit holds one to the owner's decision.
 * @module
 */
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { ContentFile } from "../payload/pieces.ts";
import { attemptKey } from "../record/attempt_key.ts";
import { type Journal, JournalError } from "../record/journal.ts";
import { watchDecisions } from "./decision_watch.ts";
import {
  type HeldDecision,
  heldFolder,
  type HeldNote,
  readDecision,
  readHeld,
  removeHeld,
  removeStrangers,
  resultPath,
  type ToHold,
  UnkeptResultError,
  writeHeld,
} from "./held_files.ts";

export interface Held {
  /**
   * Keeps a result: it is on the disk, and the journal has it as held. `full` when as many wait as
   * may. Rejects with an {@linkcode UnkeptResultError} when the result itself cannot be kept, and
   * with a {@linkcode JournalError} when nothing can.
   */
  hold(held: Omit<ToHold, "since" | "code">): Promise<HeldNote | "full">;
  /** What is known of a run that waits, and where its result is, if it left one. */
  read(attempt: AttemptId): Promise<{ note: HeldNote; result: ContentFile | null }>;
  /** Waits until a person has decided; rejects with the signal's reason when that comes before. */
  decided(attempt: AttemptId, signal: AbortSignal): Promise<HeldDecision>;
  /** Whether an attempt's result waits. */
  has(attempt: AttemptId): boolean;
  /** Lets go of what is kept of an attempt. */
  drop(attempt: AttemptId): Promise<void>;
  /** Watches for decisions no more. */
  close(): void;
}

/** Beyond so many nobody looks at them any more, and the disk is not theirs alone. */
const MOST_HELD = 1000;

export interface OpenHeldOptions {
  /** The node's data folder. */
  dataFolder: string;
  journal: Pick<Journal, "open" | "held">;
  log: Logger;
  mostHeld?: number;
}

/** Takes up what waits; removes what a crash has left of anything else. */
export async function openHeld(
  { dataFolder, journal, log, mostHeld = MOST_HELD }: OpenHeldOptions,
): Promise<Held> {
  const folder = heldFolder(dataFolder);
  const isHeld = (key: string) => journal.open.get(key)?.state === "held";
  await removeStrangers(folder, isHeld);
  const watch = watchDecisions(folder, log);

  return {
    has: (attempt) => isHeld(attemptKey(attempt)),
    async hold(toHold) {
      const waiting = [...journal.open.values()].filter(({ state }) => state === "held").length;
      if (waiting >= mostHeld) return "full";
      const code = journal.open.get(attemptKey(toHold.dispatch))?.code;
      const whole = { ...toHold, code, since: new Date() };
      const note = await writeHeld(folder, whole).catch((cause) => {
        // The attempt can still be held without it.
        if (cause instanceof UnkeptResultError) throw cause;
        throw new JournalError(`Cannot store a result that is held: ${messageOf(cause)}.`, {
          cause,
        });
      });
      await journal.held(toHold.dispatch);
      return note;
    },
    async read(attempt) {
      const note = await readHeld(folder, attempt);
      const { size, sha256 } = note;
      const path = resultPath(folder, attempt);
      return { note, result: size === 0 ? null : { path, size, sha256 } };
    },
    async decided(attempt, signal) {
      const over = new AbortController();
      const either = AbortSignal.any([signal, over.signal]);
      let said = false;
      try {
        for (;;) {
          signal.throwIfAborted();
          // Begun before the look, so that nothing falls between the two.
          const changed = watch.changed(either);
          const decision = await readDecision(folder, attempt).catch((error) => {
            const { result_id } = attempt;
            if (!said) log.error("Cannot read the decision on a result", { error, result_id });
            said = true;
          });
          if (decision) return decision;
          await changed;
        }
      } finally {
        over.abort(new Error("decided"));
      }
    },
    drop: (attempt) => removeHeld(folder, attempt),
    close: watch.close,
  };
}
