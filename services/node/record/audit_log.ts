/**
 * The node's own audit log: a file that only grows, in which every record carries the digest of the one before. It
 * says what was asked, decided, started and ended, and what left the site: sizes and digests, never content.
 *
 * Whoever can write the file can also write it anew from some line on; a digest noted elsewhere from time to time
 * shows that (`deno task node audit verify --expect`).
 * @module
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import { readPieces } from "../payload/pieces.ts";

export const AUDIT_FILE = "audit.log";
const FIRST = "0".repeat(64);

const recordSchema = z.looseObject({
  seq: z.number().int(),
  at: z.string(),
  event: z.string(),
  prev: z.string(),
  hash: z.string(),
});

export type AuditEvent =
  | "agent started"
  | "agent stopped"
  | "task received"
  | "allowed"
  | "refused"
  | "run started"
  | "run ended"
  | "report leaves"
  | "subtask input leaves"
  | "hub record noted"
  | "hub record broken";

export interface AuditLog {
  /** Resolves once the record is on the disk. */
  record(event: AuditEvent, details?: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

/** The audit log cannot be kept. Nothing may run unrecorded. */
export class AuditError extends Error {
  override name = "AuditError";
}

/** The SHA-256 of some content as the log states it. */
export function digestOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The length and the SHA-256 of a file, read piece by piece. */
export async function digestOfFile(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of readPieces(path)) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Opens the log, checking that its last record is whole; a line torn by a crash is cut off. */
export async function openAuditLog(path: string, now = () => new Date()): Promise<AuditLog> {
  const file = await Deno.open(path, { create: true, read: true, write: true, mode: 0o600 });
  let { seq, hash } = await lastRecord(file, path).catch((error) => {
    file.close();
    throw error;
  });
  let turn: Promise<void> = Promise.resolve();

  async function append(event: AuditEvent, details: Record<string, unknown>) {
    const record = { seq: seq + 1, at: now().toISOString(), event, ...details, prev: hash };
    const next = digestOf(JSON.stringify(record));
    const bytes = new TextEncoder().encode(`${JSON.stringify({ ...record, hash: next })}\n`);
    try {
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
      await file.syncData();
    } catch (cause) {
      throw new AuditError(
        `Cannot write the audit log ${path}: ${messageOf(cause)}. Make room or mend the disk.`,
        { cause },
      );
    }
    seq++;
    hash = next;
  }

  return {
    record(event, details = {}) {
      // After a failed write nothing more is taken: the file's end is unknown.
      turn = turn.then(() => append(event, details));
      turn.catch(() => {});
      return turn;
    },
    async close() {
      await turn.catch(() => {});
      file.close();
    },
  };
}

const NEWLINE = 0x0a;

async function lastRecord(file: Deno.FsFile, path: string): Promise<{ seq: number; hash: string }> {
  let { size } = await file.stat();
  let bytes = new Uint8Array();
  // Reads backwards until there is the end of a record before the last one: the log may have grown for years.
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
  const record = readLine(line);
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

/** A record whose digest is right, or what is wrong with it. */
function readLine(line: string): z.infer<typeof recordSchema> | string {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return "is no JSON";
  }
  const parsed = recordSchema.safeParse(json);
  if (!parsed.success) return "has the wrong shape";
  const { hash } = parsed.data;
  const { hash: _, ...rest } = json as Record<string, unknown>;
  return digestOf(JSON.stringify(rest)) === hash ? parsed.data : "was changed";
}

export type Verification =
  | { ok: true; records: number; last: string; from: string; to: string }
  | { ok: false; line: number; problem: string };

/**
 * Checks the whole log in the file `path`, line by line, for it may have grown for years;
 * `expect` is the digest of a record that must be in it.
 */
export async function verifyAuditLog(path: string, expect?: string): Promise<Verification> {
  let prev = FIRST;
  let seen = expect === undefined;
  let records = 0;
  let from = "-";
  let to = "-";
  for await (const { line, whole } of readLines(path)) {
    const number = records + 1;
    if (!whole) {
      return { ok: false, line: number, problem: "is not complete; a crash can do that" };
    }
    const record = readLine(line);
    if (typeof record === "string") return { ok: false, line: number, problem: record };
    if (record.seq !== number || record.prev !== prev) {
      const problem = "does not follow the record before it: something was removed, added or moved";
      return { ok: false, line: number, problem };
    }
    prev = record.hash;
    seen ||= prev === expect;
    if (records === 0) from = record.at;
    to = record.at;
    records = number;
  }
  if (!seen) {
    const problem =
      "is the end, and no record has the expected digest: the end was cut off or rewritten";
    return { ok: false, line: records, problem };
  }
  return { ok: true, records, last: prev, from, to };
}

/** The lines of a file; the last is not `whole` when no newline ends it. */
async function* readLines(path: string): AsyncGenerator<{ line: string; whole: boolean }> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = "";
  for await (const piece of readPieces(path)) {
    const lines = decoder.decode(piece, { stream: true }).split("\n");
    lines[0] = rest + lines[0];
    rest = lines.pop()!;
    for (const line of lines) yield { line, whole: true };
  }
  rest += decoder.decode();
  if (rest !== "") yield { line: rest, whole: false };
}
