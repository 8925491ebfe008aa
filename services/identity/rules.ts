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

/** What was added or taken away between two lists of ids: what a change gives or takes. */
export function changedIds(before: number[], after: number[]): number[] {
  const added = after.filter((id) => !before.includes(id));
  const removed = before.filter((id) => !after.includes(id));
  return [...new Set([...added, ...removed])];
}
