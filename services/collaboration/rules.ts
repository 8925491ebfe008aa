/**
 * The decisions of collaboration; no I/O here.
 * @module
 */
import {
  collaborationIds,
  isMember,
  mayCollaboration,
  type Permission,
  type Principal,
  reachableOrganizations,
  scopesOf,
} from "../../shared/contract/permissions.ts";

/** Whether a collaboration may be seen: anywhere, or as a member (contract §3.2). */
export function mayViewCollaboration(principal: Principal, collaborationId: number): boolean {
  const held = scopesOf(principal, "collaboration:VIEW");
  return held.has("GLOBAL") || (held.has("ORGANIZATION") && isMember(principal, collaborationId));
}

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

/**
 * The collaborations whose nodes a list may show, or `"all"`, or none beyond the own
 * organization's.
 */
export function nodeListReach(principal: Principal): "all" | number[] | "own organization" {
  const held = scopesOf(principal, "node:VIEW");
  if (held.has("GLOBAL")) return "all";
  return held.has("COLLABORATION") ? collaborationIds(principal) : "own organization";
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

export interface StorePlace {
  /** `null`: all collaborations. */
  collaboration_id: number | null;
}

/** Stores are seen where their collaboration is; one that serves all, by everybody who sees any. */
export function mayViewStore(principal: Principal, store: StorePlace): boolean {
  return store.collaboration_id === null
    ? scopesOf(principal, "collaboration:VIEW").size > 0
    : mayViewCollaboration(principal, store.collaboration_id);
}

/** Name and version in `deno:<name>@<version>`; undefined for an address. */
export function nameInImage(image: string): { name: string; version: string } | undefined {
  const [, name, version] = /^deno:([a-z0-9][a-z0-9_-]*)@([A-Za-z0-9.+-]+)$/i.exec(image) ?? [];
  return name === undefined || version === undefined ? undefined : { name, version };
}
