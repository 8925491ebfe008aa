import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { AppEnv } from "../../../shared/contract/app.ts";

/**
 * Lets pages of other origins in. The headers are put on the answer that is there: set in advance
 * they would make Hono copy every answer, with its body as a stream.
 */
export function crossOrigin(origins: string[]): MiddlewareHandler<AppEnv> {
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
