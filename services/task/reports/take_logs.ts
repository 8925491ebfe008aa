/**
 * Taking in the logs of running algorithms. Nobody waits for an answer, and a piece that is lost
 * comes again with the whole log at the end: so they are let go when too many come.
 * @module
 */
import type { BrokerConnection, Msg } from "../../../shared/broker/connection.ts";
import { subjects } from "../../../shared/broker/subjects.ts";
import type { NodeIssuers } from "../../../shared/node_protocol/credential.ts";
import { logPieceSchema } from "../../../shared/node_protocol/logs.ts";
import { proveSender } from "../../../shared/node_protocol/node_signature.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { createTurns } from "../../../shared/service/turns.ts";
import type { Logs } from "./logs.ts";
import { parseMessage } from "./parse_message.ts";

export interface TakeLogsOptions {
  nc: BrokerConnection;
  logs: Logs;
  issuers: NodeIssuers;
  log: Logger;
}

/** Pieces of logs have turns of their own, for no report is to wait for them. */
const AT_ONCE = 2;
const MOST_WAITING = 500;
const MOST_BYTES_WAITING = 16 * 2 ** 20;

/** Takes logs until stopped. Replicas share them in one queue group. */
export function takeLogs({ nc, logs, issuers, log }: TakeLogsOptions) {
  const inTurn = createTurns(AT_ONCE);
  let waiting = 0;
  let bytesWaiting = 0;

  async function take(message: Msg): Promise<void> {
    const { node, rest } = proveSender(message, issuers);
    const piece = parseMessage(logPieceSchema, message.string(), "log");
    const { length } = message.data;
    if (waiting === MOST_WAITING || bytesWaiting + length > MOST_BYTES_WAITING) {
      throw new SextantError("too_many_requests", "More logs come than can be kept.");
    }
    waiting++;
    bytesWaiting += length;
    await inTurn(() => logs.append(node, Number(rest), piece)).finally(() => {
      waiting--;
      bytesWaiting -= length;
    });
  }

  const subscription = nc.subscribe(subjects.allLogs(), {
    queue: "task",
    callback(error, message) {
      if (error) return;
      take(message).catch((cause) =>
        log.warn("A piece of a log was dropped", { subject: message.subject, error: cause })
      );
    },
  });
  return { stop: () => subscription.drain() };
}
