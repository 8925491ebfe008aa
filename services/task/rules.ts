/**
 * The decisions of task; no I/O here.
 * @module
 */
import {
  isMember,
  mayCollaboration,
  type Permission,
  type Principal,
  scopesOf,
} from "../../shared/contract/permissions.ts";

/** The field's status words (contract §5.3). */
export const OPEN_STATUSES = ["pending", "initializing", "active"] as const;
export const FAILED_STATUSES = [
  "failed",
  "start failed",
  "non-existing Docker image",
  "crashed",
  "killed by user",
  "not allowed",
  "unknown error",
] as const;
export const FINAL_STATUSES = ["completed", ...FAILED_STATUSES] as const;
export type FinalStatus = typeof FINAL_STATUSES[number];
export type ResultStatus = typeof OPEN_STATUSES[number] | FinalStatus;

export function isFinal(status: string): boolean {
  return (FINAL_STATUSES as readonly string[]).includes(status);
}

export function isFailed(status: string): boolean {
  return (FAILED_STATUSES as readonly string[]).includes(status);
}

/** A task's status out of those of its results, first match wins (contract §5.2). */
export function taskStatus(statuses: readonly string[]): ResultStatus {
  const failed = new Set(statuses.filter(isFailed));
  if (failed.size === 1) return [...failed][0] as ResultStatus;
  if (failed.size > 1) return "failed";
  for (const open of ["active", "initializing", "pending"] as const) {
    if (statuses.includes(open)) return open;
  }
  return "completed";
}

/** How often a result is handed out again after its agent was lost in the middle of it. */
export const MAX_ATTEMPTS = 3;

/** What may happen to a result, and from which statuses. Everything else is refused. */
export const TRANSITIONS = {
  start: { from: ["pending", "active"], to: ["active"] },
  finish: { from: ["pending", "active"], to: FINAL_STATUSES },
  lost: { from: ["active"], to: ["pending", "failed"] },
  /** The field's own nodes move freely among the open statuses. */
  patch: { from: OPEN_STATUSES, to: [...OPEN_STATUSES, ...FINAL_STATUSES] },
  kill: { from: OPEN_STATUSES, to: ["killed by user"] },
  expire: { from: OPEN_STATUSES, to: ["failed"] },
  abandon: { from: ["pending"], to: ["failed"] },
} as const satisfies Record<
  string,
  { from: readonly ResultStatus[]; to: readonly ResultStatus[] }
>;
export type Transition = keyof typeof TRANSITIONS;

export interface ResultState {
  status: string;
  attempt: number;
  agent_id: string | null;
}

export type RefusalReason = "superseded" | "killed" | "finished";

/**
 * Why a report about `attempt` from `agentId` must be refused, or `undefined` when it counts.
 * An attempt belongs to the agent that started it: another agent with the same key cannot run it too.
 */
export function refusalOf(
  transition: Transition,
  result: ResultState,
  report: { attempt: number; agent_id: string },
): RefusalReason | undefined {
  if (result.status === "killed by user") return "killed";
  if (isFinal(result.status)) return "finished";
  if (result.attempt !== report.attempt) return "superseded";
  if (result.agent_id !== null && result.agent_id !== report.agent_id) return "superseded";
  const from: readonly string[] = TRANSITIONS[transition].from;
  return from.includes(result.status) ? undefined : "superseded";
}

export interface TaskPlace {
  collaboration_id: number;
  init_org_id: number;
  init_user_id: number;
}

/**
 * Whether a task, or its results, may be seen or deleted. Stricter than the field's server, which forgets to
 * look at the task's own collaboration (contract §4.3, §9 #24).
 */
export function mayTask(principal: Principal, permission: Permission, task: TaskPlace): boolean {
  if (mayCollaboration(principal, permission, task.collaboration_id)) return true;
  const held = scopesOf(principal, permission);
  const inReach = principal.kind === "user" || isMember(principal, task.collaboration_id);
  if (held.has("ORGANIZATION") && inReach && task.init_org_id === principal.organization_id) {
    return true;
  }
  return held.has("OWN") && principal.kind === "user" && task.init_user_id === principal.id;
}

/** One pattern for all of it would overflow the stack: an input may have 64 MiB. */
function decodeBase64(text: string): Uint8Array | undefined {
  const padding = text.indexOf("=");
  const inPlace = padding === -1 || padding >= text.length - 2;
  if (text.length % 4 !== 0 || !inPlace || /[^A-Za-z0-9+/=]/.test(text)) return undefined;
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}

/** Whether `input` has the form of an encrypted payload (contract §7.3): key `$` IV `$` ciphertext. */
export function looksEncrypted(input: string): boolean {
  const parts = input.split("$").map(decodeBase64);
  return parts.length === 3 && parts.every((part) => part !== undefined) &&
    parts[1]!.length === 16;
}

/** Whether `input` has the form of a plain payload (contract §7.1): base64 of UTF-8 text. */
export function looksPlain(input: string): boolean {
  const bytes = decodeBase64(input);
  if (!bytes) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Enough of a payload to see its form: an encrypted key is 684 characters, its IV 24. */
export const HEAD = 2048;

/** Whether a blob begins like an encrypted payload (contract §7.4): key `$` IV `$`, then the bytes themselves. */
export function beginsEncrypted(start: Uint8Array): boolean {
  const head = new TextDecoder("latin1").decode(start.subarray(0, HEAD));
  const match = /^([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]{24})\$/.exec(head);
  return match !== null && decodeBase64(match[1]!) !== undefined &&
    decodeBase64(match[2]!)?.length === 16;
}

/** Whether a blob begins like a plain payload: base64 text. */
export function beginsPlain(start: Uint8Array): boolean {
  const head = new TextDecoder("latin1").decode(start.subarray(0, HEAD)).trimEnd();
  return /^[A-Za-z0-9+/]*={0,2}$/.test(head);
}

/**
 * Whether the unfinished results of a task may be killed: with the right to send events in its collaboration
 * (contract §3.9), or by who created it.
 */
export function mayKill(principal: Principal, task: TaskPlace): boolean {
  return mayCollaboration(principal, "event:SEND", task.collaboration_id) ||
    (principal.kind === "user" && task.init_user_id === principal.id);
}

/** Whether this is the node that executes a result: of its organization, in its collaboration. */
export function isAtNode(
  principal: Principal,
  result: { organization_id: number; collaboration_id: number },
): boolean {
  return principal.kind === "node" && principal.organization_id === result.organization_id &&
    principal.collaboration_id === result.collaboration_id;
}
