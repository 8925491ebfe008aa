/**
 * What running algorithms print, on its way to the feed and into the result.
 * @module
 */
import { z } from "zod";
import type { Outbox } from "../../shared/storage/outbox.ts";
import { lockResult, taskById } from "./store.ts";
import { appendLog } from "./store/log.ts";

/** Characters of a running result's log; what comes after is left out. */
export const MAX_LOG = 1024 * 1024;
/** A message of lines. */
const MAX_LINES = 1000;
const MAX_LINE = 4000;
/** Bytes of a piece as JSON: the event that tells of it must fit into a message, too. */
const MAX_PIECE = 256 * 1024;

export const LOG_SCHEMA = z.object({
  attempt: z.number().int().min(1).max(2_147_483_647),
  seq: z.number().int().min(0).max(2_147_483_646),
  lines: z.array(z.string().max(MAX_LINE)).max(MAX_LINES),
});
export type LogPiece = z.infer<typeof LOG_SCHEMA>;

export interface Logs {
  /** Keeps and tells of a piece, when the node runs this attempt now; else does nothing. */
  append(nodeId: number, resultId: number, piece: LogPiece): Promise<void>;
}

export function createLogs(outbox: Outbox): Logs {
  return {
    append(nodeId, resultId, { attempt, seq, lines }) {
      const text = startOf(lines.join("\n").replaceAll("\0", "\uFFFD").split("\n")).join("\n");
      return outbox.change(async ({ tx, emit }) => {
        const kept = await appendLog(
          tx,
          { result_id: resultId, node_id: nodeId, attempt, seq, text },
          { maxSize: MAX_LOG, fullNote: "[the log is full; the rest is left out]" },
        );
        if (kept === undefined) return;
        const result = (await lockResult(tx, resultId))!;
        const task = (await taskById(tx, result.task_id))!;
        emit("result.log", {
          result_id: resultId,
          task_id: task.id,
          run_id: task.job_id,
          collaboration_id: task.collaboration_id,
          organization_id: result.organization_id,
          init_org_id: task.init_org_id,
          init_user_id: task.init_user_id,
          attempt,
          seq,
          lines: kept.split("\n"),
        });
      });
    },
  };
}

const encoder = new TextEncoder();

/** The first of these lines, as many as a piece holds. In JSON a character has up to six bytes. */
function startOf(lines: string[]): string[] {
  let room = MAX_PIECE;
  const end = lines.findIndex((line) => {
    room -= encoder.encode(JSON.stringify(line)).length + 1;
    return room < 0;
  });
  return end === -1 ? lines : lines.slice(0, end);
}
