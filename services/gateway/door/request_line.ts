import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../../../shared/contract/app.ts";

/** Tells the id of every request in its answer, and logs one line about it. */
export const requestLine: MiddlewareHandler<AppEnv> = async function requestLine(c, next) {
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
