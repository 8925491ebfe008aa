/**
 * Whether an audit log is whole: `deno task node audit verify`.
 * @module
 */
import { z } from "zod";
import { type AuditRecord, FIRST, readAuditLine } from "./audit_record.ts";

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
    /** What the log says of the hub's own record. */
    hub: HubFindings;
  }
  | { ok: false; line: number; problem: string };

/** The newest checkpoint of a service's record that was accepted. */
interface Accepted {
  size: number;
  root: string;
  /** Since when each one was proven to go on from the one before. */
  since: string;
}

export interface HubFindings {
  checkpoints: Map<string, Accepted>;
  /** Alarms that the owner has not acknowledged since. */
  alarms: { at: string; service: string; problem: string }[];
}

const acceptedSchema = z.object({
  service: z.string(),
  size: z.number(),
  root: z.string(),
  since: z.string(),
});
const brokenSchema = z.object({ service: z.string().default("all"), problem: z.string() });
const acknowledgedSchema = z.object({ service: z.string() });

function noteHub({ checkpoints, alarms }: HubFindings, record: AuditRecord): void {
  if (record.event === "hub checkpoint noted") {
    const accepted = acceptedSchema.safeParse(record).data;
    if (accepted) checkpoints.set(accepted.service, accepted);
  } else if (record.event === "hub record broken") {
    const broken = brokenSchema.safeParse(record).data;
    if (broken) alarms.push({ at: record.at, ...broken });
  } else if (record.event === "hub record acknowledged") {
    const service = acknowledgedSchema.safeParse(record).data?.service;
    const open = alarms.filter((alarm) => alarm.service !== service);
    alarms.splice(0, alarms.length, ...open);
    if (service) checkpoints.delete(service);
  }
}

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
  const hub: HubFindings = { checkpoints: new Map(), alarms: [] };
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
    noteHub(hub, record);
  }
  if (seen) return { ok: true, records, last, from, to, hub };
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
