/**
 * The audit log from its end backwards, a piece at a time: it may have grown for years, and what
 * people look for is mostly of late.
 * @module
 */
import { type AuditRecord, readAuditLine } from "./audit_record.ts";

const PIECE = 64 * 1024;
const NEWLINE = 0x0a;
/** Characters beyond which a line is no record, and is not taken into memory. */
const LONGEST = 16 * 2 ** 20;

/** A line of the log. */
export interface AuditLine {
  text: string;
  /** Where it begins, in bytes: reading goes on before it. */
  at: number;
}

/**
 * The lines before the byte `before`, the last one first; of the end when it is not given. What has
 * no line end yet is being written just now, and is left out.
 */
export async function* linesBackwards(path: string, before?: number): AsyncGenerator<AuditLine> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const end = Math.min(before ?? size, size);
  const decoder = new TextDecoder();
  let from = end;
  /** Of a line of which the beginning is not read yet, with its line end. */
  let rest = new Uint8Array();
  while (from > 0) {
    const start = Math.max(0, from - PIECE);
    const piece = await readFrom(file, start, from);
    let bytes = joined(piece, rest);
    from = start;
    for (;;) {
      // The last byte ends the last line; the one before it ends the line before.
      const cut = bytes.lastIndexOf(NEWLINE, -2) + 1;
      if (cut === 0 && from > 0) break;
      if (bytes.length > 0 && bytes.at(-1) === NEWLINE) {
        yield { text: decoder.decode(bytes.subarray(0, -1).subarray(cut)), at: from + cut };
      }
      bytes = bytes.subarray(0, cut);
      if (cut === 0) break;
    }
    if (bytes.length > LONGEST) {
      throw new Error(`Cannot read the audit log ${path}: it has a line that is no record`);
    }
    rest = bytes;
  }
}

/** A record, or what is wrong with its line and what of it can be read. */
export interface ReadRecord {
  record: Partial<AuditRecord>;
  problem: string | null;
}

/** Reads a line; what is wrong with it is said, not left out. */
export function readForPeople(text: string): ReadRecord {
  const read = readAuditLine(text);
  if (typeof read !== "string") return { record: read, problem: null };
  try {
    const json: unknown = JSON.parse(text);
    const record = typeof json === "object" && json !== null && !Array.isArray(json) ? json : {};
    return { record: record as Partial<AuditRecord>, problem: read };
  } catch {
    return { record: {}, problem: read };
  }
}

async function readFrom(file: Deno.FsFile, from: number, to: number) {
  const bytes = new Uint8Array(to - from);
  await file.seek(from, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) {
    const count = await file.read(bytes.subarray(done));
    if (count === null) throw new Error("the file became shorter while it was read");
    done += count;
  }
  return bytes;
}

function joined(one: Uint8Array<ArrayBuffer>, other: Uint8Array): Uint8Array<ArrayBuffer> {
  if (other.length === 0) return one;
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}
