/**
 * Spans that are kept, and sent to a collector by OTLP. Only loaded where there are any.
 * @module
 */
import {
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { messageOf } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";
import { settlesIn } from "../service/settles_in.ts";
import { VERSION } from "../version.ts";
import type { SpanAttributes, SpanOptions, Tracer } from "./tracer.ts";
import { traceparent, within } from "./tracer.ts";
import { readTraceparent, writeTraceparent } from "./traceparent.ts";

export interface OtlpOptions {
  /** Which part this is. */
  service: string;
  /** Where spans are posted to: `http://collector:4318/v1/traces`. */
  url: string;
  /** The share of traces that are kept, of those that begin here. */
  ratio: number;
  log: Logger;
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const satisfies Record<NonNullable<SpanOptions["kind"]>, SpanKind>;

/** The conventions' own names: https://opentelemetry.io/docs/specs/semconv/http/http-spans/ */
const CONVENTIONS: Partial<Record<keyof SpanAttributes, string>> = {
  method: "http.request.method",
  status_code: "http.response.status_code",
};
/** A word of ours, should a text ever get here that is none. */
const WORD = /^[A-Za-z][A-Za-z_. ]{0,39}$/;
const EXPORT_EVERY_MS = 2000;
const LAST_MS = 2000;

export function openOtlpTracer({ service, url, ratio, log }: OtlpOptions): Tracer {
  const exporter = sayFailures(new OTLPTraceExporter({ url, timeoutMillis: 5000 }), log);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": service,
      "service.namespace": "sextant",
      "service.version": VERSION,
    }),
    sampler: new ParentBasedSampler({
      root: ratio === 1 ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(ratio),
    }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter, scheduledDelayMillis: EXPORT_EVERY_MS }),
    ],
  });
  const tracer = provider.getTracer("sextant", VERSION);

  return {
    on: true,
    async span(name, { parent, kind = "internal", attributes = {} }, work) {
      const known = contextOf(parent) ?? contextOf(traceparent());
      const context = known ? trace.setSpanContext(ROOT_CONTEXT, known) : ROOT_CONTEXT;
      const span = tracer.startSpan(
        name,
        { kind: KINDS[kind], attributes: told(attributes) },
        context,
      );
      const { traceId, spanId, traceFlags: flags } = span.spanContext();
      try {
        return await within(
          writeTraceparent({ traceId, spanId, flags }),
          () => work({ set: (more) => void span.setAttributes(told(more)) }),
        );
      } catch (error) {
        // That it failed, not why: the reason may name what is nobody's business.
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    },
    async close() {
      const sent = provider.shutdown().catch((error) =>
        log.warn("The last traces cannot be sent", { reason: messageOf(error) })
      );
      // A collector that is away is no reason to stop late.
      await settlesIn(LAST_MS, sent);
    },
  };
}

function contextOf(text: string | null | undefined): SpanContext | undefined {
  const read = readTraceparent(text);
  return read &&
    { traceId: read.traceId, spanId: read.spanId, traceFlags: read.flags & 1, isRemote: true };
}

function told(attributes: SpanAttributes): Record<string, string | number> {
  const entries = Object.entries(attributes) as [keyof SpanAttributes, string | number][];
  return Object.fromEntries(
    entries.filter(([, value]) => typeof value === "number" || WORD.test(value))
      .map(([name, value]) => [CONVENTIONS[name] ?? `sextant.${name}`, value]),
  );
}

/** Says once that spans cannot be sent, and once that they can again. */
function sayFailures(exporter: SpanExporter, log: Logger): SpanExporter {
  let failing = false;
  return {
    export(spans: ReadableSpan[], done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== 0;
        if (failed && !failing) {
          log.warn("Traces cannot be sent, and are dropped", { reason: messageOf(result.error) });
        } else if (!failed && failing) log.info("Traces are sent again");
        failing = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
