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
import { isFailed, isFinal, type ResultStatus } from "../../shared/node_protocol/status.ts";

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

/** Since when a result has waited at its organization for a person to release it, if it does. */
export function heldSince(
  { status, held_at }: { status: string; held_at: Date | null },
): Date | null {
  return isFinal(status) ? null : held_at;
}

/** What a task, or a run, waits for that people at these organizations have to do. */
export function waitingText(organizations: readonly string[]): string | null {
  if (organizations.length === 0) return null;
  return `waiting for release at ${organizations.join(", ")}`;
}

/** How often a result is handed out again after its agent was lost in the middle of it. */
export const MAX_ATTEMPTS = 3;

export interface TaskPlace {
  job_id: number;
  collaboration_id: number;
  init_org_id: number;
  init_user_id: number;
}

/**
 * Whether a task, or its results, may be seen or deleted. Stricter than v6's server, which forgets
 * to look at the task's own collaboration (contract §4.3, §9 #24). An algorithm is told of the run
 * that it belongs to, and of no other's input and output (CVE-2026-54533).
 */
export function mayTask(principal: Principal, permission: Permission, task: TaskPlace): boolean {
  if (principal.kind === "container" && task.job_id !== principal.job_id) return false;
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

/**
 * Whether `input` has the form of an encrypted payload (contract §7.3): key `$` IV `$` ciphertext.
 */
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

/**
 * Whether a blob begins like an encrypted payload (contract §7.4): key `$` IV `$`, then the bytes
 * themselves.
 */
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
 * Whether the unfinished results of a task may be killed: with the right to send events in its
 * collaboration (contract §3.9), or by who created it.
 */
export function mayKill(principal: Principal, task: TaskPlace): boolean {
  return mayCollaboration(principal, "event:SEND", task.collaboration_id) ||
    (principal.kind === "user" && task.init_user_id === principal.id);
}

/** Whether the unfinished results at a node may be killed (contract §3.9). */
export function mayKillAtNode(
  principal: Principal,
  node: { organization_id: number; collaboration_id: number },
): boolean {
  return mayCollaboration(principal, "event:SEND", node.collaboration_id) ||
    (scopesOf(principal, "event:SEND").has("ORGANIZATION") &&
      node.organization_id === principal.organization_id);
}

/** Whether this is the node that executes a result: of its organization, in its collaboration. */
export function isAtNode(
  principal: Principal,
  result: { organization_id: number; collaboration_id: number },
): boolean {
  return principal.kind === "node" && principal.organization_id === result.organization_id &&
    principal.collaboration_id === result.collaboration_id;
}
