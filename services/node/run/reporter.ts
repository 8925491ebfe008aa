/**
 * What a node says to the hub, until the hub has it: a positive answer means committed in its
 * database.
 * @module
 */
import { uploadedBlobSchema } from "../../../shared/node_protocol/blobs.ts";
import { MAX_REPORT } from "../../../shared/node_protocol/limits.ts";
import {
  MAX_ACCEPTED,
  NODE_PROTOCOL,
  REPORT_ANSWERS,
  type ReportAnswer,
  reportFailureSchema,
  type WrittenReport,
} from "../../../shared/node_protocol/reports.ts";
import type { AttemptState } from "../../../shared/node_protocol/status.ts";
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { createTurns } from "../../../shared/service/turns.ts";
import { noTracer, traceparent, type Tracer } from "../../../shared/tracing/tracer.ts";
import { type ReportKind, subjects } from "../../../shared/broker/subjects.ts";
import { blobOf } from "../encryption/blob.ts";
import { createPatience, PATIENCE_MS, spanOf } from "../hub/patience.ts";
import { persist } from "../hub/persist.ts";
import type { Broker } from "../hub/broker.ts";
import { type Hub, HubError, WrongKeyError } from "../hub/hub.ts";
import type { Upload } from "../hub/upload.ts";
import { collect, readPieces } from "../payload/pieces.ts";
import { encodeReport, splitReport } from "../record/finish_report.ts";

/**
 * How long an answer is waited for: short at first, because a replica that died will never answer
 * and a report may be said twice, then longer, because a hub that is slow would only get slower.
 */
const FIRST_TIMEOUT_MS = 2000;
const LAST_TIMEOUT_MS = 30_000;

/**
 * Bytes that a report has for everything but its result. A result for which that is left goes in
 * the report, though a longer log be cut: a blob is for what is large itself.
 */
const LOG_ROOM = 128 * 1024;

/**
 * Reports that are under way at once: a node that comes back may have thousands, and the hub takes
 * them in turns.
 */
const AT_ONCE = 64;

/** Reports that are not sent again when the hub says that they are wrong. */
const NOT_AGAIN: readonly ReportKind[] = ["held", "finish"];

/**
 * HTTP statuses that say: this report is wrong. Others say that the hub is unwell, or the log-in
 * is.
 */
const UNACCEPTABLE = [400, 413, 422];

/** The hub will never take this report, however often it is sent. */
export class ReportRefusedError extends Error {
  override name = "ReportRefusedError";
}

/** The same, for what is between this node and the hub. */
export class UndeliverableError extends ReportRefusedError {
  override name = "UndeliverableError";
}

function retryable(error: unknown): boolean {
  return !(error instanceof ReportRefusedError || error instanceof WrongKeyError);
}

export interface Reporter {
  /**
   * Aborted when the hub says that another agent speaks for the node now; a new one after each
   * hello.
   */
  readonly disowned: AbortSignal;
  hello(
    open: (AttemptId & { state: AttemptState })[],
    signal: AbortSignal,
  ): Promise<ReportAnswer<"hello"> & { ok: true }>;
  /** Asks for a page of what this node has not accepted, of the results after `after`. */
  work(after: number, signal: AbortSignal): Promise<ReportAnswer<"work">>;
  /** Says that the journal has these attempts. */
  accepted(attempts: AttemptId[], signal: AbortSignal): Promise<void>;
  start(
    attempt: AttemptId & { code?: string | undefined; by_tag?: boolean },
    signal: AbortSignal,
  ): Promise<ReportAnswer<"start">>;
  /**
   * Says that the result waits here for a person. `unheard` when the hub is of a version that knows
   * no such report: nothing depends on it.
   */
  held(
    attempt: AttemptId & { since: string },
    signal: AbortSignal,
  ): Promise<ReportAnswer<"held"> | "unheard">;
  /**
   * Sends the report in the file at `path`, by message; a large payload goes over HTTP before it.
   */
  finish(attempt: AttemptId, path: string): Promise<ReportAnswer<"finish">>;
  lost(attempt: AttemptId, reason: string): Promise<ReportAnswer<"lost">>;
}

export interface CreateReporterOptions {
  broker: Broker;
  hub: Hub;
  agentId: string;
  nodeId: number;
  log: Logger;
  tracer?: Tracer;
  /** Ends all attempts to report; what has not been said then is said after the next start. */
  signal: AbortSignal;
  uploadPatienceMs?: number;
}

/**
 * Every method tries for ever, with pauses, and rejects only when a signal is aborted; but for a
 * large result, which
 * `finish` gives up with an {@linkcode UndeliverableError} when it cannot be sent and reports can.
 */
