/**
 * Whether an audit log is whole: `deno task node audit verify`.
 * @module
 */
import { FIRST, readAuditLine } from "./audit_record.ts";

/** Characters beyond which a line is no record, and is read no further. */
const LONGEST = 16 * 2 ** 20;

/** What was found: all records in their chain, or the first line at which it breaks. */
export type Verification =
  | {
    ok: true;
    records: number;
    /** The digest of the last record. */
    last: string;
    /** When the first and the last record were written; ISO 8601, `-` without any. */
    from: string;
    to: string;
  }
  | { ok: false; line: number; problem: string };

/**
 * Checks the whole of a log as it is read, a record at a time; `expect` is the digest of a record
 * that must be in it.
 */
export async function verifyAuditLog(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  expect?: string,
): Promise<Verification> {
  let records = 0;
  let last = FIRST;
  let seen = expect === undefined;
  let from = "-";
  let to = "-";
  for await (const { text, complete } of linesOf(content)) {
    const line = records + 1;
    if (!complete) {
      return { ok: false, line, problem: "is not complete; a crash can do that" };
    }
    const record = readAuditLine(text);
    if (typeof record === "string") return { ok: false, line, problem: record };
    if (record.seq !== line || record.prev !== last) {
      const problem = "does not follow the record before it: something was removed, added or moved";
      return { ok: false, line, problem };
    }
    records++;
    last = record.hash;
    seen ||= last === expect;
    if (records === 1) from = record.at;
    to = record.at;
  }
  if (seen) return { ok: true, records, last, from, to };
  const problem =
    "is the end, and no record has the expected digest: the end was cut off or rewritten";
  return { ok: false, line: records, problem };
}

/** The lines of a text that comes in pieces. One that lacks its end is the last. */
async function* linesOf(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<{ text: string; complete: boolean }> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = "";
  for await (const piece of content) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const text of lines) yield { text, complete: true };
    if (rest.length > LONGEST) break;
  }
  rest += decoder.decode();
  if (rest !== "") yield { text: rest, complete: false };
}
