/**
 * The node's own audit log: a file that only grows, in which every record carries the digest of the
 * one before. It says what was asked, decided, started and ended, and what left the site: sizes and
 * digests, never content.
 *
 * Whoever can write the file can also write it anew from some line on; a digest noted elsewhere
 * from time to time shows that (`deno task node audit verify --expect`, `audit_verify.ts`).
 * @module
 */
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { AuditEvent } from "./audit_events.ts";
import { digestOf, FIRST, readAuditLine } from "./audit_record.ts";
import { writeSynced } from "./data_folder.ts";

export type { AuditEvent };
export const AUDIT_FILE = "audit.log";

export interface AuditLog {
  /** Resolves once the record is on the disk. */
  record(event: AuditEvent, details?: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

/** The audit log cannot be kept. Nothing may run unrecorded. */
export class AuditError extends Error {
  override name = "AuditError";
}

/** What adds records about one attempt, which name it. */
export function auditOfAttempt(
  audit: Pick<AuditLog, "record">,
  { task_id, result_id, attempt }: AttemptId & { task_id: number },
): AuditLog["record"] {
  return (event, details = {}) => audit.record(event, { task_id, result_id, attempt, ...details });
}

/** Opens the log, checking that its last record is whole; a line torn by a crash is cut off. */
export async function openAuditLog(path: string, now = () => new Date()): Promise<AuditLog> {
  const file = await Deno.open(path, { create: true, read: true, write: true, mode: 0o600 });
  let { seq, hash } = await lastRecord(file, path).catch((error) => {
    file.close();
    throw error;
  });
  let waiting: { line: string; written: PromiseWithResolvers<void> }[] = [];
  let writing: Promise<void> | undefined;
  let failure: AuditError | undefined;

  function lineOf(event: AuditEvent, details: Record<string, unknown>): string {
    const record = { seq: seq + 1, at: now().toISOString(), event, ...details, prev: hash };
    hash = digestOf(JSON.stringify(record));
    seq++;
    return `${JSON.stringify({ ...record, hash })}\n`;
  }

  async function writeAll(): Promise<void> {
    // What is recorded in the same moment comes along: one sync is for all of it.
    await Promise.resolve();
    while (waiting.length > 0 && !failure) {
      const batch = waiting;
      waiting = [];
      try {
        await writeSynced(file, batch.map(({ line }) => line).join(""));
        for (const { written } of batch) written.resolve();
      } catch (cause) {
        // After a failed write nothing more is taken: the file's end is unknown.
        failure = new AuditError(
          `Cannot write the audit log ${path}: ${messageOf(cause)}. Make room or mend the disk.`,
          { cause },
        );
        for (const { written } of [...batch, ...waiting]) written.reject(failure);
      }
    }
    writing = undefined;
  }

  return {
    record(event, details = {}) {
      if (failure) return Promise.reject(failure);
      const written = Promise.withResolvers<void>();
      // Not everybody waits for it.
      written.promise.catch(() => {});
      waiting.push({ line: lineOf(event, details), written });
      writing ??= writeAll();
      return written.promise;
    },
    async close() {
      await writing;
      file.close();
    },
  };
}

const NEWLINE = 0x0a;

async function lastRecord(file: Deno.FsFile, path: string): Promise<{ seq: number; hash: string }> {
  let { size } = await file.stat();
  let bytes = new Uint8Array();
  // Reads backwards until there is the end of a record before the last one: the log may have grown
  // for years.
  for (let from = size; from > 0 && bytes.lastIndexOf(NEWLINE, -2) < 0;) {
    from = Math.max(0, from - 64 * 1024);
    bytes = await readFrom(file, from, size);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    // In bytes: what a tear has left of a character is no text.
    if (end < bytes.length && (end > 0 || from === 0)) {
      size = from + end;
      await file.truncate(size);
      bytes = bytes.subarray(0, end);
    }
  }
  await file.seek(0, Deno.SeekMode.End);
  const line = new TextDecoder().decode(bytes).trimEnd().split("\n").at(-1) ?? "";
  if (line === "") return { seq: 0, hash: FIRST };
  const record = readAuditLine(line);
  if (typeof record !== "string") return record;
  throw new AuditError(
    `Cannot go on with the audit log ${path}: its last record ${record}. ` +
      "Keep the file as evidence and move it away; the agent then begins a new one.",
  );
}

async function readFrom(
  file: Deno.FsFile,
  from: number,
  to: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(to - from);
  await file.seek(from, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) {
    const count = await file.read(bytes.subarray(done));
    if (count === null) throw new Error("the file became shorter while it was read");
    done += count;
  }
  return bytes;
}
