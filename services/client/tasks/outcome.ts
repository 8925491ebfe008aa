/**
 * What came of each organization's share of a task.
 * @module
 */
import type { Result } from "../../../shared/contract/result.ts";
import type { RunWithTask } from "../../../shared/contract/task.ts";
import { isFailed, isOpen, type ResultStatus } from "../../../shared/node_protocol/status.ts";
import { parsePythonJson } from "../../../shared/payload/python_json.ts";
import { withoutSecondBase64 } from "../../../shared/payload/without_second_base64.ts";
import type { Bytes } from "../payloads/bytes.ts";

/** One organization's share of a task. */
export interface Outcome {
  organizationId: number;
  /** Of the run, and of its result. */
  id: number;
  status: ResultStatus;
  /** The result: text, and what it says where it is JSON. */
  result?: { text: string; value: unknown; isJson: boolean };
  /** Why there is none: the end of the run's log, or why the result cannot be opened. */
  reason?: string;
  run: RunWithTask;
}

/** Whether this share has a result that could be read. */
export function isGood(outcome: Outcome): boolean {
  return outcome.result !== undefined;
}

/** The result of a share, of which `content` is what its payload holds. */
export function goodOutcome(run: RunWithTask, content: Bytes): Outcome {
  return { ...placeOf(run), result: readContent(content) };
}

/** What the bytes of a payload say: text, and what that says where it is JSON. */
export function readContent(content: Bytes): NonNullable<Outcome["result"]> {
  const text = new TextDecoder().decode(withoutSecondBase64(content));
  try {
    return { text, value: parsePythonJson(text).value, isJson: true };
  } catch {
    return { text, value: undefined, isJson: false };
  }
}

export function failedOutcome(run: RunWithTask, reason: string): Outcome {
  return { ...placeOf(run), reason };
}

function placeOf(run: RunWithTask) {
  return { organizationId: run.organization.id, id: run.id, status: run.status, run };
}

/** Why there is no result, in the run's own words. */
export function whyNone(
  { status, log, waiting }: Pick<RunWithTask, "status" | "log" | "waiting">,
  result: Pick<Result, "cleanup_at">,
): string {
  if (isOpen(status)) return `it is ${status}${waiting === null ? "" : `, ${waiting}`}`;
  if (result.cleanup_at) return `the hub has removed it, at ${result.cleanup_at} UTC`;
  const said = log?.trimEnd();
  if (isFailed(status)) return said ? said : `it ended as "${status}" and says no more`;
  return "it is empty";
}
