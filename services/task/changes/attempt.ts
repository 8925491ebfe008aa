/**
 * Changes of an attempt at a result: its start, its end, and the next one after one that was lost.
 * @module
 */
import { isBlobId } from "../../../shared/node_protocol/blobs.ts";
import { isFailed } from "../../../shared/node_protocol/status.ts";
import type { ReportBody } from "../../../shared/node_protocol/reports.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { dispatch } from "../dispatch/send.ts";
import { MAX_ATTEMPTS } from "../rules.ts";
import { attachBlob } from "../store/blob.ts";
import { keepNote } from "../store/log.ts";
import { statusesOfOthers } from "../store/result.ts";
import type { StopOrder } from "../store/stop_order.ts";
import {
  finalLog,
  type KnownResult,
  moveKnown,
  moveResult,
  stopMadeBy,
  stopSubtasks,
} from "./result.ts";

/** An attempt that a report is about, locked. */
export type Attempted = Pick<KnownResult, "task" | "result">;

/** An agent begins; returns since when. It may say so twice. */
export async function startAttempt(
  change: Change,
  known: KnownResult,
  { agent_id, code, at }: { agent_id: string; code: string | undefined; at: Date },
): Promise<Date> {
  const { result } = known;
  const started_at = result.started_at ?? at;
  if (result.status !== "active") {
    const values = { status: "active", agent_id, code: code ?? null, started_at } as const;
    await moveKnown(change, known, values, started_at);
  }
  return started_at;
}

/**
 * An attempt's result waits at its node for a person there. The result stays active, for there are
 * clients that know no other word, and the time limits of its job stand still (`expiry.ts`). A node
 * may say so twice; only the first is told of.
 */
export async function holdAttempt(
  change: Change,
  known: KnownResult,
  { agent_id, since, at }: { agent_id: string; since: Date; at: Date },
): Promise<void> {
  const { result } = known;
  if (result.held_at !== null) return;
  const started_at = result.started_at ?? at;
  // The node's clock may be wrong, and its owner may wish it were.
  const held_at = new Date(Math.max(started_at.getTime(), Math.min(since.getTime(), at.getTime())));
  const values = { status: "active", agent_id, started_at, held_at } as const;
  await moveKnown(change, known, values, at);
}

/**
 * An attempt has ended; one that failed takes its subtasks along. Returns whom to tell to stop,
 * once it is committed. Throws `invalid_request` when its payload is in a blob that is not the
 * node's.
 */
export async function finishAttempt(
  change: Change,
  known: KnownResult,
  { report, nodeId, at, sent }: {
    report: ReportBody<"finish">;
    nodeId: number;
    at: Date;
    /** What of its log had come before. */
    sent: string | null;
  },
): Promise<StopOrder[]> {
  const { task, result } = known;
  if (report.in_blob) await takeBlob(change, nodeId, result.id, report.result);
  const ended = await moveKnown(change, known, {
    status: report.status,
    started_at: result.started_at ?? at,
    finished_at: at,
    result: report.result ?? "",
    blob_storage_used: report.in_blob,
    log: await finalLog(change, result.id, { ...report, sent }),
  }, at);
  return isFailed(ended.status) ? await stopMadeBy(change, task, [ended], at) : [];
}

export interface Next {
  /** The number of the next attempt, `null` when there is none. */
  attempt: number | null;
  /** Whom to tell to stop, once it is committed. */
  orders: StopOrder[];
}

/**
 * Hands the result out again, or fails it when that has happened too often. The attempt that is
 * given up takes its subtasks along: the next one makes its own.
 */
export async function nextAttempt(
  change: Change,
  { task, result }: Attempted,
  { reason, at }: { reason: string; at: Date },
): Promise<Next> {
  const orders = await stopSubtasks(change, task, {
    organizationIds: [result.organization_id],
    reason: `Not needed any more: attempt ${result.attempt} at the share that asked for this was ` +
      `lost: ${reason}`,
    at,
  });
  const over = await whyNoNext(change, { task, result }, reason);
  if (over !== undefined) {
    await moveResult(change, task, result.id, {
      status: "failed",
      finished_at: at,
      log: await finalLog(change, result.id, { log: null, reason: over }),
    }, at);
    return { attempt: null, orders };
  }
  const attempt = result.attempt + 1;
  await keepNote(change.tx, result, `[attempt ${result.attempt} was lost: ${reason}]`);
  const moved = await moveResult(change, task, result.id, {
    status: "pending",
    attempt,
    agent_id: null,
    code: null,
    held_at: null,
    started_at: null,
    dispatched_at: at,
    accepted_at: null,
  }, at);
  await dispatch(change, task, [moved], at);
  return { attempt, orders };
}

/** Why there is no next attempt after one that was lost; undefined where there is one. */
async function whyNoNext(
  { tx }: Change,
  { task, result }: Attempted,
  lost: string,
): Promise<string | undefined> {
  if (result.attempt >= MAX_ATTEMPTS) {
    return `Given up after ${result.attempt} attempts; the last one was lost: ${lost}`;
  }
  // What another share's failure finds unbegun it ends; this one begins anew, and too late.
  const failed = task.keep_going
    ? undefined
    : (await statusesOfOthers(tx, result.id)).find(isFailed);
  return failed &&
    `Not run again: attempt ${result.attempt} was lost (${lost}), and another share of ` +
      `the task had ended as "${failed}".`;
}

/** Makes the blob that the node uploaded the result's own. */
async function takeBlob(
  { tx }: Change,
  nodeId: number,
  resultId: number,
  blobId: string | null,
): Promise<void> {
  const blob = isBlobId(blobId) &&
    await attachBlob(tx, blobId, { owners: [`node:${nodeId}`], resultId });
  if (blob) return;
  throw new SextantError(
    "invalid_request",
    "The report names a blob that this node has not uploaded; upload the payload again.",
  );
}
