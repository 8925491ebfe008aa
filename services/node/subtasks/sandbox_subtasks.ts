/**
 * What an algorithm may do beyond its own machine: see the organizations of its collaboration, make subtasks of its
 * task, wait for them and read their results. The agent does it in the run's name, with the run's container
 * token, which the algorithm never sees.
 * @module
 */
import { z } from "zod";
import type { Logger } from "../../../shared/service/log.ts";
import type { Payloads } from "../encryption/payloads.ts";
import { persist, sleep } from "../hub/backoff.ts";
import {
  containerGrantSchema,
  containerTokenAnswer,
  type ContainerTokenRequest,
} from "../../../shared/node_protocol/container_grant.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { isOpen } from "../../../shared/node_protocol/status.ts";
import { type Hub, HubError, type HubRequest } from "../hub/hub.ts";
import { claimsOf, encodePayload } from "../payload/payload.ts";
import { collect, TooLargeError } from "../payload/pieces.ts";
import { attemptKey } from "../record/attempt_id.ts";
import type { SubtaskClient } from "../run/runtime.ts";

/** Seconds for which the hub holds a question about a task that is not finished. */
const HOLD_SECONDS = 25;
/** The results of a subtask that an algorithm gets at once. */
const MOST_MIB = 64;
const MOST_BYTES = MOST_MIB * 2 ** 20;

const id = z.number().int();
const createdSchema = z.object({ id });
const statusSchema = z.object({ status: z.string() });
const organizationsSchema = z.object({ data: z.array(z.object({ id, name: z.string() })) });
const runsSchema = z.object({
  data: z.array(z.object({
    id,
    status: z.string(),
    organization: z.object({ id }),
    log: z.string().nullable(),
  })),
});
const resultsSchema = z.object({
  data: z.array(z.object({
    id,
    result: z.string().nullable(),
    blob_storage_used: z.boolean().default(false),
  })),
});
/** The part of a container token that says where its subtasks belong. */
const grantSchema = z.object({
  sub: containerGrantSchema.pick({ collaboration_id: true, study_id: true, databases: true }),
});

interface Grant {
  token: string;
  collaborationId: number;
  studyId: number | null;
  databases: Record<string, unknown>[];
}

export interface SubtaskClientOptions {
  hub: Hub;
  payloads: Payloads;
  /** The run in whose name everything happens. */
  dispatch: Dispatch;
  log: Logger;
  /** Aborted when the run ends. */
  signal: AbortSignal;
  /** Wraps the time in which the run only waits. */
  whileWaiting: <T>(work: () => Promise<T>) => Promise<T>;
}

