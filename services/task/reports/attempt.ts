/**
 * Reports about an attempt: `start`, `held`, `finish`, `lost`.
 *
 * Each names an attempt of a result. One that is not about the current attempt, from the agent that
 * runs it, is refused (`refusalOf`): a lost agent that comes back cannot overwrite what came after
 * it.
 * @module
 */
import { MAX_INLINE_INPUT } from "../../../shared/node_protocol/limits.ts";
import {
  type AttemptReportKind,
  refusalOf,
  refusalOfCode,
} from "../../../shared/node_protocol/refusal.ts";
import type { Refused, ReportAnswer } from "../../../shared/node_protocol/reports.ts";
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import {
  type Attempted,
  finishAttempt,
  holdAttempt,
  nextAttempt,
  startAttempt,
} from "../changes/attempt.ts";
import type { KnownResult } from "../changes/result.ts";
import { codeOfJob } from "../store/job_code.ts";
import { readLiveLog } from "../store/log.ts";
import { lockResult, resultInput, type ResultRow, statusesOfOthers } from "../store/result.ts";
import { closeStopOrder, type StopOrder } from "../store/stop_order.ts";
import { taskWithResult } from "../store/task.ts";
import type { Reports, ReportsOptions } from "./handlers.ts";

/** What a report is about, as it is read under the locks. */
interface Reported extends KnownResult {
  /** Of a result that starts its input, of one that ends what of its log had come before. */
  payload: string | null;
}

export function attemptReports(
  { outbox, kills, log, now }: Pick<ReportsOptions, "outbox" | "kills" | "log" | "now">,
): Pick<Reports, AttemptReportKind> {
  /** Runs `act` on the locked result when the report counts; else says why not. */
  function onAttempt<Answer>(
    kind: AttemptReportKind,
    nodeId: number,
    report: AttemptId & { agent_id: string },
    act: (change: Change, reported: Reported) => Promise<Answer>,
  ): Promise<Answer | Refused> {
    return outbox.change(async (change) => {
      const { tx } = change;
      const id = report.result_id;
      // Whoever reports about an attempt that is over does not run it, or is done with it.
      closeStopOrder(tx, id, nodeId);
      // One after the other, but sent together: what is read is read under the locks.
      const [task, result, others, payload] = await Promise.all([
        taskWithResult(tx, id, { locked: kind !== "start" }),
        lockResult(tx, id),
        statusesOfOthers(tx, id),
        kind === "start" ? resultInput(tx, id) : kind === "finish" ? readLiveLog(tx, id) : null,
      ]);
      if (!task || !result || result.node_id !== nodeId) {
        return { ok: false, reason: "unknown" } as const;
      }
      const reason = refusalOf(kind, result, report);
      if (reason) return { ok: false, reason } as const;
      return await act(change, { task, result, others, payload });
    });
  }

  return {
    start(nodeId, report) {
      return onAttempt("start", nodeId, report, async (change, attempted) => {
        const { agent_id, code, by_tag: byTag } = report;
        const { task, result, payload } = attempted;
        const job = code === undefined ? undefined : await codeOfJob(change.tx, task, code);
        const reason = refusalOfCode({ job, reported: code, byTag });
        const about = { task_id: task.id, result_id: result.id, image: task.image, code };
        if (reason) {
          log.warn("Another code than the job's may not start", { ...about, job_code: job });
          return { ok: false, reason, job_code: job };
        }
        const differs = code !== job;
        if (differs) {
          log.warn("A tag means different images at different sites", { ...about, job_code: job });
        }
        const started_at = await startAttempt(change, attempted, { agent_id, code, at: now() });
        return {
          ...whatIsToStart(result, payload ?? "", started_at),
          ...(differs ? { job_code: job } : {}),
        };
      });
    },

    held(nodeId, report) {
      return onAttempt("held", nodeId, report, async (change, attempted) => {
        const { agent_id, since } = report;
        await holdAttempt(change, attempted, { agent_id, since: new Date(since), at: now() });
        log.info("Result waits for release", {
          task_id: attempted.task.id,
          result_id: report.result_id,
          attempt: report.attempt,
        });
        return { ok: true as const };
      });
    },

    async finish(nodeId, report) {
      let orders: StopOrder[] = [];
      const answer = await onAttempt("finish", nodeId, report, async (change, attempted) => {
        const { payload: sent } = attempted;
        orders = await finishAttempt(change, attempted, { report, nodeId, at: now(), sent });
        log.info("Result committed", {
          task_id: attempted.task.id,
          result_id: report.result_id,
          attempt: report.attempt,
          status: report.status,
        });
        return { ok: true as const };
      });
      kills.tell(orders);
      return answer;
    },

    async lost(nodeId, report) {
      let orders: StopOrder[] = [];
      const answer = await onAttempt("lost", nodeId, report, async (change, attempted) => {
        const { reason } = report;
        const next = await nextAttempt(change, attempted, { reason, at: now() });
        orders = next.orders;
        logLost(log, attempted, { next_attempt: next.attempt, reason });
        return { ok: true as const, next_attempt: next.attempt };
      });
      kills.tell(orders);
      return answer;
    },
  };
}

/** The answer to a `start` that counts. */
function whatIsToStart(
  { input_in_blob }: ResultRow,
  input: string,
  startedAt: Date,
): ReportAnswer<"start"> {
  const inline = input.length <= MAX_INLINE_INPUT && !input_in_blob;
  return {
    ok: true,
    input: inline ? input : null,
    input_via_http: !inline,
    input_blob: input_in_blob ? input : null,
    started_at: startedAt.toISOString(),
  };
}

/** Says that an attempt was lost, if there is a next one. */
export function logLost(
  log: ReportsOptions["log"],
  { task, result }: Attempted,
  { next_attempt, reason }: { next_attempt: number | null; reason: string },
): void {
  if (next_attempt === null) return;
  log.info("Attempt lost, next one dispatched", {
    task_id: task.id,
    result_id: result.id,
    attempt: next_attempt,
    reason,
  });
}
