/**
 * A collector of traces, as OpenTelemetry's exporters know it: OTLP by HTTP, in JSON
 * (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
 * @module
 */
import { z } from "zod";

const value = z.object({
  stringValue: z.string().optional(),
  intValue: z.union([z.number(), z.string()]).optional(),
  doubleValue: z.number().optional(),
});
const attributes = z.array(z.object({ key: z.string(), value })).default([]);
const span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  status: z.object({ code: z.number().optional(), message: z.string().optional() }),
  attributes,
});
const posted = z.object({
  resourceSpans: z.array(z.object({
    resource: z.object({ attributes }),
    scopeSpans: z.array(z.object({ spans: z.array(span) })),
  })),
});

export interface CollectedSpan {
  /** Which part keeps it. */
  service: string;
  traceId: string;
  spanId: string;
  /** Empty for one that nobody is above. */
  parent: string;
  name: string;
  attributes: Record<string, string | number>;
  status: { code?: number | undefined; message?: string | undefined };
}

export interface Collector {
  /** Without `/v1/traces`. */
  url: string;
  spans: CollectedSpan[];
  /** All that came, as it came. */
  texts: string[];
  stop(): Promise<void>;
}

export function startCollector(): Collector {
  const spans: CollectedSpan[] = [];
  const texts: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const text = await request.text();
    if (new URL(request.url).pathname !== "/v1/traces") return new Response(null, { status: 404 });
    texts.push(text);
    spans.push(...readSpans(text));
    return Response.json({});
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    spans,
    texts,
    stop: () => server.shutdown(),
  };
}

function readSpans(text: string): CollectedSpan[] {
  return posted.parse(JSON.parse(text)).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(plain(resource.attributes)["service.name"]);
    return scopeSpans.flatMap(({ spans }) => spans).map((one) => ({
      service,
      traceId: one.traceId,
      spanId: one.spanId,
      parent: one.parentSpanId ?? "",
      name: one.name,
      attributes: plain(one.attributes),
      status: one.status,
    }));
  });
}

function plain(list: z.infer<typeof attributes>): Record<string, string | number> {
  return Object.fromEntries(list.map(({ key, value }) => [
    key,
    value.stringValue ?? Number(value.intValue ?? value.doubleValue),
  ]));
}
