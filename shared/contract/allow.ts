/**
 * Who may call a route, on the line that declares it.
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { SextantError } from "../service/errors.ts";
import type { AppEnv } from "./app.ts";
import {
  type Permission,
  type PrincipalKind,
  principalSchema,
  refuse,
  widestScope,
} from "./permissions.ts";
import { declareFacts } from "./route_facts.ts";

/**
 * Lets the given kinds of principal pass, when they hold `permission` in any scope; the handler
 * then decides on the resource in hand. Throws `unauthenticated` or `forbidden`, both 401 as v6 has
 * it.
 *
 * @example A route for users and nodes
 * ```ts
 * app.get("/organization", allow(["user", "node"], "organization:VIEW"), listOrganizations);
 * ```
 */
export function allow(
  kinds: PrincipalKind[],
  permission?: Permission,
): MiddlewareHandler<AppEnv> {
  const handler: MiddlewareHandler<AppEnv> = async function allowed(c, next) {
    const given = c.env?.principal;
    if (given === undefined || given === null) {
      throw new SextantError("unauthenticated", "Log in first: this needs an access token.");
    }
    const principal = principalSchema.parse(given);
    if (!kinds.includes(principal.kind)) {
      throw new SextantError("forbidden", `A ${principal.kind} may not use this.`);
    }
    if (permission && !widestScope(principal, permission)) {
      const [resource, operation] = permission.split(":");
      throw refuse(`${operation!.toLowerCase()} any ${resource}`);
    }
    c.set("principal", principal);
    await next();
  };
  return declareFacts(handler, { access: { kinds, permission } });
}