export function createReporter(
  {
    broker,
    hub,
    agentId,
    nodeId,
    log,
    tracer = noTracer,
    signal: ended,
    uploadPatienceMs = PATIENCE_MS,
  }: CreateReporterOptions,
): Reporter {
  /** How many hellos of this node the hub has dealt with, as far as is known here. */
  let hellos = 0;
  let disowning = new AbortController();
  const inTurn = createTurns(AT_ONCE);

  /** Says it in the course of a run; beside runs there is no trace. */
  function send<Kind extends ReportKind>(
    kind: Kind,
    content: Uint8Array | Omit<WrittenReport<Kind>, "agent_id">,
    signal: AbortSignal,
  ): Promise<ReportAnswer<Kind>> {
    if (traceparent() === undefined) return say(kind, content, signal);
    return tracer.span(`report ${kind}`, { kind: "client" }, () => say(kind, content, signal));
  }

  function say<Kind extends ReportKind>(
    kind: Kind,
    content: Uint8Array | Omit<WrittenReport<Kind>, "agent_id">,
    signal: AbortSignal,
  ): Promise<ReportAnswer<Kind>> {
    const payload = content instanceof Uint8Array
      ? content
      : new TextEncoder().encode(JSON.stringify({ agent_id: agentId, ...content }));
    let timeoutMs = FIRST_TIMEOUT_MS;
    return persist(async () => {
      const subject = subjects.report(nodeId, kind);
      const answer = JSON.parse(
        await inTurn(() =>
          broker.request(subject, payload, { timeoutMs, trace: traceparent(), signal })
        ).catch(
          (error) => {
            timeoutMs = Math.min(LAST_TIMEOUT_MS, 2 * timeoutMs);
            throw error;
          },
        ),
      );
      const { data } = reportFailureSchema.safeParse(answer);
      if (NOT_AGAIN.includes(kind) && data?.error.code === "invalid_request") {
        throw new ReportRefusedError(data.error.msg);
      }
      if (data?.error.code === "conflict" && kind !== "hello") {
        disowning.abort(new Error(data.error.msg));
      }
      if (data?.error.code === "invalid_request" && kind === "work") {
        throw new Error(
          `the hub is of a version before this agent's: update it (${data.error.msg})`,
        );
      }
      if (data) throw new Error(data.error.msg);
      return REPORT_ANSWERS[kind].parse(answer) as ReportAnswer<Kind>;
    }, {
      what: `report "${kind}" to the hub`,
      log,
      signal,
      retryable,
    });
  }

  /** Sends a payload ahead of the report that names it; resolves to its name. */
  function uploadPayload(content: Upload): Promise<string> {
    const isThere = () => broker.connection.connected;
    const patience = createPatience({ isThere, patienceMs: uploadPatienceMs });
    return persist(async () => {
      try {
        return (await hub.request("/blobstream", uploadedBlobSchema, {
          method: "POST",
          content,
          // An hour: a large result on a slow line.
          timeoutMs: 3_600_000,
          signal: ended,
        })).uuid;
      } catch (error) {
        const status = error instanceof HubError ? error.status : undefined;
        if (UNACCEPTABLE.includes(status ?? 0)) throw new ReportRefusedError(messageOf(error));
        if (ended.aborted || !retryable(error) || !patience.isOver()) throw error;
        log.error("A large result cannot be sent", { reason: messageOf(error) });
        // Of this node's network the researcher learns nothing.
        const why = status === undefined ? "the node's own log says why." : messageOf(error);
        const span = spanOf(uploadPatienceMs);
        throw new UndeliverableError(
          `The result could not be sent for ${span}, in which the hub took all reports; ${why}`,
        );
      }
    }, { what: "upload a large result to the hub", log, signal: ended, retryable });
  }

  return {
    get disowned() {
      return disowning.signal;
    },
    async hello(open, signal) {
      const either = AbortSignal.any([signal, ended]);
      for (;;) {
        const answer = await send(
          "hello",
          { protocol: NODE_PROTOCOL, after: hellos, open },
          either,
        );
        hellos = answer.ok ? hellos + 1 : answer.hellos;
        if (!answer.ok) continue;
        disowning = new AbortController();
        return answer;
      }
    },
    work: (after, signal) => send("work", { after }, AbortSignal.any([signal, ended])),
    async accepted(attempts, signal) {
      const either = AbortSignal.any([signal, ended]);
      for (let at = 0; at < attempts.length; at += MAX_ACCEPTED) {
        await send("accepted", { attempts: attempts.slice(at, at + MAX_ACCEPTED) }, either);
      }
    },
    start: ({ result_id, attempt, code, by_tag }, signal) =>
      send("start", { result_id, attempt, code, by_tag }, AbortSignal.any([signal, ended])),
    held: ({ result_id, attempt, since }, signal) =>
      send("held", { result_id, attempt, since }, AbortSignal.any([signal, ended])).catch(
        (error) => {
          if (error instanceof ReportRefusedError) return "unheard" as const;
          throw error;
        },
      ),
    lost: ({ result_id, attempt }, reason) => send("lost", { result_id, attempt, reason }, ended),

    async finish(_attempt, path) {
      const { size } = await Deno.stat(path);
      if (size <= MAX_REPORT) return await send("finish", await Deno.readFile(path), ended);
      const { head, part } = await splitReport(path);
      if (!part) return await send("finish", encodeReport(head, MAX_REPORT), ended);
      if (part.end - part.start <= MAX_REPORT - LOG_ROOM) {
        const result = new TextDecoder().decode(await collect(readPieces(part.path, part)));
        return await send("finish", encodeReport({ ...head, result }, MAX_REPORT), ended);
      }
      // The payload goes on its own, as a stream; the report then names it.
      const content = await blobOf(part);
      const name = (uuid: string) =>
        send(
          "finish",
          encodeReport({ ...head, result: uuid, in_blob: true }, MAX_REPORT),
          ended,
        );
      return await name(await uploadPayload(content)).catch(async (error) => {
        if (!(error instanceof ReportRefusedError)) throw error;
        // The hub keeps what no report names for a day, and the broker may have been away for
        // longer.
        log.warn("The hub refuses an uploaded result; uploading it again", {
          reason: error.message,
        });
        return await name(await uploadPayload(content));
      });
    },
  };
}
