/**
 * Taking work: what the hub dispatches while this agent is connected, and what it asks for, since
 * nobody keeps a dispatch that it does not hear.
 *
 * The agent asks after each hello, once a minute, and when the hub wakes it, page by page. What the
 * journal has is told to the hub, a moment later: a run that has started by then needs no telling.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Msg } from "../../../shared/broker/connection.ts";
import { subjects } from "../../../shared/broker/subjects.ts";
import { checkpointsOf } from "../../../shared/node_protocol/checkpoints.ts";
import {
  type Dispatch,
  readDispatch,
  readSignedDispatch,
} from "../../../shared/node_protocol/dispatch.ts";
import type { ReportAnswer } from "../../../shared/node_protocol/reports.ts";
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import { attemptKey } from "../record/attempt_key.ts";
import type { Journal } from "../record/journal.ts";
import type { Broker } from "../hub/broker.ts";
import type { Attempts } from "./attempts.ts";
import type { Reporter } from "./reporter.ts";

export interface WorkIntakeOptions {
  nodeId: number;
  broker: Pick<Broker, "connection" | "trust">;
  journal: Pick<Journal, "open">;
  reporter: Pick<Reporter, "work" | "accepted">;
  attempts: Pick<Attempts, "accept" | "size" | "whenAtMost">;
  log: Logger;
  /** Why a dispatch that the hub has signed is not for this node, if it is not. */
  whyNot?: (dispatch: Dispatch) => string | undefined;
  /** Told of every dispatch that is dropped. */
  onRefused?: (reason: string) => void;
  /** Told of the checkpoints of the hub's audit record that come along. */
  onCheckpoints?: (notes: readonly string[]) => void;
  /** How often is asked for work that was not heard of; each time somewhat earlier or later. */
  askEveryMs?: number;
  /** How long acceptances wait for others, and for the start of their run. */
  tellAfterMs?: number;
  /**
   * Attempts in hand beyond which no more is taken: a hello must name all of them. Subtasks that
   * the hub sends are taken up to a quarter more, for those in hand may wait for them.
   */
  mostHeld?: number;
}

/**
 * Takes work until `signal` is aborted, and rejects then; or, with the error, when it cannot be
 * had. To be called once a hello is accepted: before that the agent would not know what of it is
 * lost.
 */
export async function takeDispatched(
  options: WorkIntakeOptions,
  signal: AbortSignal,
): Promise<never> {
  const { nodeId, broker, reporter, attempts, log, whyNot, onRefused, onCheckpoints } = options;
  const { askEveryMs = 60_000, mostHeld = 8000 } = options;
  const subject = subjects.dispatch(nodeId);
  const tell = createAcceptances(options, signal);
  let wakeUp = Promise.withResolvers<void>();

  function hear(message: Msg): void {
    const reading = readDispatch(message, broker.trust(subject));
    if ("refused" in reading) return drop(message.subject, reading.refused);
    onCheckpoints?.(checkpointsOf(message));
    const { value } = reading;
    if ("wake_up" in value || attempts.size >= mostHeld * (value.parent_id === null ? 1 : 1.25)) {
      wakeUp.resolve();
    } else {
      // A broken journal ends the agent; the hub has the work.
      accept(value).catch(() => {});
    }
  }

  function drop(subject: string, reason: string): void {
    log.warn("Dropped a dispatch", { subject, reason });
    onRefused?.(reason);
  }

  async function accept(dispatch: Dispatch): Promise<void> {
    const reason = whyNot?.(dispatch);
    if (reason) return drop(subject, reason);
    await attempts.accept(dispatch);
    tell(dispatch);
  }

  async function ask(): Promise<void> {
    for (let after: number | null = 0; after !== null;) {
      if (attempts.size >= mostHeld) await attempts.whenAtMost(mostHeld / 2, signal);
      const page: ReportAnswer<"work"> = await reporter.work(after, signal);
      onCheckpoints?.(page.checkpoints ?? []);
      const accepted: Promise<void>[] = [];
      for (const signed of page.dispatches) {
        const reading = readSignedDispatch(signed, broker.trust(subject));
        if ("refused" in reading) drop(subject, reading.refused);
        else accepted.push(accept(reading.value));
      }
      await Promise.all(accepted);
      after = page.next;
    }
  }

  /** Waits for as long as is usual, or until there is work that was not heard of. */
  async function rest(): Promise<void> {
    const woken = new AbortController();
    // Spread, so that ten thousand nodes do not ask in one instant.
    const pause = delay(askEveryMs * (0.5 + Math.random()), undefined, {
      signal: AbortSignal.any([signal, woken.signal]),
    });
    await Promise.race([pause, wakeUp.promise]).finally(() => woken.abort());
  }

  // Anew each time: the client drops a subscription for good that the broker once refused.
  const subscription = broker.connection.subscribe(subject, {
    callback(error, message) {
      if (error) log.warn("Cannot hear of new work; will ask for it", { reason: messageOf(error) });
      else hear(message);
    },
  });
  try {
    for (;;) {
      wakeUp = Promise.withResolvers();
      await ask();
      await rest();
    }
  } finally {
    subscription.unsubscribe();
  }
}

/** Tells the hub what was accepted: what comes together in one report, what has begun in none. */
function createAcceptances(
  { journal, reporter, log, tellAfterMs = 250 }: WorkIntakeOptions,
  signal: AbortSignal,
) {
  let waiting: AttemptId[] = [];
  let telling = false;

  async function tellAll(): Promise<void> {
    telling = true;
    try {
      while (waiting.length > 0) {
        await delay(tellAfterMs, undefined, { signal });
        const some = waiting;
        waiting = [];
        const unbegun = some.filter((one) =>
          journal.open.get(attemptKey(one))?.state === "accepted"
        );
        if (unbegun.length > 0) await reporter.accepted(unbegun, signal);
      }
    } catch (error) {
      waiting = [];
      // The next hello names all that is accepted.
      if (!signal.aborted) log.warn("Cannot tell what is accepted", { reason: messageOf(error) });
    } finally {
      telling = false;
    }
  }

  return function tell({ result_id, attempt }: AttemptId): void {
    waiting.push({ result_id, attempt });
    if (!telling) void tellAll();
  };
}
