/**
 * The Hono app that every hub service builds on: the caller that comes with a request, one form for
 * errors.
 * @module
 */
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { asUnavailable, uniqueViolation } from "../storage/db.ts";
import { SextantError, toErrorBody } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";
import type { Principal } from "./permissions.ts";

/** What comes with a request beside the request: filled in by the gateway, carried over NATS. */
export interface RequestContext {
  principal?: unknown;
  requestId?: string;
  /** Where the request came from. */
  address?: string;
  [key: string]: unknown;
}

export interface AppEnv {
  Bindings: RequestContext;
  Variables: { principal: Principal; requestId: string; log: Logger };
}

/** When to ask again what could not be answered now. */
const AGAIN_SECONDS = "2";

export interface AppOptions {
  /**
   * What to say (409) when a row would break one of these unique constraints of the service's
   * schema.
   */
  duplicates?: Record<string, string>;
}

/** An app with the common error answers. Routes are added by the service. */
export function createApp(log: Logger, { duplicates = {} }: AppOptions = {}): Hono<AppEnv> {
  const app = new Hono<AppEnv>({ strict: true });
  app.use(async function requestScope(c, next) {
    const requestId = c.env?.requestId ?? crypto.randomUUID();
    c.set("requestId", requestId);
    c.set("log", log.with({ request_id: requestId }));
    await next();
  });
  app.notFound((c) => c.json(toErrorBody(noRoute(c), c.get("requestId")).body, 404));
  app.onError((thrown, c) => {
    const error = fromFramework(asDuplicate(asUnavailable(thrown), duplicates));
    const { status, body } = toErrorBody(error, c.get("requestId"));
    if (status >= 500) c.get("log")?.error("Request failed", { path: c.req.path, error });
    if (status === 503) c.header("retry-after", AGAIN_SECONDS);
    return c.json(body, status as 500);
  });
  return app;
}

/** The error for a method and path that nobody answers. */
export function noRoute({ req }: Context): SextantError {
  return new SextantError(
    "not_found",
    `There is no ${req.method} ${req.path} here; /api/docs shows what there is.`,
  );
}

function asDuplicate(error: unknown, duplicates: Record<string, string>): unknown {
  const constraint = uniqueViolation(error);
  if (constraint === undefined || !Object.hasOwn(duplicates, constraint)) return error;
  return new SextantError("conflict", duplicates[constraint]!, { cause: error });
}

function fromFramework(error: unknown): unknown {
  if (!(error instanceof HTTPException)) return error;
  if (error.status === 413) return new SextantError("payload_too_large", "The body is too large.");
  return new SextantError("invalid_request", error.message || "The request is malformed.");
}
