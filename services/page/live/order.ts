import { isFinal } from "../../../shared/node_protocol/status.ts";

interface Step {
  status: string;
  attempt: number;
}

const ORDER = ["pending", "initializing", "active"];

/**
 * Whether what an event tells of a run was over before what is known of it: an answer of the hub
 * may come before the events that led to it.
 */
export function isOlder(told: Step, known: Step): boolean {
  if (told.attempt !== known.attempt) return told.attempt < known.attempt;
  return rank(told.status) < rank(known.status);
}

function rank(status: string): number {
  return isFinal(status) ? ORDER.length : ORDER.indexOf(status);
}
