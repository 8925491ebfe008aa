/**
 * What nodes report, and what they are told. Every answer means: it is committed.
 *
 * Each report names an attempt of a result. One that is not about the current attempt, from the agent that runs
 * it, is refused (`refusalOf`): a lost agent that comes back cannot overwrite what came after it.
 * @module
 */
import { z } from "zod";
import { text } from "../../shared/contract/fields.ts";
import type { Db } from "../../shared/storage/db.ts";
import { SextantError } from "../../shared/service/errors.ts";
import type { Logger } from "../../shared/service/log.ts";
import { MAX_ID } from "../../shared/contract/fields.ts";
import type { Change, Outbox } from "../../shared/storage/outbox.ts";
import { dispatch, type DispatchStreams, redispatch } from "./dispatch.ts";
import { finalLog, moveResult } from "./results.ts";
import {
  FINAL_STATUSES,
  MAX_ATTEMPTS,
  refusalOf,
  type RefusalReason,
  type Transition,
} from "./rules.ts";
import {
  countHello,
  lockAgent,
  lockResult,
  lockTask,
  openResultsAtNode,
  resultById,
  resultInput,
  type ResultRow,
  taskById,
  taskOfResult,
  type TaskRow,
} from "./store.ts";
import { attachBlob, isBlobId } from "./store/blob.ts";
import { keepNote } from "./store/log.ts";
import { closeStopOrder, closeStopOrdersExcept } from "./store/stop.ts";

const count = z.number().int().min(1).max(MAX_ID);
const attempt = { agent_id: z.uuid(), result_id: count, attempt: count };

export const REPORT_SCHEMAS = {
  hello: z.object({
    agent_id: z.uuid(),
    /** How many hellos of the node have been dealt with before this one, as far as it knows. */
    after: z.number().int().min(0).max(MAX_ID),
    open: z.array(z.object({
      result_id: count,
      attempt: count,
      state: z.enum(["accepted", "started", "finished"]),
    })),
  }),
  start: z.object(attempt),
  finish: z.object({
    ...attempt,
    status: z.enum(FINAL_STATUSES),
    /** The payload, or the id of the blob that holds it. */
    result: text.nullable(),
    in_blob: z.boolean().default(false),
    log: z.string().nullable(),
    reason: z.string().nullable(),
  }),
  lost: z.object({ ...attempt, reason: z.string() }),
} as const;

export type ReportBody<Kind extends keyof typeof REPORT_SCHEMAS> = z.infer<
  typeof REPORT_SCHEMAS[Kind]
>;

export interface Refused {
  ok: false;
  reason: RefusalReason | "unknown";
}

export type StartAnswer = Refused | {
  ok: true;
  /** The stored input; null when it is too long for a message and must be fetched over HTTP. */
  input: string | null;
  input_via_http: boolean;
  /** The blob that holds the input, if one does. */
  input_blob: string | null;
  started_at: string;
};
export type LostAnswer = Refused | { ok: true; next_attempt: number | null };

export type HelloAnswer = {
  ok: true;
  /** Attempts the agent holds that are over: it stops and forgets them. */
  drop: { result_id: number; attempt: number; reason: RefusalReason | "unknown" }[];
} | {
  /** It does not follow the last hello: it is a late copy, or the agent has just started and cannot know. */
  ok: false;
  /** So many have been dealt with: the next one comes after these. */
  hellos: number;
};

export interface Reports {
  hello(nodeId: number, report: ReportBody<"hello">): Promise<HelloAnswer>;
  start(nodeId: number, report: ReportBody<"start">): Promise<StartAnswer>;
  finish(nodeId: number, report: ReportBody<"finish">): Promise<Refused | { ok: true }>;
  lost(nodeId: number, report: ReportBody<"lost">): Promise<LostAnswer>;
}

/** Inputs up to this many characters come with the answer; NATS messages end at 1 MiB. */
const INLINE_INPUT = 512 * 1024;

export interface ReportsOptions {
  db: Db;
  outbox: Outbox;
  streams: DispatchStreams;
  log: Logger;
  now: () => Date;
}

