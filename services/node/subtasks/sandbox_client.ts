/**
 * Subtasks as an algorithm in the sandbox sees them: functions whose answers are the results
 * themselves.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { isOpen } from "../../../shared/node_protocol/status.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Payloads } from "../encryption/payloads.ts";
import type { Hub } from "../hub/hub.ts";
import { encodePayload } from "../payload/encode_payload.ts";
import { TooLargeError } from "../payload/pieces.ts";
import { attemptKey } from "../record/attempt_key.ts";
import { askAccessOnce } from "./grant.ts";
import { createSubtasks, MOST_MIB } from "./subtasks.ts";

/**
 * What an algorithm may ask of the hub while it runs. A rejection becomes an exception in the
 * algorithm.
 */
export interface SubtaskClient {
  /** The organizations that take part in the task's collaboration or study. */
  organizations(): Promise<{ id: number; name: string }[]>;
  /** Makes a subtask with the same algorithm and databases; `input` is {method, args?, kwargs?}. */
  createTask(
    task: { organizations: number[]; input: unknown; name?: string; description?: string },
  ): Promise<{ id: number }>;
  /**
   * Waits until a subtask has finished; rejects when a part of it failed, or with `keep` waits for
   * the other parts, and tells of it.
   */
  results(taskId: number, options?: { failed?: "throw" | "keep" }): Promise<PartialResult[]>;
}

/** One organization's part of a subtask. */
export interface PartialResult {
  organization_id: number;
  status: string;
  result: unknown;
  /** Why there is none, of a part that failed. */
  reason?: string;
}

/** Milliseconds between two looks at parts of which some are under way. */
const PAUSE_MS = { first: 100, most: 2000 };
/** Of so many parts that failed it is asked why. */
const MOST_REASONS = 100;

const id = z.number().int();
const organizationsSchema = z.object({ data: z.array(z.object({ id, name: z.string() })) });
const runsSchema = z.object({
  data: z.array(z.object({ id, status: z.string(), organization: z.object({ id }) })),
});
type Run = z.infer<typeof runsSchema>["data"][number];
const logSchema = z.object({ log: z.string().nullable() });
const resultsSchema = z.object({
  data: z.array(z.object({
    id,
    result: z.string().nullable(),
    blob_storage_used: z.boolean().default(false),
  })),
});

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

/**
 * The client of one attempt. Nothing is asked of the hub before the algorithm asks for something.
 */
export function createSubtaskClient(
  { hub, payloads, dispatch, log, signal, whileWaiting }: SubtaskClientOptions,
): SubtaskClient {
  const access = askAccessOnce(hub, dispatch, signal);
  const subtasks = createSubtasks({
    hub,
    attempt: dispatch.attempt,
    access,
    codec: payloads,
    signal,
    log,
  });
  let count = 0;

  /**
   * The parts of a subtask, by organization, without what they were given and have printed: that
   * may be a thousand times what they return. `all`: once every one of them is over.
   */
  async function readRuns(taskId: number, { all }: { all: boolean }): Promise<Run[]> {
    for (let pause = PAUSE_MS.first;; pause = Math.min(PAUSE_MS.most, pause * 2)) {
      const { data } = await subtasks.get(`/run?task_id=${taskId}&payload=none`, runsSchema);
      if (!all || data.every(({ status }) => !isOpen(status))) {
        return data.sort((a, b) => a.organization.id - b.organization.id);
      }
      await delay(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /** What the logs of parts that failed say last, by their ids. */
  async function whyFailed(runs: readonly Run[]): Promise<Map<number, string>> {
    const reasons = new Map<number, string>();
    for (const run of runs.filter(hasFailed)) {
      // One after the other: each of them may be long.
      const asked = reasons.size < MOST_REASONS;
      const { log } = asked
        ? await subtasks.get(`/run/${run.id}?payload=log`, logSchema)
        : { log: null };
      reasons.set(run.id, lastLineOf(log));
    }
    return reasons;
  }

  /** What the results of a subtask are, by the ids of its runs. */
  async function readResults(taskId: number): Promise<Map<number, unknown>> {
    const { data } = await subtasks.get(`/result?task_id=${taskId}`, resultsSchema);
    const readStored = subtasks.openReader();
    const contents = new Map<number, unknown>();
    for (const result of data) {
      const stored = await readStored(result).catch((error) => {
        if (!(error instanceof TooLargeError)) throw error;
        throw new Error(
          `The results of subtask ${taskId} are larger than the ${MOST_MIB} MiB that an algorithm gets at once.`,
        );
      });
      if (stored !== null) contents.set(result.id, open(payloads, stored, taskId));
    }
    return contents;
  }

  return {
    async organizations() {
      const { collaboration_id, study_id } = (await access()).grant;
      const scope = study_id === null
        ? `collaboration_id=${collaboration_id}`
        : `study_id=${study_id}`;
      return (await subtasks.get(`/organization?${scope}`, organizationsSchema)).data;
    },

    async createTask({ organizations, input, name = "subtask", description = "" }) {
      const key = `${attemptKey(dispatch)}-${++count}`;
      const { collaboration_id, study_id, databases } = (await access()).grant;
      const content = encodePayload(input);
      const { id } = await subtasks.create(key, async () => ({
        name,
        description,
        image: dispatch.image,
        collaboration_id,
        ...(study_id === null ? {} : { study_id }),
        organizations: await subtasks.encodeInputs(
          organizations.map((id) => ({ id, input: content })),
        ),
        databases,
      }));
      subtasks.delivered(key);
      return { id };
    },

    async results(taskId, { failed = "throw" } = {}) {
      if (!subtasks.isOwn(taskId)) {
        throw new Error(`Task ${taskId} is not a subtask that this run created.`);
      }
      return await whileWaiting(async () => {
        const { status } = await subtasks.whenOver(taskId);
        const runs = await readRuns(taskId, { all: failed === "keep" });
        const reasons = await whyFailed(runs);
        if (status !== "completed" && failed === "throw") {
          throw new Error(explainFailure(taskId, status, { runs, reasons }));
        }
        const contents = await readResults(taskId);
        return runs.map(({ id, status, organization }) => {
          const reason = reasons.get(id);
          return {
            organization_id: organization.id,
            status,
            result: reason === undefined ? contents.get(id) ?? null : null,
            ...(reason === undefined ? {} : { reason }),
          };
        });
      });
    },
  };
}

function hasFailed({ status }: Run): boolean {
  return status !== "completed" && !isOpen(status);
}

function open(payloads: Payloads, stored: string | Uint8Array, taskId: number): unknown {
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
  { runs, reasons }: { runs: readonly Run[]; reasons: ReadonlyMap<number, string> },
): string {
  const failures = runs.filter(hasFailed).map(({ id, organization, status }) => {
    const reason = reasons.get(id);
    return `organization ${organization.id}: ${status}${reason ? ` (${reason})` : ""}`;
  });
  return `Subtask ${taskId} ended as "${status}". ${failures.join("; ")}`.trim();
}

/** Below the message an algorithm's error has the lines where it was. */
function lastLineOf(log: string | null): string {
  return log?.trim().split("\n").findLast((line) => !/^\s+at /.test(line)) ?? "";
}
