/**
 * The audit log as the owner reads it: page by page from its end, and whether it is whole.
 * @module
 */
import { z } from "zod";
import { readPieces } from "../../payload/pieces.ts";
import { linesBackwards, readForPeople } from "../../record/audit_pages.ts";
import { verifyAuditLog } from "../../record/audit_verify.ts";
import type { auditPage, auditQuery, ShownRecord, Verified } from "../contract.ts";
import { Refusal } from "../refusal.ts";

/** Records of one page. */
const MOST_RECORDS = 100;
/** Looked through for one page, in bytes. */
const MOST_READ = 8 * 2 ** 20;

const text = z.string().catch("");

/** Records before the byte `before` that the filters let through, the last one first. */
export async function readAuditPage(
  path: string,
  { before, event, task }: z.infer<typeof auditQuery>,
): Promise<z.infer<typeof auditPage>> {
  const records: ShownRecord[] = [];
  let begin: number | undefined;
  let at = 0;
  let searched_to: string | null = null;
  for await (const line of linesBackwards(path, before)) {
    begin ??= line.at;
    at = line.at;
    const { record, problem } = readForPeople(line.text);
    const { seq = 0, at: when, event: what, prev: _, hash: __, ...details } = record;
    if (when) searched_to = when;
    const isWanted = (event === undefined || what === event) &&
      (task === undefined || details.task_id === task);
    // What is wrong with the log concerns everybody who looks at it.
    if (isWanted || problem !== null) {
      const shown = { seq: z.number().catch(0).parse(seq), at: text.parse(when) };
      records.push({ ...shown, event: text.parse(what), details: jsonOf(details), problem });
    }
    if (records.length >= MOST_RECORDS || begin - at > MOST_READ) break;
  }
  return { records, next: at > 0 ? at : null, searched_to };
}

function jsonOf(details: Record<string, unknown>): ShownRecord["details"] {
  return JSON.parse(JSON.stringify(details));
}

/** Checks the whole log, of which `expect` is a digest that was noted earlier. */
export async function verifyWhole(path: string, expect: string | null): Promise<Verified> {
  const size = await Deno.stat(path).then((info) => info.size, () => 0);
  if (size === 0) {
    throw new Refusal(404, "There is no audit log yet: the agent begins it at the hub.");
  }
  const found = await verifyAuditLog(readPieces(path, { end: size }), expect ?? undefined);
  if (!found.ok) return found;
  const { ok, records, last, from, to, hub } = found;
  const checkpoints = [...hub.checkpoints].map(([service, about]) => ({ service, ...about }));
  return { ok, records, last, from, to, checkpoints, alarms: hub.alarms };
}