/** The client of one attempt. Nothing is asked of the hub before the algorithm asks for something. */
export function createSubtaskClient(
  { hub, payloads, dispatch, log, signal, whileWaiting }: SubtaskClientOptions,
): SubtaskClient {
  const own = new Set<number>();
  let asked: Promise<Grant> | undefined;
  let count = 0;

  async function askGrant(): Promise<Grant> {
    const { container_token: token } = await hub.insist("/token/container", containerTokenAnswer, {
      method: "POST",
      body: {
        task_id: dispatch.task_id,
        image: dispatch.image,
      } satisfies ContainerTokenRequest,
      signal,
    });
    const { sub } = claimsOf(token, grantSchema);
    return {
      token,
      collaborationId: sub.collaboration_id,
      studyId: sub.study_id,
      databases: sub.databases,
    };
  }

  function grant(): Promise<Grant> {
    asked ??= askGrant().catch((error) => {
      asked = undefined;
      throw error;
    });
    return asked;
  }

  async function get<T>(path: string, schema: z.ZodType<T>, options: HubRequest = {}): Promise<T> {
    const { token } = await grant();
    return await hub.insist(path, schema, { maxBytes: MOST_BYTES, ...options, token, signal });
  }

  /** Waits until the task is finished and returns its status. */
  async function finalStatus(taskId: number): Promise<string> {
    const path = `/task/${taskId}/status?wait=${HOLD_SECONDS}`;
    for (let pause = 5;; pause = Math.min(1000, pause * 2)) {
      const { status } = await get(path, statusSchema, { timeoutMs: (HOLD_SECONDS + 15) * 1000 });
      if (!isOpen(status)) return status;
      // The hub answers early when the status moves on, and at once when it cannot hold the request.
      await sleep(pause, signal);
    }
  }

  /** What the results are, by their ids. */
  async function read(
    taskId: number,
    results: z.infer<typeof resultsSchema>["data"],
  ): Promise<Map<number, unknown>> {
    const contents = new Map<number, unknown>();
    let room = MOST_BYTES;
    for (const { id, result, blob_storage_used } of results) {
      if (!result) continue;
      const { token } = await grant();
      const stored = blob_storage_used
        ? await collect(hub.download(result, { token, signal }), { maxBytes: room })
          .catch((error) => {
            if (!(error instanceof TooLargeError)) throw error;
            throw new Error(
              `The results of subtask ${taskId} are larger than the ${MOST_MIB} MiB that an algorithm gets at once.`,
            );
          })
        : result;
      room -= stored.length;
      contents.set(id, readResult(payloads, stored, taskId));
    }
    return contents;
  }

  return {
    async organizations() {
      const { collaborationId, studyId } = await grant();
      const scope = studyId === null
        ? `collaboration_id=${collaborationId}`
        : `study_id=${studyId}`;
      return (await get(`/organization?${scope}`, organizationsSchema)).data;
    },

    async createTask({ organizations, input, name = "subtask", description = "" }) {
      const key = `${attemptKey(dispatch)}-${++count}`;
      const { token, collaborationId, studyId, databases } = await grant();
      const encoded = encodePayload(input);
      const shares: { id: number; input: string }[] = [];
      for (const id of organizations) {
        shares.push({ id, input: await payloads.encode(encoded, id) });
      }
      const created = await persist(() =>
        hub.request("/task", createdSchema, {
          method: "POST",
          token,
          signal,
          headers: { "idempotency-key": key },
          body: {
            name,
            description,
            image: dispatch.image,
            collaboration_id: collaborationId,
            ...(studyId === null ? {} : { study_id: studyId }),
            organizations: shares,
            databases,
          },
        }), {
        what: "create a subtask",
        log,
        signal,
        retryable: (error) => error instanceof HubError && error.retryable,
      });
      own.add(created.id);
      return { id: created.id };
    },

    async results(taskId) {
      if (!own.has(taskId)) {
        throw new Error(`Task ${taskId} is not a subtask that this run created.`);
      }
      return await whileWaiting(async () => {
        const status = await finalStatus(taskId);
        const runs = (await get(`/run?task_id=${taskId}`, runsSchema)).data;
        if (status !== "completed") throw new Error(explainFailure(taskId, status, runs));
        const results = (await get(`/result?task_id=${taskId}`, resultsSchema)).data;
        const contents = await read(taskId, results);
        return runs
          .sort((a, b) => a.organization.id - b.organization.id)
          .map(({ id, status, organization }) => ({
            organization_id: organization.id,
            status,
            result: contents.get(id) ?? null,
          }));
      });
    },
  };
}

function readResult(payloads: Payloads, stored: string | Uint8Array, taskId: number): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payloads.open(stored)));
  } catch {
    throw new Error(
      `A result of subtask ${taskId} cannot be read: it is not JSON, was damaged, or was encrypted for another key.`,
    );
  }
}

function explainFailure(
  taskId: number,
  status: string,
  runs: z.infer<typeof runsSchema>["data"],
): string {
  const failures = runs
    .filter((run) => run.status !== "completed" && !isOpen(run.status))
    .map(({ organization, status, log }) => {
      // Below the message an algorithm's error has the lines where it was.
      const lastLine = log?.trim().split("\n").findLast((line) => !/^\s+at /.test(line));
      return `organization ${organization.id}: ${status}${lastLine ? ` (${lastLine})` : ""}`;
    });
  return `Subtask ${taskId} ended as "${status}". ${failures.join("; ")}`.trim();
}
