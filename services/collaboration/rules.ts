/**
 * The decisions of collaboration; no I/O here.
 * @module
 */
import {
  collaborationIds,
  isMember,
  type Permission,
  type Principal,
  scopesOf,
} from "../../shared/policy.ts";

/** Whether a collaboration may be seen: anywhere, or as a member (contract §3.2). */
export function mayViewCollaboration(principal: Principal, collaborationId: number): boolean {
  const held = scopesOf(principal, "collaboration:VIEW");
  return held.has("GLOBAL") || (held.has("ORGANIZATION") && isMember(principal, collaborationId));
}

export interface StudyPlace {
  collaboration_id: number;
  organization_ids: number[];
}

/** The three-way test of studies (contract §3.3): anywhere, in own collaborations, with own organization in it. */
export function mayStudy(
  principal: Principal,
  permission: Permission,
  study: StudyPlace,
): boolean {
  const held = scopesOf(principal, permission);
  return held.has("GLOBAL") ||
    (held.has("COLLABORATION") && isMember(principal, study.collaboration_id)) ||
    (held.has("ORGANIZATION") && study.organization_ids.includes(principal.organization_id));
}

/** The collaborations whose nodes a list may show, or `"all"`, or none beyond the own organization's. */
export function nodeListReach(principal: Principal): "all" | number[] | "own organization" {
  const held = scopesOf(principal, "node:VIEW");
  if (held.has("GLOBAL")) return "all";
  return held.has("COLLABORATION") ? collaborationIds(principal) : "own organization";
}
