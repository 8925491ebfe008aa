/**
 * Handing out the work that a node asks for: what it has not accepted, page by page.
 * @module
 */
import { MAX_PAYLOAD } from "../../../shared/broker/limits.ts";
import { sign } from "../../../shared/broker/signing.ts";
import { subjects } from "../../../shared/broker/subjects.ts";
import type { SignedDispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { ReportAnswer } from "../../../shared/node_protocol/reports.ts";
import type { Db } from "../../../shared/storage/db.ts";
import { unacceptedResults } from "../store/dispatch.ts";
import { tasksById } from "../store/task.ts";
import { dispatchesOf } from "./send.ts";

/** Results of one page. */
const PAGE = 200;
/** Bytes of one page, as they are escaped in JSON; one dispatch is always less. */
const PAGE_BYTES = MAX_PAYLOAD / 2;
/** Bytes that stand beside the text of a dispatch. */
const SIGNATURE_ROOM = 128;
const encoder = new TextEncoder();

export interface WorkForNodeOptions {
  db: Db;
  /** The seed that signs what is dispatched. */
  dispatchKey: string;
  now: () => Date;
}

/** A page of what a node has not accepted, of the results after `after`. */
export async function workForNode(
  { db, dispatchKey, now }: WorkForNodeOptions,
  nodeId: number,
  after: number,
): Promise<ReportAnswer<"work">> {
  const results = await unacceptedResults(db, nodeId, { after, limit: PAGE });
  if (results.length === 0) return { ok: true, dispatches: [], next: null };
  const tasks = await tasksById(db, [...new Set(results.map((result) => result.task_id))]);
  const known = new Set(tasks.map((task) => task.id));
  // One whose task is being deleted is not to be begun any more.
  const there = results.filter((result) => known.has(result.task_id));
  const subject = subjects.dispatch(nodeId);
  const dispatches: SignedDispatch[] = [];
  let bytes = 0;
  for (const dispatch of await dispatchesOf(db, tasks, there, now())) {
    const text = JSON.stringify(dispatch);
    bytes += encoder.encode(JSON.stringify(text)).length + SIGNATURE_ROOM;
    if (bytes > PAGE_BYTES && dispatches.length > 0) {
      const last = there[dispatches.length - 1]!.id;
      return { ok: true, dispatches, next: last };
    }
    dispatches.push({ text, signature: sign(dispatchKey, subject, encoder.encode(text)) });
  }
  return { ok: true, dispatches, next: results.length < PAGE ? null : results.at(-1)!.id };
}
