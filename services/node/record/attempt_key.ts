/**
 * The name of an attempt, which the records go by.
 * @module
 */

import type { AttemptId } from "../../../shared/node_protocol/values.ts";

export function attemptKey({ result_id, attempt }: AttemptId): string {
  return `${result_id}-${attempt}`;
}
