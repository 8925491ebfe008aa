/**
 * Who is calling: the access token verified, and the principal behind it, cached until an event says it changed.
 * @module
 */
import type { JWK } from "jose";
import { SextantError } from "../../shared/service/errors.ts";
import type { SextantEvent } from "../../shared/messages/events.ts";
import type { Principal } from "../../shared/contract/permissions.ts";
import type { Ask } from "../../shared/messages/questions.ts";
import { type Claims, verifyToken } from "../../shared/contract/tokens.ts";

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

interface Resolved {
  principal: Principal;
  /** Unix seconds: tokens issued before are refused. */
  tokensSince: number;
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
  // A signature costs more to check than all the rest of a request; the same token comes again and again.
  const checked = new Map<string, Claims>();
  let keys = new Map<string, JWK>();
  // Counts what was dropped: an answer that was under way meanwhile may be stale and is not kept.
  let generation = 0;

  async function publicKey(kid: string): Promise<JWK | undefined> {
    if (!keys.has(kid)) {
      const known = await ask("identity", "keys", {});
      keys = new Map(known.map((key) => [String(key.kid), key as JWK]));
    }
    return keys.get(kid);
  }

  async function claimsOf(token: string): Promise<Claims> {
    const known = checked.get(token);
    if (known && (!("exp" in known) || known.exp * 1000 > now())) return known;
    const claims = await verifyToken(token, publicKey, { type: "access", now: new Date(now()) });
    if (checked.size >= maxEntries) checked.delete(checked.keys().next().value!);
    checked.set(token, claims);
    return claims;
  }

  async function memberships(organization_id: number) {
    return await ask("collaboration", "memberships", { organization_id });
  }

  async function resolveUser(id: number): Promise<Resolved | undefined> {
    const user = await ask("identity", "user", { id });
    if (!user) return undefined;
    const collaborations = await memberships(user.organization_id);
    return { principal: { kind: "user", ...user, collaborations }, tokensSince: 0 };
  }

  /** A node, or the container it runs: both belong to one collaboration only. */
  async function resolveMachine(claims: Claims): Promise<Resolved | undefined> {
    const container = claims.client_type === "container" ? claims.sub : undefined;
    const node = await ask("collaboration", "node", {
      id: container?.node_id ?? Number(claims.sub),
      seen: true,
    });
    if (!node) return undefined;
    const { id, organization_id, collaboration_id, tokens_since: tokensSince = 0 } = node;
    const [all, rules] = await Promise.all([
      memberships(organization_id),
      ask("identity", "machine_rules", { role: container ? "container" : "node" }),
    ]);
    const base = {
      id,
      organization_id,
      collaboration_id,
      collaborations: all.filter((one) => one.id === collaboration_id),
      rules,
    };
    if (!container) return { principal: { kind: "node", ...base }, tokensSince };
    if (container.collaboration_id !== collaboration_id) return undefined;
    const { study_id, task_id, image } = container;
    return { principal: { kind: "container", ...base, study_id, task_id, image }, tokensSince };
  }

  async function resolve(claims: Claims): Promise<Principal> {
    const key = claims.client_type === "container"
      ? `container:${claims.sub.node_id}:${claims.sub.task_id}`
      : `${claims.client_type}:${claims.sub}`;
    const cached = cache.get(key);
    if (cached && cached.expires > now()) return current(cached, claims);
    const before = generation;
    const resolved = claims.client_type === "user"
      ? await resolveUser(claims.sub)
      : await resolveMachine(claims);
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
      keys.clear();
      checked.clear();
    },
  };
}
