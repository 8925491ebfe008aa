/**
 * The report of a finished attempt, written once as the very bytes that will be sent, so that it can be sent
 * again after a crash and a large one can go out as a stream.
 * @module
 */
import { type Seal, sealEnd } from "./encryption/sealed.ts";
import type { AttemptId } from "./journal.ts";
import type { FilePart } from "./upload.ts";

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
  /** Encrypts the result; without one it is plain. */
  seal?: Seal | null;
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
  { status, result, log, reason, seal }: FinishedRun,
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
      await write(`${start},"result":"${seal?.header ?? ""}`);
      let at = 0;
      for (; at + PIECE < result.length; at += PIECE) {
        const piece = result.subarray(at, at + PIECE);
        await write(new Uint8Array(seal?.update(piece) ?? piece).toBase64());
      }
      const rest = result.subarray(at);
      await write(new Uint8Array(seal ? sealEnd(seal, rest) : rest).toBase64());
      await write('"}');
    }
    await file.sync();
  } finally {
    file.close();
  }
}

/**
 * The report at `path` without its payload, and where in the file the payload's base64 lies. For a report that has one.
 */
export async function splitReport(
  path: string,
): Promise<{ head: Record<string, unknown>; part: FilePart }> {
  // Quotes within the values before it are escaped, so this stands in the file only once.
  const mark = new TextEncoder().encode(',"result":"');
  const file = await Deno.open(path);
  try {
    const { size } = await file.stat();
    let start = new Uint8Array();
    for (;;) {
      const piece = new Uint8Array(64 * 1024);
      const count = await file.read(piece);
      if (count === null) throw new Error(`Cannot read the report ${path}: it has no payload`);
      const from = Math.max(0, start.length - mark.length);
      const joined = new Uint8Array(start.length + count);
      joined.set(start);
      joined.set(piece.subarray(0, count), start.length);
      start = joined;
      const at = indexOf(start, mark, from);
      if (at < 0) continue;
      const head = JSON.parse(`${new TextDecoder().decode(start.subarray(0, at))}}`);
      return { head, part: { path, start: at + mark.length, end: size - 2 } };
    }
  } finally {
    file.close();
  }
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = from; at + wanted.length <= bytes.length; at++) {
    if (wanted.every((byte, offset) => bytes[at + offset] === byte)) return at;
  }
  return -1;
}
