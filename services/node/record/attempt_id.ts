/**
 * The name of an attempt, which the records go by.
 * @module
 */

/** Names one attempt at one result. */
export interface AttemptId {
  result_id: number;
  attempt: number;
}

export function attemptKey({ result_id, attempt }: AttemptId): string {
  return `${result_id}-${attempt}`;
}
