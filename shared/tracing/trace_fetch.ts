import type { HubService } from "../broker/subjects.ts";
import type { ServeHttpOptions } from "../http_over_nats/serve.ts";
import type { Tracer } from "./tracer.ts";

/** Answers each request in a span, as part of the trace that the gateway tells. */
export function traceFetch(
  fetch: ServeHttpOptions["fetch"],
  { service, tracer }: { service: HubService; tracer: Tracer },
): ServeHttpOptions["fetch"] {
  if (!tracer.on) return fetch;
  return function tracedFetch(request, extras) {
    const { method } = request;
    return tracer.span(
      `${service} ${method}`,
      { parent: extras.traceparent, kind: "server", attributes: { method } },
      async (span) => {
        const response = await fetch(request, extras);
        span.set({ status_code: response.status });
        return response;
      },
    );
  };
}
