/**
 * How the parts of a subtask stand, and why some of them failed: without what they were given and
 * have printed, which may be a thousand times what they return.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { isOpen } from "../../../shared/node_protocol/status.ts";
import type { Subtasks } from "./subtasks.ts";

const id = z.number().int();
const runsSchema = z.object({
  data: z.array(z.object({ id, status: z.string(), organization: z.object({ id }) })),
});
type Run = z.infer<typeof runsSchema>["data"][number];
const logSchema = z.object({ log: z.string().nullable() });

/** Milliseconds between two looks at parts of which some are under way. */
const PAUSE_MS = { first: 100, most: 2000 };
/** Of so many parts that failed it is asked why. */
const MOST_REASONS = 100;

export interface Parts {
  /** One for each organization, in the order of their ids. */
  runs: Run[];
  /** Why those have failed that have, by the ids of the runs. */
  reasons: Map<number, string>;
}

export interface ReadPartsOptions {
  subtasks: Pick<Subtasks, "get">;
  /** Whether to wait until none of them is under way. */
  untilAllEnd: boolean;
  signal: AbortSignal;
}

export async function readParts(
  taskId: number,
  { subtasks, untilAllEnd, signal }: ReadPartsOptions,
): Promise<Parts> {
  for (let pause = PAUSE_MS.first;; pause = Math.min(PAUSE_MS.most, pause * 2)) {
    const { data } = await subtasks.get(`/run?task_id=${taskId}&payload=none`, runsSchema);
    if (!untilAllEnd || data.every(({ status }) => !isOpen(status))) {
      const runs = data.sort((a, b) => a.organization.id - b.organization.id);
      return { runs, reasons: await whyFailed(runs, subtasks) };
    }
    await delay(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function whyFailed(
  runs: readonly Run[],
  subtasks: Pick<Subtasks, "get">,
): Promise<Map<number, string>> {
  const reasons = new Map<number, string>();
  for (const run of runs.filter(hasFailed)) {
    // One after the other: each of them may be long.
    const { log } = reasons.size < MOST_REASONS
      ? await subtasks.get(`/run/${run.id}?payload=log`, logSchema)
      : { log: null };
    reasons.set(run.id, lastLineOf(log));
  }
  return reasons;
}

function hasFailed({ status }: Run): boolean {
  return status !== "completed" && !isOpen(status);
}

/** What an algorithm hears that wants all parts and did not get them. */
export function explainFailure(
  taskId: number,
  status: string,
  { runs, reasons }: Parts,
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
