/**
 * A running algorithm's log on its way to whoever watches: at once when it is quiet, gathered when
 * it is not, and never more than a watcher could read. The whole log comes with the result.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import { MAX_LOG_PIECE } from "../../../shared/node_protocol/limits.ts";
import type { LogPiece } from "../../../shared/node_protocol/logs.ts";
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { subjects } from "../../../shared/broker/subjects.ts";
import type { Broker } from "../hub/broker.ts";

/** Passes on a piece of a running algorithm's log. */
export type SendLog = (
  attempt: AttemptId,
  piece: Pick<LogPiece, "seq" | "lines">,
) => void;

export interface CreateSendLogOptions {
  broker: Pick<Broker, "publish">;
  nodeId: number;
  log: Logger;
}

/**
 * What sends a log to the hub. It never throws: no run fails for what somebody would have liked to
 * watch.
 */
export function createSendLog({ broker, nodeId, log }: CreateSendLogOptions): SendLog {
  return function sendLog({ result_id, attempt }, piece) {
    const content: LogPiece = { attempt, ...piece };
    const message = new TextEncoder().encode(JSON.stringify(content));
    try {
      broker.publish(subjects.log(nodeId, result_id), message);
    } catch (error) {
      const { length: bytes } = message;
      log.warn("A piece of a log was not sent", { result_id, bytes, reason: messageOf(error) });
    }
  };
}

export interface LogStreamOptions {
  send: (piece: Pick<LogPiece, "seq" | "lines">) => void;
  /** Shortest time between two messages, in milliseconds. */
  everyMs?: number;
  /** Lines in one message; more are left out, and counted. */
  maxLines?: number;
  /** Characters of a line. */
  maxLength?: number;
  /** Bytes of a message's lines as JSON, where one character may take six. */
  maxBytes?: number;
}

export interface LogStream {
  push(lines: string[]): void;
  /** Sends what is left. */
  end(): void;
}

export function createLogStream(
  { send, everyMs = 100, maxLines = 200, maxLength = 1000, maxBytes = MAX_LOG_PIECE }:
    LogStreamOptions,
): LogStream {
  const encoder = new TextEncoder();
  let gathered: string[] = [];
  let bytes = 0;
  let leftOut = 0;
  let seq = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush() {
    timer = undefined;
    if (gathered.length === 0) return;
    if (leftOut > 0) gathered.push(`[${leftOut} more lines]`);
    send({ seq: seq++, lines: gathered });
    gathered = [];
    bytes = 0;
    leftOut = 0;
    timer = setTimeout(flush, everyMs);
  }

  /** Whether there was room for it. */
  function gather(line: string): boolean {
    if (leftOut > 0 || gathered.length === maxLines) return false;
    const cut = line.slice(0, maxLength);
    const size = encoder.encode(JSON.stringify(cut)).length + 1;
    if (bytes + size > maxBytes) return false;
    bytes += size;
    gathered.push(cut);
    return true;
  }

  return {
    push(lines) {
      for (const line of lines) if (!gather(line)) leftOut++;
      if (timer === undefined) flush();
    },
    end() {
      clearTimeout(timer);
      flush();
      clearTimeout(timer);
    },
  };
}
