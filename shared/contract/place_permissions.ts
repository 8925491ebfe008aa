/**
 * Who may do what to what lies in a collaboration: nodes, studies, members. The hub decides by it,
 * and the page shows by it what its reader may do. No I/O here.
 * @module
 */
import {
  isMember,
  mayCollaboration,
  type Permission,
  type Principal,
  reachableOrganizations,
  scopesOf,
} from "./permissions.ts";

export interface StudyPlace {
  collaboration_id: number;
  organization_ids: number[];
}

/**
 * The three-way test of studies (contract §3.3): anywhere, in own collaborations, with own
 * organization in it. A node, and the algorithm it runs, work in one collaboration: studies of
 * others are not their business.
 */
export function mayStudy(
  principal: Principal,
  permission: Permission,
  study: StudyPlace,
): boolean {
  const held = scopesOf(principal, permission);
  return held.has("GLOBAL") ||
    (held.has("COLLABORATION") && isMember(principal, study.collaboration_id)) ||
    (held.has("ORGANIZATION") && study.organization_ids.includes(principal.organization_id) &&
      (principal.kind === "user" || isMember(principal, study.collaboration_id)));
}

export interface NodePlace {
  organization_id: number;
  collaboration_id: number;
}

/**
 * The contract's test of the node's organization (§3.4), and, where the scope is the collaboration,
 * of the node's collaboration too: sharing one collaboration with an organization gives no right to
 * its nodes in another. A node may edit itself alone.
 */
export function mayNode(principal: Principal, permission: Permission, place: NodePlace): boolean {
  const held = scopesOf(principal, permission);
  if (held.has("GLOBAL")) return true;
  const inReach = isMember(principal, place.collaboration_id);
  if (principal.kind !== "user" && permission !== "node:VIEW" && !inReach) return false;
  return (held.has("ORGANIZATION") && place.organization_id === principal.organization_id) ||
    (held.has("COLLABORATION") && inReach);
}

/**
 * Whether an organization may be taken into a collaboration. Who edits their own collaborations may
 * only take in an organization they share one with already: any other would come under rights that
 * were never granted over it.
 */
export function mayAddOrganization(
  principal: Principal,
  collaborationId: number,
  organizationId: number,
): boolean {
  return scopesOf(principal, "collaboration:EDIT").has("GLOBAL") ||
    (mayCollaboration(principal, "collaboration:EDIT", collaborationId) &&
      reachableOrganizations(principal).includes(organizationId));
}
