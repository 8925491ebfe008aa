/**
 * Which reports count: the one decision by which a lost agent that comes back cannot overwrite what
 * came after it. No I/O here.
 * @module
 */
import { isFinal, type ResultStatus } from "./status.ts";

/**
 * Why the hub does not take a report. `unknown`: the node has no such result. `other code`: an
 * attempt may not start, since its job runs other code; its node still reports how it ended.
 */
export const REFUSAL_REASONS = [
  "superseded",
  "killed",
  "finished",
  "unknown",
  "other code",
] as const;
export type RefusalReason = typeof REFUSAL_REASONS[number];

/**
 * The statuses from which each report moves a result. A node may have to report twice, so `start`
 * may find it active.
 */
export const REPORTED_FROM = {
  start: ["pending", "active"],
  held: ["pending", "active"],
  finish: ["pending", "active"],
  lost: ["active"],
} as const satisfies Record<string, readonly ResultStatus[]>;
export type AttemptReportKind = keyof typeof REPORTED_FROM;

/** What the hub knows of a result, as far as reports about it are concerned. */
export interface ResultState {
  status: string;
  attempt: number;
  agent_id: string | null;
}

/**
 * Why a report about `attempt` from `agent_id` must be refused, or `undefined` when it counts. An
 * attempt belongs to the agent that started it: another agent with the same key cannot run it too.
 */
export function refusalOf(
  kind: AttemptReportKind,
  result: ResultState,
  report: { attempt: number; agent_id: string },
): "superseded" | "killed" | "finished" | undefined {
  if (result.status === "killed by user") return "killed";
  if (isFinal(result.status)) return "finished";
  if (result.attempt !== report.attempt) return "superseded";
  if (result.agent_id !== null && result.agent_id !== report.agent_id) return "superseded";
  const from: readonly string[] = REPORTED_FROM[kind];
  return from.includes(result.status) ? undefined : "superseded";
}

/**
 * Why an attempt may not start with the code that it reports, or `undefined` when it may. A job has
 * one code, that of its first start that told one: a result of several would be nobody's. Where no
 * code is told there is nothing to compare. An image that is named by a tag may differ: that is
 * said and not refused, because tags move, and images are made for machines of several kinds.
 */
export function refusalOfCode(
  { job, reported, byTag = false }: {
    job: string | undefined;
    reported: string | undefined;
    byTag?: boolean;
  },
): "other code" | undefined {
  if (job === undefined || reported === undefined || byTag) return undefined;
  return job === reported ? undefined : "other code";
}
