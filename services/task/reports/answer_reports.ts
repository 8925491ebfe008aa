/**
 * Answering the reports of nodes: in turns, and one that is said again meanwhile is dealt with
 * once.
 * @module
 */
import { type BrokerConnection, isInboxOf, type Msg } from "../../../shared/broker/connection.ts";
import {
  parseNodeSubject,
  REPORT_KINDS,
  type ReportKind,
  subjects,
} from "../../../shared/broker/subjects.ts";
import type { NodeIssuers } from "../../../shared/node_protocol/credential.ts";
import { proveSender } from "../../../shared/node_protocol/node_signature.ts";
import {
  REPORT_SCHEMAS,
  type ReportAnswer,
  type ReportFailure,
} from "../../../shared/node_protocol/reports.ts";
import { SextantError, toErrorBody } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { createTurns } from "../../../shared/service/turns.ts";
import type { Reports } from "./handlers.ts";
import { AnotherAgent, type OneAgent } from "./one_agent.ts";
import { parseMessage } from "./parse_message.ts";

export interface AnswerReportsOptions {
  nc: BrokerConnection;
  reports: Reports;
  oneAgent: OneAgent;
  issuers: NodeIssuers;
  log: Logger;
}

/**
 * Reports that are dealt with at once: fewer than the database has connections. A task's reports
 * wait for one another, and a thousand nodes that finish the same task must not make everybody else
 * wait for them.
 */
const AT_ONCE = 6;

/** Answers until stopped. Replicas share the reports in one queue group. */
export function answerReports({ nc, reports, oneAgent, issuers, log }: AnswerReportsOptions) {
  const inTurn = createTurns(AT_ONCE);
  /** What is being dealt with, or waits for that, by signature. */
  const underWay = new Map<string, Promise<ReportAnswer<ReportKind>>>();
  const answers = new Set<Promise<void>>();

  async function answer(
    node: number,
    kind: ReportKind,
    payload: string,
  ): Promise<ReportAnswer<ReportKind>> {
    const report = parseMessage(REPORT_SCHEMAS[kind], payload, "report");
    return await reports[kind](node, report as never);
  }

  async function handle(message: Msg): Promise<ReportAnswer<ReportKind> | ReportFailure> {
    try {
      const { node, publicKey, rest, signature } = proveSender(message, issuers);
      const kind = REPORT_KINDS.find((one) => one === rest);
      if (!kind) throw new SextantError("invalid_request", `There is no report "${rest}".`);
      // A node that gets no answer soon says the same again. When many do, that must not be work
      // again, too.
      let answering = underWay.get(signature);
      if (!answering) {
        // Before its turn, for it may have to wait for the broker.
        answering = oneAgent.admit({ node, publicKey }, kind)
          .then(() => inTurn(() => answer(node, kind, message.string())))
          .finally(() => underWay.delete(signature));
        underWay.set(signature, answering);
      }
      return await answering;
    } catch (cause) {
      const { status, body } = toErrorBody(cause);
      if (!(cause instanceof AnotherAgent)) {
        log.warn("A report was refused", { subject: message.subject, error: cause, status });
      }
      return { error: body };
    }
  }

  const subscription = nc.subscribe(subjects.allReports(), {
    queue: "task",
    callback(error, message) {
      if (error) return;
      const node = parseNodeSubject(message.subject)?.node;
      if (node === undefined || !isInboxOf(message.reply, [node])) {
        log.warn("A report with a foreign reply address was dropped", { subject: message.subject });
        return;
      }
      const answer = handle(message).then((body) => void message.respond(JSON.stringify(body)))
        .catch((cause) =>
          log.error("A report could not be answered", { subject: message.subject, error: cause })
        ).finally(() => answers.delete(answer));
      answers.add(answer);
    },
  });

  return {
    /**
     * Takes no more; resolves when what was taken is answered: a node would wait for that in vain.
     */
    async stop() {
      await subscription.drain();
      await Promise.all(answers);
    },
  };
}
