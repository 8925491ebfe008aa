/**
 * How work comes in: after every (re)connection the agent says hello, drops what the hub says is over, and then
 * takes dispatches until the connection is lost; kills come at any time.
 *
 * Nothing is taken before the hub has answered the hello, because the hub counts started work that a hello does not
 * name as lost.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { JsMsg } from "../../../shared/broker/connection.ts";
import { nodeDurable, STREAMS, subjects } from "../../../shared/broker/subjects.ts";
import { persist } from "../hub/persist.ts";
import type { Broker } from "../hub/broker.ts";
import { readDispatch } from "../../../shared/node_protocol/dispatch.ts";
import { readKill } from "../../../shared/node_protocol/kill.ts";
import type { Journal } from "../record/journal.ts";
import { Interruption } from "./attempt.ts";
import type { Attempts } from "./attempts.ts";
import type { Reporter } from "./reporter.ts";

export interface IntakeOptions {
  nodeId: number;
  broker: Broker;
  journal: Journal;
  reporter: Reporter;
  attempts: Attempts;
  log: Logger;
  /** Called once the hub knows that this agent is there. */
  onReady: () => void;
  signal: AbortSignal;
}

/** Takes work until `signal` is aborted. */
export async function takeWork(options: IntakeOptions): Promise<void> {
  const { nodeId, broker, log, signal } = options;
  const kills = broker.connection.subscribe(subjects.kill(nodeId), {
    callback: (error, message) => {
      if (error) return log.warn("Cannot receive kills", { reason: messageOf(error) });
      const reading = readKill(message, broker.trust(subjects.kill(nodeId)));
      if ("refused" in reading) return log.warn("Dropped a kill", { reason: reading.refused });
      options.attempts.interrupt(
        reading.value,
        new Interruption("killed", "The run was killed by a user."),
      );
    },
  });
  try {
    for (;;) {
      const connected = AbortSignal.any([signal, await broker.connected(signal)]);
      await persist(async () => {
        await sayHello(options, connected);
        options.onReady();
        await takeDispatches(options, connected);
        throw new Error("the broker ended the delivery");
      }, { what: "take work", log, signal: connected }).catch((error) => {
        if (!connected.aborted) throw error;
      });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    kills.unsubscribe();
  }
}

async function sayHello(
  { reporter, journal, attempts, log }: IntakeOptions,
  signal: AbortSignal,
): Promise<void> {
  const open = [...journal.open.values()].map(({ dispatch: { result_id, attempt }, state }) => ({
    result_id,
    attempt,
    state,
  }));
  const { drop } = await reporter.hello(open, signal);
  for (const { reason, ...which } of drop) {
    attempts.interrupt(
      which,
      new Interruption(
        reason === "killed" ? "killed" : "unwanted",
        `the hub no longer wants it: ${reason}`,
      ),
    );
  }
  log.info("Connected", { open: open.length, dropped: drop.length });
}

async function takeDispatches(options: IntakeOptions, signal: AbortSignal): Promise<void> {
  const { nodeId, broker } = options;
  const consumer = await broker.connection.jetstream().consumers.get(
    STREAMS.dispatch,
    nodeDurable(nodeId),
  );
  const messages = await consumer.consume({
    max_messages: 100,
    expires: 30_000,
    idle_heartbeat: 5000,
    abort_on_missing_resource: true,
  });
  const stop = () => messages.stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    if (signal.aborted) return;
    for await (const message of messages) take(message, options);
  } finally {
    signal.removeEventListener("abort", stop);
    messages.stop();
  }
}

/** Believes or drops one dispatch; acknowledges it once the journal has it. */
function take(message: JsMsg, { nodeId, broker, attempts, log }: IntakeOptions): void {
  const reading = readDispatch(message, broker.trust(subjects.dispatch(nodeId)));
  if ("refused" in reading) {
    log.warn("Dropped a dispatch", { subject: message.subject, reason: reading.refused });
    message.term();
    return;
  }
  attempts.accept(reading.value).then(
    () => message.ack(),
    () => {}, // The journal is broken, which ends the agent; the broker keeps the message.
  );
}
