/**
 * The decisions of identity; no I/O here.
 * @module
 */
import { SextantError } from "../../shared/service/errors.ts";
import {
  holdsAtLeast,
  mayOrganization,
  type Principal,
  type RuleName,
  widestScope,
} from "../../shared/contract/permissions.ts";
import { ruleName, RULES } from "./rights/catalogue.ts";

export interface LockoutPolicy {
  maxFailedAttempts: number;
  inactivationMinutes: number;
}

export const DEFAULT_LOCKOUT: LockoutPolicy = { maxFailedAttempts: 5, inactivationMinutes: 15 };

/**
 * Every permission, anywhere: who holds these can give everybody everything, and nobody else can
 * give them back.
 */
export const ADMINISTRATOR_RULES: readonly RuleName[] = RULES
  .filter((rule) => rule.scope === "GLOBAL").map(ruleName);

/** Whether somebody with these rules can administer the hub, as those with the role Root can. */
export function canAdminister(rules: readonly string[]): boolean {
  return ADMINISTRATOR_RULES.every((rule) => rules.includes(rule));
}

/**
 * Throws unless the caller holds every rule they are about to give or take, at the same or a wider
 * scope.
 */
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

/** Where rules are given. */
export interface Place {
  /** Of the user, or of those who have the role. */
  organizationId: number;
  /** Whether that organization works in collaborations that the caller's does not. */
  worksInOthers: boolean;
}

/** Its holder sets the public key of the own organization. */
const setsKey = (rule: RuleName) => rule.startsWith("organization:EDIT:");

/**
 * The rules one must hold to open to a user what `rules` open. Usually those themselves; but what
 * "the organization" and "its collaborations" are depends on the user: when the user's organization
 * also works where the caller's does not, such a rule reaches further in the user's hands than in
 * the caller's, and only GLOBAL is as wide. So it is, everywhere but in the caller's organization,
 * with the rule by which members set their organization's key: else somebody else would make a
 * member, and read from then on what is encrypted for the organization.
 */
export function rulesToGive(
  { organization_id }: Principal,
  rules: RuleName[],
  { organizationId, worksInOthers }: Place,
): RuleName[] {
  return rules.map((rule) =>
    worksInOthers || setsKey(rule) && organizationId !== organization_id
      ? rule.replace(/:(?:ORGANIZATION|COLLABORATION)$/, ":GLOBAL") as RuleName
      : rule
  );
}

/** Throws, and says why and who can do it instead, unless the caller may give these rules there. */
export function requireMayGive(
  principal: Principal,
  { rules, ...place }: Place & { rules: RuleName[] },
): void {
  requireHoldsAll(principal, rules);
  const tooWide = rules.filter((rule) =>
    rulesToGive(principal, [rule], place).some((wide) => !holdsAtLeast(principal, wide))
  );
  if (tooWide.length === 0) return;
  const { organizationId, worksInOthers } = place;
  const who = `An administrator of organization ${organizationId}, or of this server, can give `;
  if (!worksInOthers) {
    throw new SextantError(
      "forbidden",
      `You cannot give ${tooWide.join(", ")} in organization ${organizationId}: whoever has that ` +
        "sets the organization's public key, and can read what is encrypted for it. " +
        `${who}it; the other rules and roles you can give.`,
    );
  }
  const more = tooWide.length > 5 ? ` and ${tooWide.length - 5} more` : "";
  throw new SextantError(
    "forbidden",
    `You cannot give these rules in organization ${organizationId}, which also works in ` +
      "collaborations that yours has no part in: they would open there what you may not see or do " +
      `yourself (${tooWide.slice(0, 5).join(", ")}${more}). ${who}them.`,
  );
}

/** What was added or taken away between two lists of ids: what a change gives or takes. */
export function changedIds(before: number[], after: number[]): number[] {
  const added = after.filter((id) => !before.includes(id));
  const removed = before.filter((id) => !after.includes(id));
  return [...new Set([...added, ...removed])];
}

/** Whether a role may be seen (contract §3.6): by its organization, one's own, or a default one. */
export function mayViewRole(
  principal: Principal,
  role: { organization_id: number | null; is_default_role: boolean },
  isOwn: boolean,
): boolean {
  return isOwn || mayOrganization(principal, "role:VIEW", role.organization_id) ||
    (role.is_default_role && widestScope(principal, "role:VIEW") !== undefined);
}

/** Whether the roles and rules of a user may be seen: one's own, or by the user's organization. */
export function mayViewGrants(
  principal: Principal,
  user: { id: number; organization_id: number },
): boolean {
  return (principal.kind === "user" && principal.id === user.id) ||
    mayOrganization(principal, "role:VIEW", user.organization_id);
}

export function isSelf(principal: Principal, userId: number): boolean {
  return principal.kind === "user" && principal.id === userId;
}

/**
 * Throws unless each role may be had by users of this organization: a role of one organization is
 * for its own.
 */
export function requireOwnRoles(
  roles: { id: number; organization_id: number | null }[],
  organizationId: number,
): void {
  for (const { id, organization_id } of roles) {
    if (organization_id !== null && organization_id !== organizationId) {
      throw new SextantError("forbidden", `Role ${id} belongs to another organization.`);
    }
  }
}
