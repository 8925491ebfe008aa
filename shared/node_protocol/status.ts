/**
 * The words for how far something is: a result at the hub, an attempt at a node.
 * @module
 */

/** A result that is not over (HTTP contract §5.3; v6's words). */
export const OPEN_STATUSES = ["pending", "initializing", "active"] as const;

/** A result that is over and has no payload. */
export const FAILED_STATUSES = [
  "failed",
  "start failed",
  "non-existing Docker image",
  "crashed",
  "killed by user",
  "not allowed",
  "unknown error",
] as const;

/** A result that is over: what a node may report as the end of an attempt. */
export const FINAL_STATUSES = ["completed", ...FAILED_STATUSES] as const;

export type OpenStatus = typeof OPEN_STATUSES[number];
export type FinalStatus = typeof FINAL_STATUSES[number];
export type ResultStatus = OpenStatus | FinalStatus;

export function isOpen(status: string): status is OpenStatus {
  return (OPEN_STATUSES as readonly string[]).includes(status);
}

export function isFinal(status: string): status is FinalStatus {
  return (FINAL_STATUSES as readonly string[]).includes(status);
}

export function isFailed(status: string): boolean {
  return (FAILED_STATUSES as readonly string[]).includes(status);
}

/**
 * How far a node is with an attempt, as its journal has it and its `hello` names it. Accepted: it
 * is to be run here. Started: the algorithm may have begun. Finished: what came of it is on the
 * disk, and still to be reported.
 */
export const ATTEMPT_STATES = ["accepted", "started", "finished"] as const;
export type AttemptState = typeof ATTEMPT_STATES[number];
