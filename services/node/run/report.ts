/**
 * What a node says to the hub, until the hub has it: a positive answer means committed in its database.
 * @module
 */
import { z } from "zod";
import type { Logger } from "../../../shared/service/log.ts";
import { type ReportKind, subjects } from "../../../shared/broker/subjects.ts";
import { blobOf } from "../encryption/blob.ts";
import { persist } from "../hub/backoff.ts";
import type { Broker } from "../hub/broker.ts";
import { type Hub, HubError, WrongKeyError } from "../hub/hub.ts";
import type { Upload } from "../hub/upload.ts";
import { encodeReport, splitReport } from "../record/finish_report.ts";
import type { AttemptId } from "../record/attempt_id.ts";
import type { AttemptState } from "../record/journal.ts";

const refused = z.object({ ok: z.literal(false), reason: z.string() });
const attemptId = z.object({ result_id: z.number().int(), attempt: z.number().int() });
const ANSWERS = {
  hello: z.union([
    z.object({ ok: z.literal(false), hellos: z.number().int() }),
    z.object({ ok: z.literal(true), drop: z.array(attemptId.extend({ reason: z.string() })) }),
  ]),
  start: z.union([
    refused,
    z.object({
      ok: z.literal(true),
      /** `null` when it is too long for a message; then it is the field `input` of the run over HTTP. */
      input: z.string().nullable(),
    }),
  ]),
  finish: z.union([refused, z.object({ ok: z.literal(true) })]),
  lost: z.union([refused, z.object({ ok: z.literal(true) })]),
} as const;
type Answer<Kind extends ReportKind> = z.infer<typeof ANSWERS[Kind]>;

const failure = z.object({ error: z.object({ code: z.string(), msg: z.string() }) });

/** A report of this many bytes still fits into a message beside its signature. */
const MESSAGE_LIMIT = 900 * 1024;

/**
 * How long an answer is waited for: short at first, because a replica that died will never answer and a report may
 * be said twice, then longer, because a hub that is slow would only get slower.
 */
const FIRST_TIMEOUT_MS = 2000;
const LAST_TIMEOUT_MS = 30_000;

/** HTTP statuses that say: this report is wrong. Others say that the hub is unwell, or the log-in is. */
const UNACCEPTABLE = [400, 413, 422];

/** The hub will never take this report, however often it is sent. */
export class ReportRefusedError extends Error {
  override name = "ReportRefusedError";
}

function retryable(error: unknown): boolean {
  return !(error instanceof ReportRefusedError || error instanceof WrongKeyError);
}

export interface Reporter {
  hello(
    open: (AttemptId & { state: AttemptState })[],
    signal: AbortSignal,
  ): Promise<Answer<"hello"> & { ok: true }>;
  start(attempt: AttemptId, signal: AbortSignal): Promise<Answer<"start">>;
  /** Sends the report in the file at `path`, by message; a large payload goes over HTTP before it. */
  finish(attempt: AttemptId, path: string): Promise<Answer<"finish">>;
  lost(attempt: AttemptId, reason: string): Promise<Answer<"lost">>;
}

export interface CreateReporterOptions {
  broker: Broker;
  hub: Hub;
  agentId: string;
  nodeId: number;
  log: Logger;
  /** Ends all attempts to report; what has not been said then is said after the next start. */
  signal: AbortSignal;
}

/** Every method tries for ever, with pauses, and rejects only when a signal is aborted. */
export function createReporter(
  { broker, hub, agentId, nodeId, log, signal: ended }: CreateReporterOptions,
): Reporter {
  /** How many hellos of this node the hub has dealt with, as far as is known here. */
  let hellos = 0;

  function send<Kind extends ReportKind>(
    kind: Kind,
    content: Uint8Array | Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<Answer<Kind>> {
    const payload = content instanceof Uint8Array
      ? content
      : new TextEncoder().encode(JSON.stringify({ agent_id: agentId, ...content }));
    let timeoutMs = FIRST_TIMEOUT_MS;
    return persist(async () => {
      const subject = subjects.report(nodeId, kind);
      const answer = JSON.parse(
        await broker.request(subject, payload, { timeoutMs, signal }).catch((error) => {
          timeoutMs = Math.min(LAST_TIMEOUT_MS, 2 * timeoutMs);
          throw error;
        }),
      );
      const { data } = failure.safeParse(answer);
      if (kind === "finish" && data?.error.code === "invalid_request") {
        throw new ReportRefusedError(data.error.msg);
      }
      if (data) throw new Error(data.error.msg);
      return ANSWERS[kind].parse(answer) as Answer<Kind>;
    }, {
      what: `report "${kind}" to the hub`,
      log,
      signal,
      retryable,
    });
  }

  /** Sends a payload ahead of the report that names it; resolves to its name. */
  function uploadPayload(content: Upload): Promise<string> {
    return persist(async () => {
      try {
        return (await hub.request("/blobstream", z.object({ uuid: z.uuid() }), {
          method: "POST",
          content,
          // An hour: a large result on a slow line.
          timeoutMs: 3_600_000,
          signal: ended,
        })).uuid;
      } catch (error) {
        const never = error instanceof HubError && UNACCEPTABLE.includes(error.status ?? 0);
        throw never ? new ReportRefusedError(error.message) : error;
      }
    }, { what: "upload a large result to the hub", log, signal: ended, retryable });
  }

  return {
    async hello(open, signal) {
      const either = AbortSignal.any([signal, ended]);
      for (;;) {
        const answer = await send("hello", { after: hellos, open }, either);
        hellos = answer.ok ? hellos + 1 : answer.hellos;
        if (answer.ok) return answer;
      }
    },
    start: ({ result_id, attempt }, signal) =>
      send("start", { result_id, attempt }, AbortSignal.any([signal, ended])),
    lost: ({ result_id, attempt }, reason) => send("lost", { result_id, attempt, reason }, ended),

    async finish(_attempt, path) {
      const { size } = await Deno.stat(path);
      if (size <= MESSAGE_LIMIT) return await send("finish", await Deno.readFile(path), ended);
      // The payload goes on its own, as a stream; the report then names it.
      const { head, part } = await splitReport(path);
      if (!part) return await send("finish", encodeReport(head, MESSAGE_LIMIT), ended);
      const content = await blobOf(part);
      const name = (uuid: string) =>
        send(
          "finish",
          encodeReport({ ...head, result: uuid, in_blob: true }, MESSAGE_LIMIT),
          ended,
        );
      return await name(await uploadPayload(content)).catch(async (error) => {
        if (!(error instanceof ReportRefusedError)) throw error;
        // The hub keeps what no report names for a day, and the broker may have been away for longer.
        log.warn("The hub refuses an uploaded result; uploading it again", {
          reason: error.message,
        });
        return await name(await uploadPayload(content));
      });
    },
  };
}
