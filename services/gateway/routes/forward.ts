import type { Context, Hono } from "hono";
import { type AppEnv, noRoute } from "../../../shared/contract/app.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { GatewayDeps } from "../deps.ts";
import { limitBody } from "../door/body_limit.ts";
import { serviceOf, skipsAuthentication } from "../rules.ts";

/**
 * Everything else: each request goes to the service that owns the noun in its path, with who is
 * calling.
 */
export function forwardRequests(
  app: Hono<AppEnv>,
  { http, principals, maxBody, maxBlob = maxBody }: GatewayDeps,
): void {
  app.all("/api/*", forward);
  app.get("/.well-known/jwks.json", forward);

  async function forward(c: Context<AppEnv>): Promise<Response> {
    const service = serviceOf(c.req.path);
    if (!service) throw noRoute(c);
    const requestId = c.get("requestId");
    const open = skipsAuthentication(c.req.path);
    const principal = open ? undefined : await principals.of(c.req.header("authorization"));
    // Refused here, where a flood of refusals is recorded by its beginning.
    if (!open && !principal) {
      throw new SextantError("unauthenticated", "Log in first: this needs an access token.");
    }
    const limit = c.req.path === "/api/blobstream" ? maxBlob : maxBody;
    const request = limitBody(c.req.raw, limit);
    return await http.request(service, request, {
      requestId,
      ...(principal ? { principal } : {}),
    });
  }
}
