/**
 * The decisions of collaboration; no I/O here.
 * @module
 */
import {
  collaborationIds,
  isMember,
  type Principal,
  scopesOf,
} from "../../shared/contract/permissions.ts";

/** Whether a collaboration may be seen: anywhere, or as a member (contract §3.2). */
export function mayViewCollaboration(principal: Principal, collaborationId: number): boolean {
  const held = scopesOf(principal, "collaboration:VIEW");
  return held.has("GLOBAL") || (held.has("ORGANIZATION") && isMember(principal, collaborationId));
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
