import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../../../shared/contract/app.ts";
import type { Tracer } from "../../../shared/tracing/tracer.ts";
import { TRACEPARENT_HEADER } from "../../../shared/tracing/traceparent.ts";
import { nounOf } from "../rules.ts";
import { knownMethod } from "./measure_requests.ts";

/** Answers each request in a span, as part of the trace that the client tells, or of a new one. */
export function traceRequests(tracer: Tracer): MiddlewareHandler<AppEnv> {
  return function traceRequest(c, next) {
    const method = knownMethod(c.req.method);
    const parent = c.req.header(TRACEPARENT_HEADER);
    // Never the path: callers write into it what they like, and names are in its query.
    const name = `gateway ${method} ${nounOf(c.req.path)}`;
    return tracer.span(name, { parent, kind: "server", attributes: { method } }, async (span) => {
      await next();
      span.set({ status_code: c.res.status });
    });
  };
}
