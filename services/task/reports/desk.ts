/**
 * The reports of nodes as they arrive on NATS: who wrote it is checked, then what.
 *
 * The broker sees to it that only a node publishes on its subjects, but not to the reply subjects that messages
 * carry. So a report is signed with the node's key, shows the credential for that key, and is answered only into
 * an inbox of that node.
 * @module
 */
import { SextantError, toErrorBody } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { type BrokerConnection, isInboxOf, type Msg } from "../../../shared/broker/connection.ts";
import type { NodeIssuers } from "../../../shared/node_protocol/credential.ts";
import { logPieceSchema } from "../../../shared/node_protocol/logs.ts";
import { proveSender } from "../../../shared/node_protocol/node_signature.ts";
import { REPORT_SCHEMAS, type ReportFailure } from "../../../shared/node_protocol/reports.ts";
import {
  parseNodeSubject,
  REPORT_KINDS,
  type ReportKind,
  subjects,
} from "../../../shared/broker/subjects.ts";
import { createTurns } from "../../../shared/service/turns.ts";
import type { Logs } from "./logs.ts";
import type { Reports } from "./handlers.ts";

export interface ReportDeskOptions {
  nc: BrokerConnection;
  reports: Reports;
  logs: Logs;
  issuers: NodeIssuers;
  log: Logger;
}

/**
 * Reports that are dealt with at once: fewer than the database has connections. A task's reports wait for one
 * another, and a thousand nodes that finish the same task must not make everybody else wait for them.
 */
const AT_ONCE = 6;
/** Pieces of logs have turns of their own, for no report is to wait for them; beyond so many, they are let go. */
const LOGS_AT_ONCE = 2;
const MOST_LOGS = 500;
const MOST_LOG_BYTES = 16 * 2 ** 20;

/** Throws `invalid_request`, which the node does not try again, for what is not JSON. */
function parseJson(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch (cause) {
    throw new SextantError("invalid_request", "The message is not JSON.", { cause });
  }
}

/** Answers reports and takes in logs until stopped. Replicas share them in one queue group. */
export function serveReports({ nc, reports, logs, issuers, log }: ReportDeskOptions) {
  const inTurn = createTurns(AT_ONCE);
  const logsInTurn = createTurns(LOGS_AT_ONCE);
  let logsWaiting = 0;
  let logBytes = 0;
  /** What is being dealt with, or waits for that, by signature. */
  const underWay = new Map<string, Promise<unknown>>();
  const answers = new Set<Promise<void>>();

  async function answer(node: number, kind: ReportKind, payload: string): Promise<unknown> {
    const parsed = REPORT_SCHEMAS[kind].safeParse(parseJson(payload));
    if (!parsed.success) {
      throw new SextantError("invalid_request", `The report is malformed: ${parsed.error.message}`);
    }
    return await reports[kind](node, parsed.data as never);
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

  async function handle(message: Msg): Promise<unknown> {
    try {
      const { node, rest, signature } = proveSender(message, issuers);
      const kind = REPORT_KINDS.find((one) => one === rest);
      if (!kind) throw new SextantError("invalid_request", `There is no report "${rest}".`);
      // A node that gets no answer soon says the same again. When many do, that must not be work again, too.
      let answering = underWay.get(signature);
      if (!answering) {
        answering = inTurn(() => answer(node, kind, message.string()))
          .finally(() => underWay.delete(signature));
        underWay.set(signature, answering);
      }
      return await answering;
    } catch (cause) {
      const { status, body } = toErrorBody(cause);
      log.warn("A report was refused", { subject: message.subject, error: cause, status });
      return { error: body } satisfies ReportFailure;
    }
  }

  // Nobody waits for an answer, and a piece that is lost comes again with the whole log at the end.
  const logSubscription = nc.subscribe(subjects.allLogs(), {
    queue: "task",
    callback(error, message) {
      if (error) return;
      takeLog(message).catch((cause) =>
        log.warn("A piece of a log was dropped", { subject: message.subject, error: cause })
      );
    },
  });

  async function takeLog(message: Msg): Promise<void> {
    const { node, rest } = proveSender(message, issuers);
    const parsed = logPieceSchema.safeParse(parseJson(message.string()));
    if (!parsed.success) {
      throw new SextantError("invalid_request", `The log is malformed: ${parsed.error.message}`);
    }
    const { length } = message.data;
    if (logsWaiting === MOST_LOGS || logBytes + length > MOST_LOG_BYTES) {
      throw new SextantError("too_many_requests", "More logs come than can be kept.");
    }
    logsWaiting++;
    logBytes += length;
    await logsInTurn(() => logs.append(node, Number(rest), parsed.data)).finally(() => {
      logsWaiting--;
      logBytes -= length;
    });
  }

  return {
    /** Takes no more; resolves when what was taken is answered: a node would wait for that in vain. */
    async stop() {
      await Promise.all([subscription.drain(), logSubscription.drain()]);
      await Promise.all(answers);
    },
  };
}