export function createReports({ db, outbox, streams, log, now }: ReportsOptions): Reports {
  /** Runs `act` on the locked result when the report counts; else says why not. */
  function onAttempt<Answer>(
    transition: Transition,
    nodeId: number,
    report: { agent_id: string; result_id: number; attempt: number },
    act: (change: Change, task: TaskRow, result: ResultRow) => Promise<Answer>,
  ): Promise<Answer | Refused> {
    return outbox.change(async (change) => {
      const { tx } = change;
      // Whoever reports about an attempt that is over does not run it, or is done with it.
      await closeStopOrder(tx, report.result_id, nodeId);
      const taskId = await taskOfResult(tx, report.result_id);
      const task = taskId === undefined
        ? undefined
        : await (transition === "start" ? taskById : lockTask)(tx, taskId);
      const result = task && await lockResult(tx, report.result_id);
      if (!result || result.node_id !== nodeId) return { ok: false, reason: "unknown" } as const;
      const reason = refusalOf(transition, result, report);
      if (reason) return { ok: false, reason } as const;
      return await act(change, task, result);
    });
  }

  /** Hands the result out again, or fails it when that has happened too often. */
  async function nextAttempt(
    change: Change,
    task: TaskRow,
    result: ResultRow,
    reason: string,
  ): Promise<number | null> {
    const at = now();
    if (result.attempt >= MAX_ATTEMPTS) {
      const given_up =
        `Given up after ${result.attempt} attempts; the last one was lost: ${reason}`;
      await moveResult(change, task, result.id, {
        status: "failed",
        finished_at: at,
        log: await finalLog(change, result.id, { log: null, reason: given_up }),
      }, at);
      return null;
    }
    const attempt = result.attempt + 1;
    await keepNote(change.tx, result, `[attempt ${result.attempt} was lost: ${reason}]`);
    const moved = await moveResult(change, task, result.id, {
      status: "pending",
      attempt,
      agent_id: null,
      started_at: null,
      dispatched_at: at,
      dispatches: 1,
    }, at);
    await dispatch(change, task, [moved], at);
    log.info("Attempt lost, next one dispatched", {
      task_id: task.id,
      result_id: result.id,
      attempt,
      reason,
    });
    return attempt;
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

  /** Does something about a hello that is the node's next one still; `before` is the agent that said the last one. */
  function onHello<Answer>(
    nodeId: number,
    { agent_id, after }: ReportBody<"hello">,
    act: (change: Change, before: string) => Promise<Answer>,
  ): Promise<Answer | (HelloAnswer & { ok: false })> {
    return outbox.change(async (change) => {
      // Locked, so that of two copies at two replicas the second sees what the first has done.
      const { agent_id: before, hellos } = await lockAgent(change.tx, nodeId, agent_id);
      if (after !== hellos) return { ok: false, hellos } as const;
      return await act(change, before);
    });
  }

  /** A result that its node should hold, and did not name in its hello. */
  async function missing(
    nodeId: number,
    hello: ReportBody<"hello">,
    { id, task_id, newJournal }: { id: number; task_id: number; newJournal: boolean },
  ): Promise<void> {
    await onHello(nodeId, hello, async (change) => {
      const task = await lockTask(change.tx, task_id);
      const result = task && await lockResult(change.tx, id);
      if (!result || result.finished_at !== null || result.node_id !== nodeId) return;
      if (result.status === "pending") return await redispatch(change, result, now());
      const reason = newJournal ? "another agent took over" : "the agent does not know of it";
      await nextAttempt(change, task, result, reason);
    });
  }

  return {
    async hello(nodeId, hello) {
      const { agent_id, open } = hello;
      await streams.ensureConsumer(nodeId);
      const held = new Map(open.map((one) => [one.result_id, one]));
      const known = await onHello(
        nodeId,
        hello,
        (_, before) => Promise.resolve({ ok: true as const, before }),
      );
      if (!known.ok) return known;
      // An agent with a new journal cannot know what its predecessor had acknowledged and not begun.
      const newJournal = known.before !== agent_id;
      for (const { id, task_id, attempt, status } of await openResultsAtNode(db, nodeId)) {
        if (held.get(id)?.attempt === attempt) continue;
        if (status === "pending" && !newJournal) continue;
        await missing(nodeId, hello, { id, task_id, newJournal });
      }
      return await onHello(nodeId, hello, async ({ tx }) => {
        const drop: (HelloAnswer & { ok: true })["drop"] = [];
        await closeStopOrdersExcept(tx, nodeId, [...held.keys()]);
        for (const { result_id, attempt, state } of open) {
          const result = await resultById(tx, result_id);
          const reason = !result || result.node_id !== nodeId
            ? "unknown"
            : refusalOf(state === "accepted" ? "start" : "finish", result, { agent_id, attempt });
          if (reason) drop.push({ result_id, attempt, reason });
        }
        // Last, so that a hello that did not get this far is done again as a whole.
        await countHello(tx, nodeId, agent_id);
        return { ok: true as const, drop };
      });
    },

    start(nodeId, report) {
      return onAttempt("start", nodeId, report, async (change, task, result) => {
        const started_at = result.started_at ?? now();
        if (result.status !== "active") {
          await moveResult(change, task, result.id, {
            status: "active",
            agent_id: report.agent_id,
            started_at,
          }, started_at);
        }
        const input = await resultInput(change.tx, result.id) ?? "";
        const inline = input.length <= INLINE_INPUT && !result.input_in_blob;
        return {
          ok: true as const,
          input: inline ? input : null,
          input_via_http: !inline,
          input_blob: result.input_in_blob ? input : null,
          started_at: started_at.toISOString(),
        };
      });
    },

    finish(nodeId, report) {
      return onAttempt("finish", nodeId, report, async (change, task, result) => {
        const at = now();
        if (report.in_blob) await takeBlob(change, nodeId, result.id, report.result);
        await moveResult(change, task, result.id, {
          status: report.status,
          started_at: result.started_at ?? at,
          finished_at: at,
          result: report.result ?? "",
          blob_storage_used: report.in_blob,
          log: await finalLog(change, result.id, report),
        }, at);
        log.info("Result committed", {
          task_id: task.id,
          result_id: result.id,
          attempt: report.attempt,
          status: report.status,
        });
        return { ok: true as const };
      });
    },

    lost(nodeId, report) {
      return onAttempt("lost", nodeId, report, async (change, task, result) => ({
        ok: true as const,
        next_attempt: await nextAttempt(change, task, result, report.reason),
      }));
    },
  };
}
