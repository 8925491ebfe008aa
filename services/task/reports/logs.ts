/**
 * What running algorithms print, on its way to the feed and into the result.
 * @module
 */
import { MAX_LOG_PIECE } from "../../../shared/node_protocol/limits.ts";
import type { LogPiece } from "../../../shared/node_protocol/logs.ts";
import type { Outbox } from "../../../shared/storage/outbox.ts";
import { tellPrinted } from "../events.ts";
import { lockResult } from "../store/result.ts";
import { taskById } from "../store/task.ts";
import { appendLog } from "../store/log.ts";

/** Characters of a running result's log; what comes after is left out. */
export const MAX_LOG = 1024 * 1024;

export interface Logs {
  /** Keeps and tells of a piece, when the node runs this attempt now; else does nothing. */
  append(nodeId: number, resultId: number, piece: LogPiece): Promise<void>;
}

export function createLogs(outbox: Outbox): Logs {
  return {
    append(nodeId, resultId, { attempt, seq, lines }) {
      const text = startOf(lines.join("\n").replaceAll("\0", "\uFFFD").split("\n")).join("\n");
      return outbox.change(async (change) => {
        const { tx } = change;
        const kept = await appendLog(
          tx,
          { result_id: resultId, node_id: nodeId, attempt, seq, text },
          { maxSize: MAX_LOG, fullNote: "[the log is full; the rest is left out]" },
        );
        if (kept === undefined) return;
        const result = (await lockResult(tx, resultId))!;
        const task = (await taskById(tx, result.task_id))!;
        const piece = { attempt, seq, lines: kept.split("\n") };
        tellPrinted(change, { task, result, piece });
      });
    },
  };
}

const encoder = new TextEncoder();

/** The first of these lines, as many as a piece holds. In JSON a character has up to six bytes. */
function startOf(lines: string[]): string[] {
  let room = MAX_LOG_PIECE;
  const end = lines.findIndex((line) => {
    room -= encoder.encode(JSON.stringify(line)).length + 1;
    return room < 0;
  });
  return end === -1 ? lines : lines.slice(0, end);
}
