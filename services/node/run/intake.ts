/**
 * How work comes in: after every (re)connection the agent says hello, drops what the hub says is
 * over, and then takes work until the connection is lost; kills come at any time.
 *
 * Nothing is taken before the hub has accepted a hello, because the hub counts started work that a
 * hello does not name as lost; and what the journal holds is not gone on with before the first,
 * because another agent with the same API key, on another copy of this journal, may be at it.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { subjects } from "../../../shared/broker/subjects.ts";
import { persist } from "../hub/persist.ts";
import type { Broker } from "../hub/broker.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { readKill } from "../../../shared/node_protocol/kill.ts";
import type { ReportAnswer } from "../../../shared/node_protocol/reports.ts";
import type { SecondAgent } from "../../../shared/node_protocol/second_agent.ts";
import type { AuditLog } from "../record/audit_log.ts";
import type { Journal } from "../record/journal.ts";
import { Interruption } from "./interruption.ts";
import type { Attempts } from "./attempts.ts";
import type { Reporter } from "./reporter.ts";
import { whyNotThisKill } from "./addressed.ts";
import { takeDispatched } from "./work_intake.ts";

export interface IntakeOptions {
  nodeId: number;
  broker: Broker;
  journal: Journal;
  reporter: Reporter;
  attempts: Attempts;
  log: Logger;
  /** Why a dispatch that the hub has signed is not for this node, if it is not. */
  whyNot: (dispatch: Dispatch) => string | undefined;
  audit: Pick<AuditLog, "record">;
  /** Told of the checkpoints of the hub's audit record that come along. */
  onCheckpoints: (notes: readonly string[]) => void;
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
      const refused = "refused" in reading
        ? reading.refused
        : "result_id" in reading.value
        ? whyNotThisKill(reading.value, Date.now())
        : undefined;
      if ("refused" in reading || refused !== undefined) {
        log.warn("Dropped a kill", { reason: refused });
        void options.audit.record("hub message refused", { what: "kill", reason: refused });
        return;
      }
      if ("second_agent" in reading.value) return sayThatThereIsAnother(reading.value, options);
      options.attempts.interrupt(
        reading.value,
        new Interruption("killed", "The run was killed by a user."),
      );
    },
  });
  let resumed = false;
  try {
    for (;;) {
      const connected = AbortSignal.any([signal, await broker.connected(signal)]);
      await persist(async () => {
        const drop = await sayHello(options, connected);
        if (!resumed) options.attempts.resume();
        resumed = true;
        dropUnwanted(options, drop);
        options.onReady();
        await takeDispatched({
          ...options,
          onRefused: (reason) =>
            void options.audit.record("hub message refused", { what: "dispatch", reason }),
        }, AbortSignal.any([connected, options.reporter.disowned]));
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

type Drop = (ReportAnswer<"hello"> & { ok: true })["drop"];

async function sayHello(
  { reporter, journal, log }: IntakeOptions,
  signal: AbortSignal,
): Promise<Drop> {
  const open = [...journal.open.values()].map(({ dispatch: { result_id, attempt }, state }) => ({
    result_id,
    attempt,
    // What a person still has to release is computed, and no hub knows a finer word for that.
    state: state === "held" ? "finished" as const : state,
  }));
  const { drop } = await reporter.hello(open, signal);
  log.info("Connected", { open: open.length, dropped: drop.length });
  return drop;
}

function dropUnwanted({ attempts }: IntakeOptions, drop: Drop): void {
  for (const { reason, ...which } of drop) {
    attempts.interrupt(
      which,
      new Interruption(
        reason === "killed" ? "killed" : "unwanted",
        `the hub no longer wants it: ${reason}`,
      ),
    );
  }
}

function sayThatThereIsAnother(
  { second_agent }: SecondAgent,
  { broker, log }: IntakeOptions,
): void {
  if (second_agent.first !== broker.publicKey) return;
  log.warn("Another agent with this key is refused while this one is connected", {
    from: second_agent.address,
    at: second_agent.at,
  });
}
