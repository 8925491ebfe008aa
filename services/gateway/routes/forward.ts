import type { Context, Hono } from "hono";
import { type AppEnv, noRoute } from "../../../shared/contract/app.ts";
import type { Principal } from "../../../shared/contract/permissions.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { GatewayDeps } from "../deps.ts";
import { type BodyLimit, limitBody, readBody, withBody } from "../door/body_limit.ts";
import { createHeldBytes } from "../door/held_bytes.ts";
import { network } from "../door/rate_limit.ts";
import { serviceOf, skipsAuthentication, takesStoreTokens } from "../rules.ts";

/**
 * Everything else: each request goes to the service that owns the noun in its path, with who is
 * calling.
 */
export function forwardRequests(
  app: Hono<AppEnv>,
  { http, principals, maxBody, maxBlob = maxBody, bodyPatienceMs }: GatewayDeps,
): void {
  const bodyLimit: BodyLimit = { bytes: maxBody, setting: "SEXTANT_MAX_BODY_MIB" };
  const blobLimit: BodyLimit = { bytes: maxBlob, setting: "SEXTANT_MAX_BLOB_MIB" };
  const heldBytes = createHeldBytes({ maxBody });
  const patience = bodyPatienceMs === undefined ? {} : { patienceMs: bodyPatienceMs };
  const reading = { ...patience, limit: bodyLimit };
  app.all("/api/*", forward);
  app.get("/.well-known/jwks.json", forward);

  async function forward(c: Context<AppEnv>): Promise<Response> {
    const service = serviceOf(c.req.path);
    if (!service) throw noRoute(c);
    const { raw } = c.req;
    const requestId = c.get("requestId");
    const open = skipsAuthentication(c.req.path);
    // Of strangers no body is taken.
    const early = open ? undefined : await callerOf(c);
    if (!raw.body) return await http.request(service, raw, extras(early));
    if (c.req.path === "/api/blobstream") {
      const request = limitBody(raw, {
        ...patience,
        limit: blobLimit,
        atEnd: async () => void await callerOf(c),
      });
      return await http.request(service, request, extras(early));
    }
    // What strangers send is a log-in and the like: it was read before, within its limit.
    const held = early && heldBytes.bodyOf(early);
    try {
      const body = await readBody(raw, held ? { ...reading, held } : reading);
      // Who lost a right while sending has lost it.
      const principal = open ? undefined : await callerOf(c);
      return await http.request(service, withBody(raw, body), extras(principal));
    } finally {
      held?.giveBack();
    }

    function extras(principal: Principal | undefined) {
      const { address } = c.env;
      return {
        requestId,
        ...(principal ? { principal } : {}),
        ...(address === undefined ? {} : { address: network(address) }),
      };
    }
  }

  async function callerOf(c: Context<AppEnv>): Promise<Principal> {
    const forStore = takesStoreTokens(c.req.path);
    const principal = await principals.of(c.req.header("authorization"), { forStore });
    if (principal) return principal;
    // Refused here, where a flood of refusals is recorded by its beginning.
    throw new SextantError("unauthenticated", "Log in first: this needs an access token.");
  }
}
