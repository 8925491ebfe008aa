/**
 * Who is calling: the access token verified, and the principal behind it, cached until an event
 * says it changed.
 * @module
 */
import { SextantError } from "../../../shared/service/errors.ts";
import type { SextantEvent } from "../../../shared/messages/events.ts";
import type { Principal } from "../../../shared/contract/permissions.ts";
import type { Ask } from "../../../shared/messages/questions.ts";
import type { Claims } from "../../../shared/contract/tokens.ts";
import { type Resolved, resolvePrincipal } from "./resolve.ts";
import { createSharedLists } from "./shared_lists.ts";
import { createTokenChecker } from "./token_checker.ts";

export interface Principals {
  /**
   * The caller named by an `Authorization` header; `undefined` without one. Throws 401 or 422. A
   * token that was made for an algorithm store is taken only where such tokens are looked at.
   */
  of(
    authorization: string | undefined,
    options?: { forStore?: boolean },
  ): Promise<Principal | undefined>;
  /** Drops what the event made stale. */
  hear(event: SextantEvent): void;
  /** Drops everything: after a reconnection events may have been missed. */
  forget(): void;
}

export interface PrincipalsOptions {
  ask: Ask;
  now?: () => number;
  /** The longest time a principal is used without asking again, even if no event came. */
  maxAgeMs?: number;
  maxEntries?: number;
}

interface Entry extends Resolved {
  expires: number;
}

export function createPrincipals({
  ask,
  now = Date.now,
  maxAgeMs = 60_000,
  maxEntries = 10_000,
}: PrincipalsOptions): Principals {
  const cache = new Map<string, Entry>();
  const tokens = createTokenChecker({ ask, now, maxEntries });
  const lists = createSharedLists();
  // An answer that was under way when something was dropped may be stale, and is not kept.
  const underWay = new Set<{ key: string; stale: boolean }>();

  async function resolve(claims: Claims): Promise<Principal> {
    const key = keyOf(claims);
    const cached = cache.get(key);
    // What does not fit may be older than the token: it is looked up again, then refused.
    if (cached && cached.expires > now() && fits(cached, claims)) return cached.principal;
    const look = { key, stale: false };
    underWay.add(look);
    try {
      const resolved = await resolvePrincipal(ask, claims);
      if (!look.stale) {
        if (cache.size >= maxEntries) cache.delete(cache.keys().next().value!);
        const principal = lists.in(resolved.principal);
        cache.set(key, { ...resolved, principal, expires: now() + maxAgeMs });
      }
      demandFits(resolved, claims);
      return resolved.principal;
    } finally {
      underWay.delete(look);
    }
  }

  /** There may be thousands of these events in a second: each drops one key, and looks for it. */
  function dropOne(key: string) {
    cache.delete(key);
    for (const look of underWay) if (look.key === key) look.stale = true;
  }

  function drop(affected: (key: string, principal: Principal) => boolean) {
    for (const look of underWay) look.stale = true;
    for (const [key, { principal }] of [...cache]) {
      if (affected(key, principal)) cache.delete(key);
    }
  }

  function dropAll() {
    drop(() => true);
    lists.forget();
  }

  return {
    async of(authorization, { forStore = false } = {}) {
      if (authorization === undefined) return undefined;
      const claims = await tokens.claimsOf(tokenIn(authorization));
      if (claims.type === "store" && !forStore) {
        throw new SextantError(
          "unauthenticated",
          "This token shows an algorithm store whose it is, and is good for nothing else.",
        );
      }
      return await resolve(claims);
    },
    hear(event) {
      switch (event.name) {
        case "user.changed":
        case "user.deleted":
          return drop((_, { kind, id }) => kind === "user" && id === event.data.user_id);
        case "session.ended": {
          const { client_type, client_id, session_id } = event.data;
          return dropOne(`${client_type}:${client_id}:${session_id}`);
        }
        case "signing_key.withdrawn":
          return tokens.forget();
        case "node.changed":
        case "node.deleted":
        case "node.key_reset":
          return drop((_, { kind, id }) => kind !== "user" && id === event.data.node_id);
        case "result.status":
          return dropOne(`container:${event.data.result_id}`);
        case "task.deleted":
          return drop((_, one) => one.kind === "container" && one.task_id === event.data.task_id);
        case "role.changed":
        case "role.deleted":
        case "organization.changed":
        case "organization.deleted":
        case "collaboration.changed":
        case "collaboration.deleted":
          return dropAll();
      }
    },
    forget() {
      dropAll();
      // A signing key may have been withdrawn, too.
      tokens.forget();
    },
  };
}

function tokenIn(authorization: string): string {
  const token = /^Bearer (\S+)$/i.exec(authorization)?.[1];
  if (token) return token;
  throw new SextantError("unauthenticated", "Send the access token as a bearer token.");
}

/** Whose tokens share an answer: those of one session, or of the attempts at one result. */
function keyOf(claims: Claims): string {
  return claims.client_type === "container"
    ? `container:${claims.result_id}`
    : `${claims.client_type}:${claims.sub}:${claims.sid}`;
}

/** Whether a token was given for the present attempt, with the key that its node has now. */
function fits({ attempt, keyGeneration }: Resolved, claims: Claims): boolean {
  if (claims.client_type !== "container") return true;
  return attempt === claims.attempt && keyGeneration === claims.key_generation;
}

function demandFits(resolved: Resolved, claims: Claims): void {
  if (fits(resolved, claims)) return;
  throw new SextantError(
    "unauthenticated",
    "Another attempt has taken the place of the one that this token was given for.",
  );
}
