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
import { type Proven, proveSender } from "../../../shared/node_protocol/node_signature.ts";
import {
  REPORT_SCHEMAS,
  type ReportAnswer,
  type ReportFailure,
} from "../../../shared/node_protocol/reports.ts";
import type { Counts } from "../../../shared/service/counts.ts";
import { SextantError, toErrorBody } from "../../../shared/service/errors.ts";
import { createFairTurns } from "../../../shared/service/fair_turns.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { logBeginnings } from "../../../shared/service/log_beginnings.ts";
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import { noTracer, type Tracer } from "../../../shared/tracing/tracer.ts";
import { TRACEPARENT_HEADER } from "../../../shared/tracing/traceparent.ts";
import type { Reports } from "./handlers.ts";
import { createIntakeLimits, type RefusedKind } from "./intake_limits.ts";
import { AnotherAgent, type OneAgent } from "./one_agent.ts";
import { parseMessage } from "./parse_message.ts";

export interface AnswerReportsOptions {
  nc: BrokerConnection;
  reports: Reports;
  oneAgent: OneAgent;
  issuers: NodeIssuers;
  counts: Pick<Counts, "add">;
  tracer?: Tracer;
  log: Logger;
}

/** Which attempt a report is about, if it is about one. */
function attemptOf(report: object): Partial<AttemptId> {
  if (!("result_id" in report && "attempt" in report)) return {};
  const { result_id, attempt } = report as AttemptId;
  return { result_id, attempt };
}

/**
 * Reports that are dealt with at once: fewer than the database has connections. A task's reports
 * wait for one another, and a thousand nodes that finish the same task must not make everybody else
 * wait for them.
 */
const AT_ONCE = 6;
/** Senders that are admitted at once: more, for some have to wait for the broker. */
const ADMITTED_AT_ONCE = 32;

/** Answers until stopped. Replicas share the reports in one queue group. */
export function answerReports(
  { nc, reports, oneAgent, issuers, counts, tracer = noTracer, log }: AnswerReportsOptions,
) {
  const inTurn = createFairTurns<number>(AT_ONCE);
  const admitInTurn = createFairTurns<number>(ADMITTED_AT_ONCE);
  const warn = logBeginnings(log);
  const limits = createIntakeLimits({ what: "report", counts, warn });
  /** What is being dealt with, or waits for that, by signature. */
  const underWay = new Map<string, Promise<ReportAnswer<ReportKind>>>();
  const answers = new Set<Promise<void>>();

  async function answer(
    { node, publicKey, rest }: Proven,
    payload: string,
    parent: string | undefined,
  ): Promise<ReportAnswer<ReportKind>> {
    const kind = REPORT_KINDS.find((one) => one === rest);
    if (!kind) throw new SextantError("invalid_request", `There is no report "${rest}".`);
    // Before its turn, for it may have to wait for the broker.
    await admitInTurn(node, () => oneAgent.admit({ node, publicKey }, kind));
    return await inTurn(node, async () => {
      const report = parseMessage(REPORT_SCHEMAS[kind], payload, "report");
      const dealWith = (): Promise<ReportAnswer<ReportKind>> =>
        reports[kind](node, report as never);
      if (!tracer.on) return await dealWith();
      const attributes = { node_id: node, ...attemptOf(report) };
      return await tracer.span(`report ${kind}`, { parent, kind: "server", attributes }, dealWith);
    });
  }

  async function handle(
    message: Msg,
    sender: Proven,
  ): Promise<ReportAnswer<ReportKind> | ReportFailure> {
    const { node, signature } = sender;
    try {
      // A node that gets no answer soon says the same again. When many do, that must not be work
      // again, too.
      let answering = underWay.get(signature);
      if (!answering) {
        const parent = message.headers?.get(TRACEPARENT_HEADER);
        answering = answer(sender, message.string(), parent).finally(() =>
          underWay.delete(signature)
        );
        underWay.set(signature, answering);
      }
      return await answering;
    } catch (cause) {
      const { status, body } = toErrorBody(cause);
      if (!(cause instanceof AnotherAgent)) {
        warn(String(node), "A report was refused", {
          subject: message.subject,
          error: cause,
          status,
        });
      }
      return { error: body };
    }
  }

  async function take(message: Msg): Promise<void> {
    const node = parseNodeSubject(message.subject)?.node;
    if (node === undefined || !isInboxOf(message.reply, [node])) {
      counts.add("report with a foreign reply address" satisfies RefusedKind);
      warn(String(node), "A report with a foreign reply address was dropped", {
        subject: message.subject,
      });
      return;
    }
    const body = await limits.take(
      { node, bytes: message.data.length },
      () => proveSender(message, issuers),
      (sender) => handle(message, sender),
    );
    // What is not proven gets no answer, and what is too much is said again.
    if (body !== undefined) message.respond(JSON.stringify(body));
  }

  const subscription = nc.subscribe(subjects.allReports(), {
    queue: "task",
    callback(error, message) {
      if (error) return;
      const taking = take(message).catch((cause) =>
        log.error("A report could not be answered", { subject: message.subject, error: cause })
      ).finally(() => answers.delete(taking));
      answers.add(taking);
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
