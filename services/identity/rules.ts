/**
 * The decisions of identity; no I/O here.
 * @module
 */
import { SextantError } from "../../shared/errors.ts";
import { holdsAtLeast, type Principal, type RuleName } from "../../shared/policy.ts";

export interface LockoutPolicy {
  maxFailedAttempts: number;
  inactivationMinutes: number;
}

export const DEFAULT_LOCKOUT: LockoutPolicy = { maxFailedAttempts: 5, inactivationMinutes: 15 };

export interface LoginHistory {
  failed_login_attempts: number;
  last_login_attempt: Date | null;
}

/** Whether log-in is refused for now, whatever the password (contract §2.1). */
export function isLocked(history: LoginHistory, now: Date, policy = DEFAULT_LOCKOUT): boolean {
  if (history.failed_login_attempts < policy.maxFailedAttempts) return false;
  return minutesSince(history.last_login_attempt, now) < policy.inactivationMinutes;
}

/** The counter after one more failure: the first one after a lock has passed starts again at 1. */
export function failuresAfter(history: LoginHistory, policy = DEFAULT_LOCKOUT): number {
  const wasLocked = history.failed_login_attempts >= policy.maxFailedAttempts;
  return wasLocked ? 1 : history.failed_login_attempts + 1;
}

function minutesSince(date: Date | null, now: Date): number {
  return date === null ? Infinity : (now.getTime() - date.getTime()) / 60_000;
}

/** What a new password lacks (contract §2.8); empty when it will do. */
export function passwordProblems(password: string): string[] {
  const problems: string[] = [];
  if (password.length < 8) problems.push("must have at least 8 characters");
  if (password.length > 128) problems.push("must have at most 128 characters");
  if (!/[0-9]/.test(password)) problems.push("must contain a digit");
  if (!/[A-Z]/.test(password)) problems.push("must contain an upper-case letter");
  if (!/[a-z]/.test(password)) problems.push("must contain a lower-case letter");
  if (!/[^A-Za-z0-9]/.test(password)) problems.push("must contain a special character");
  return problems;
}

/** Throws unless the caller holds every rule they are about to give or take, at the same or a wider scope. */
export function requireHoldsAll(principal: Principal, rules: RuleName[]): void {
  const missing = rules.filter((rule) => !holdsAtLeast(principal, rule));
  if (missing.length === 0) return;
  throw new SextantError(
    "forbidden",
    `You cannot give or take rules that you do not hold yourself: ${
      missing.slice(0, 5).join(", ")
    }.`,
  );
}
