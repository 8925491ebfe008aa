import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../../../shared/contract/app.ts";
import { nounOf } from "../rules.ts";
import type { OwnMetrics } from "./own_metrics.ts";

/** Callers choose any method that they like: only these are told apart. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

export function knownMethod(method: string): string {
  return METHODS.has(method) ? method : "other";
}

/** Counts what is answered, and how fast. */
export function measureRequests(metrics: OwnMetrics): MiddlewareHandler<AppEnv> {
  return async function measureRequest(c, next) {
    const begun = performance.now();
    await next();
    const { method, path } = c.req;
    metrics.answered({
      noun: nounOf(path),
      method: knownMethod(method),
      status: c.res.status,
      seconds: c.req.query("wait") === undefined ? (performance.now() - begun) / 1000 : undefined,
    });
  };
}
