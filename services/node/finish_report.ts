/**
 * The report of a finished attempt, written once as the very bytes that will be sent, so that it can be sent
 * again after a crash and a large one can go out as a stream.
 * @module
 */
import type { AttemptId } from "./journal.ts";

/** The words with which an attempt can end; the field's own (HTTP contract §5.3). */
export const FINAL_STATUSES = [
  "completed",
  "failed",
  "crashed",
  "start failed",
  "non-existing Docker image",
  "not allowed",
  "unknown error",
  "killed by user",
] as const;
export type FinalStatus = typeof FINAL_STATUSES[number];

/** How an attempt ended. */
export interface FinishedRun {
  status: FinalStatus;
  /** The algorithm's output: JSON as bytes. */
  result: Uint8Array | null;
  log: string | null;
  /** For people: why it did not complete. */
  reason: string | null;
}

// A multiple of three, so that the pieces join to one base64 text.
const PIECE = 768 * 1024;

/** Writes and syncs the report; `result` becomes base64 piece by piece, so memory does not grow with it. */
export async function writeFinishReport(
  path: string,
  head: AttemptId & { agent_id: string },
  { status, result, log, reason }: FinishedRun,
): Promise<void> {
  const file = await Deno.open(path, { create: true, write: true, truncate: true, mode: 0o600 });
  const encoder = new TextEncoder();
  async function write(text: string) {
    const bytes = encoder.encode(text);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  }
  try {
    const start = JSON.stringify({ ...head, status, log, reason }).slice(0, -1);
    if (result === null) {
      await write(`${start},"result":null}`);
    } else {
      await write(`${start},"result":"`);
      for (let at = 0; at < result.length; at += PIECE) {
        await write(result.subarray(at, at + PIECE).toBase64());
      }
      await write('"}');
    }
    await file.sync();
  } finally {
    file.close();
  }
}
