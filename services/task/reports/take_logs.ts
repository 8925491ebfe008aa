/**
 * Taking in the logs of running algorithms. Nobody waits for an answer, and a piece that is lost
 * comes again with the whole log at the end: so they are let go when too many come.
 * @module
 */
import type { BrokerConnection, Msg } from "../../../shared/broker/connection.ts";
import { parseNodeSubject, subjects } from "../../../shared/broker/subjects.ts";
import type { NodeIssuers } from "../../../shared/node_protocol/credential.ts";
import { logPieceSchema } from "../../../shared/node_protocol/logs.ts";
import { type Proven, proveSender } from "../../../shared/node_protocol/node_signature.ts";
import type { Counts } from "../../../shared/service/counts.ts";
import { createFairTurns } from "../../../shared/service/fair_turns.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { logBeginnings } from "../../../shared/service/log_beginnings.ts";
import { createIntakeLimits, type RefusedKind } from "./intake_limits.ts";
import type { Logs } from "./logs.ts";
import { parseMessage } from "./parse_message.ts";

export interface TakeLogsOptions {
  nc: BrokerConnection;
  logs: Logs;
  issuers: NodeIssuers;
  counts: Pick<Counts, "add">;
  log: Logger;
}

/** Pieces of logs have turns of their own, for no report is to wait for them. */
const AT_ONCE = 2;
/** Pieces of one node: those of a hundred runs that print all the time. */
const OF_ONE_NODE = {
  proven: { burst: 1_000, perMinute: 6_000 },
  mostWaiting: 500,
  mostBytesWaiting: 16 * 2 ** 20,
};
/** Bytes of all nodes that may wait. */
const MOST_BYTES_WAITING = 64 * 2 ** 20;

/** Takes logs until stopped. Replicas share them in one queue group. */
export function takeLogs({ nc, logs, issuers, counts, log }: TakeLogsOptions) {
  const inTurn = createFairTurns<number>(AT_ONCE);
  const warn = logBeginnings(log);
  const limits = createIntakeLimits({ what: "log", counts, warn, ...OF_ONE_NODE });
  let bytesWaiting = 0;

  async function keep(message: Msg, { node, rest }: Proven): Promise<void> {
    const { length } = message.data;
    if (bytesWaiting + length > MOST_BYTES_WAITING) {
      counts.add("log over the limit" satisfies RefusedKind);
      return;
    }
    bytesWaiting += length;
    try {
      const piece = parseMessage(logPieceSchema, message.string(), "log");
      await inTurn(node, () => logs.append(node, Number(rest), piece));
    } finally {
      bytesWaiting -= length;
    }
  }

  const subscription = nc.subscribe(subjects.allLogs(), {
    queue: "task",
    callback(error, message) {
      if (error) return;
      const node = parseNodeSubject(message.subject)?.node;
      if (node === undefined) return;
      limits.take(
        { node, bytes: message.data.length },
        () => proveSender(message, issuers),
        (sender) => keep(message, sender),
      ).catch((cause) =>
        warn(String(node), "A piece of a log was dropped", {
          subject: message.subject,
          error: cause,
        })
      );
    },
  });
  return { stop: () => subscription.drain() };
}
