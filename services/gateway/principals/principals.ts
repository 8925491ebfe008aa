/**
 * Who is calling: the access token verified, and the principal behind it, cached until an event
 * says it changed.
 * @module
 */
import { SextantError } from "../../../shared/service/errors.ts";
import type { SextantEvent } from "../../../shared/messages/events.ts";
import type { Principal } from "../../../shared/contract/permissions.ts";
import type { Ask } from "../../../shared/messages/questions.ts";
import { type Claims, verifyToken } from "../../../shared/contract/tokens.ts";
import { createPublicKeys } from "./public_keys.ts";
import { type Resolved, resolvePrincipal } from "./resolve.ts";

export interface Principals {
  /** The caller named by an `Authorization` header; `undefined` without one. Throws 401 or 422. */
  of(authorization: string | undefined): Promise<Principal | undefined>;
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
  // A signature costs more to check than all the rest of a request; the same token comes again and
  // again.
  const checked = new Map<string, Claims>();
  const keys = createPublicKeys({ ask, now });
  // Counts what was dropped: an answer that was under way meanwhile may be stale and is not kept.
  let generation = 0;

  async function claimsOf(token: string): Promise<Claims> {
    const known = checked.get(token);
    if (known && (!("exp" in known) || known.exp * 1000 > now())) return known;
    const claims = await verifyToken(token, keys.of, { type: "access", now: new Date(now()) });
    if (checked.size >= maxEntries) checked.delete(checked.keys().next().value!);
    checked.set(token, claims);
    return claims;
  }

  async function resolve(claims: Claims): Promise<Principal> {
    const key = claims.client_type === "container"
      ? `container:${claims.sub.node_id}:${claims.sub.task_id}`
      : `${claims.client_type}:${claims.sub}`;
    const cached = cache.get(key);
    if (cached && cached.expires > now()) return current(cached, claims);
    const before = generation;
    const resolved = await resolvePrincipal(ask, claims);
    if (!resolved) {
      throw new SextantError(
        "unauthenticated",
        `The ${claims.client_type} of this token does not exist any more.`,
      );
    }
    if (generation === before) {
      if (cache.size >= maxEntries) cache.delete(cache.keys().next().value!);
      cache.set(key, { ...resolved, expires: now() + maxAgeMs });
    }
    return current(resolved, claims);
  }

  /** The principal, unless the token is older than the key it was given for. */
  function current({ principal, tokensSince }: Resolved, claims: Claims): Principal {
    if (claims.iat >= tokensSince) return principal;
    throw new SextantError("unauthenticated", "The node has a new API key since; log in with it.");
  }

  function drop(affected: (key: string) => boolean) {
    generation++;
    for (const key of [...cache.keys()]) if (affected(key)) cache.delete(key);
  }

  return {
    async of(authorization) {
      if (authorization === undefined) return undefined;
      const token = /^Bearer (\S+)$/i.exec(authorization)?.[1];
      if (!token) {
        throw new SextantError("unauthenticated", "Send the access token as a bearer token.");
      }
      return await resolve(await claimsOf(token));
    },
    hear(event) {
      switch (event.name) {
        case "user.changed":
        case "user.deleted":
          return drop((key) => key === `user:${event.data.user_id}`);
        case "node.changed":
        case "node.deleted":
        case "node.key_reset":
          return drop((key) =>
            key.split(":")[0] !== "user" && key.split(":")[1] === String(event.data.node_id)
          );
        case "role.changed":
        case "role.deleted":
        case "organization.changed":
        case "organization.deleted":
        case "collaboration.changed":
        case "collaboration.deleted":
          return drop(() => true);
      }
    },
    forget() {
      drop(() => true);
      // A signing key may have been withdrawn, too.
      keys.forget();
      checked.clear();
    },
  };
}
