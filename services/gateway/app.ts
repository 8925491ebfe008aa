/**
 * gateway: the one public door. HTTP in, NATS inside.
 *
 * Verifies the access token, resolves who is calling, and hands the request to the service that owns it. Keeps no
 * state but caches; any number of replicas may run.
 * @module
 */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import type { Refusal } from "../../shared/storage/audit.ts";
import { SextantError } from "../../shared/service/errors.ts";
import { answers } from "../../shared/contract/answers.ts";
import { type AppEnv, createApp, noRoute } from "../../shared/contract/app.ts";
import type { HttpClient } from "../../shared/http_over_nats/mod.ts";
import type { Logger } from "../../shared/service/log.ts";
import { apiPart, describeApi, describeRoutes } from "../../shared/contract/openapi.ts";
import { HUB_SERVICES } from "../../shared/broker/subjects.ts";
import { FIELD_VERSION, VERSION } from "../../shared/version.ts";
import { limitBody } from "./body_limit.ts";
import type { Feed } from "./feed.ts";
import { liveFeed } from "./live.ts";
import type { Principals } from "./principals.ts";
import { type AttemptLimits, limitAttempts } from "./rate_limit.ts";
import { serviceOf, skipsAuthentication } from "./rules.ts";

export interface GatewayDeps {
  http: HttpClient;
  principals: Principals;
  /** Asks each service whether it and its database answer. */
  health: () => Promise<Record<string, ServiceHealth>>;
  log: Logger;
  corsOrigins: string[];
  /** Bytes of a request body. */
  maxBody: number;
  /** Bytes of a payload that is uploaded on its own. */
  maxBlob?: number;
  /** Attempts to log in, recover and the like; without it they are not limited. */
  attempts?: AttemptLimits;
  /** What the live feed reads; without it there is none. */
  feed?: Feed;
  /** Is told of every request that is refused here, before a service sees it. */
  refused?: (refusal: Refusal) => void;
}

export interface ServiceHealth {
  ok: boolean;
  reason?: string;
}

export function createGatewayApp(deps: GatewayDeps): Hono<AppEnv> {
  const { http, principals, log, maxBody } = deps;
  const app = createApp(log);
  app.use(requestLine);
  app.use(secureHeaders());
  app.use(crossOrigin(deps.corsOrigins));

  app.use(tellRefusals(deps.refused));
  if (deps.attempts) app.use(limitAttempts(deps.attempts));

  app.get("/api/version", (c) => c.json({ version: FIELD_VERSION, sextant: VERSION }));

  app.get("/api/health", async function getHealth(c) {
    const services = await deps.health();
    const database = HUB_SERVICES.every((name) => services[name]?.ok);
    const down = Object.entries(services).filter(([, one]) => !one.ok);
    const msg = down.length === 0
      ? "All services are ready."
      : down.map(([name, one]) => `${name}: ${one.reason}`).join("; ");
    return c.json({ database, msg, services }, database ? 200 : 503);
  });

  app.get("/api/openapi.json", async function getOpenApi(c) {
    const requestId = c.get("requestId");
    const parts = await Promise.all(HUB_SERVICES.map(async (service) => {
      const request = new Request(c.req.raw.url);
      const response = await http.request(service, request, { requestId });
      return apiPart.parse(await response.json());
    }));
    return c.json(describeApi([describeRoutes(app), ...parts], VERSION));
  });

  app.get("/api/docs", async function getDocs(c) {
    // One page with its style and script in it: it asks for openapi.json and for nothing else.
    c.header("content-security-policy", PAGE_POLICY);
    return c.html(await Deno.readTextFile(new URL("./docs.html", import.meta.url)));
  });

  if (deps.feed) {
    const feed = liveFeed({ feed: deps.feed, principals });
    app.get("/api/events", answers(undefined, { type: "text/event-stream" }), feed);
  }

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
    const limit = c.req.path === "/api/blobstream" ? deps.maxBlob ?? maxBody : maxBody;
    const request = limitBody(c.req.raw, limit);
    return await http.request(service, request, {
      requestId,
      ...(principal ? { principal } : {}),
    });
  }

  return app;
}

/**
 * Lets pages of other origins in. The headers are put on the answer that is there: set in advance they would make Hono
 * copy every answer, with its body as a stream.
 */
function crossOrigin(origins: string[]): MiddlewareHandler<AppEnv> {
  const setHeaders = cors({
    origin: origins.includes("*") ? "*" : origins,
    allowMethods: ["GET", "POST", "PATCH", "DELETE", "OPTIONS"],
    exposeHeaders: ["total-count", "Link", "jwt-token", "x-request-id"],
  });
  return async function letIn(c, next) {
    if (c.req.method === "OPTIONS") return await setHeaders(c, next);
    await next();
    await setHeaders(c, () => Promise.resolve());
  };
}

const PAGE_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; " +
  "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Services record what they refuse; what ends here would leave no trace. */
function tellRefusals(tell: GatewayDeps["refused"]): MiddlewareHandler<AppEnv> {
  return async function tellRefusal(c, next) {
    await next();
    if (!tell || !(c.error instanceof SextantError)) return;
    const { status } = c.res;
    if (status !== 401 && status !== 422 && status !== 429) return;
    const { method, path } = c.req;
    const address = String(c.env?.address ?? "");
    tell({ request_id: c.get("requestId"), method, path, status, code: c.error.code, address });
  };
}

/** Gives every request an id, tells it in the answer, and logs one line about it. */
const requestLine: MiddlewareHandler<AppEnv> = async function requestLine(c, next) {
  const requestId = c.get("requestId");
  const began = performance.now();
  await next();
  c.res.headers.set("x-request-id", requestId);
  c.get("log").debug("Request", {
    method: c.req.method,
    path: c.req.path,
    status: c.res.status,
    ms: Math.round(performance.now() - began),
  });
};
