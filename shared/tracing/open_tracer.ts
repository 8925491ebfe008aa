/**
 * Whether a hub service keeps traces: by OpenTelemetry's own variables
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 * @module
 */
import { z } from "zod";
import { readConfig, type ReadConfigOptions } from "../service/config.ts";
import type { ServiceLife } from "../service/life.ts";
import { noTracer, type Tracer } from "./tracer.ts";

const httpUrl = z.url({ protocol: /^https?$/, error: "must be http://… or https://…" });
const SETTINGS = {
  /** The collector; `/v1/traces` is appended. */
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  /** The whole address, in its place. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl.optional(),
  OTEL_TRACES_EXPORTER: z.enum(["otlp", "none"], "must be otlp or none").default("otlp"),
  OTEL_SDK_DISABLED: z.enum(["true", "false"], "must be true or false").default("false"),
  /** Of the traces that begin at the hub. */
  OTEL_TRACES_SAMPLER: z.enum(
    ["parentbased_always_on", "parentbased_traceidratio"],
    "must be parentbased_always_on or parentbased_traceidratio",
  ).default("parentbased_always_on"),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number("must be from 0 to 1").min(0).max(1).default(1),
};

export interface TraceSettings {
  url: string;
  ratio: number;
}

/** What the environment says; `undefined` where no traces are wanted. Throws a ConfigError. */
export function readTraceSettings(options: ReadConfigOptions = {}): TraceSettings | undefined {
  const config = readConfig(SETTINGS, options);
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole } = config;
  const url = whole ?? (base && tracesUrl(base));
  if (!url || config.OTEL_SDK_DISABLED === "true" || config.OTEL_TRACES_EXPORTER === "none") {
    return undefined;
  }
  const byRatio = config.OTEL_TRACES_SAMPLER === "parentbased_traceidratio";
  return { url, ratio: byRatio ? config.OTEL_TRACES_SAMPLER_ARG : 1 };
}

/** Where a collector takes traces. */
export function tracesUrl(collector: string): string {
  return `${collector.replace(/\/$/, "")}/v1/traces`;
}

/**
 * What keeps the traces of this process, until it ends. Nothing of it is loaded where there are
 * none.
 */
export async function openTracer(
  { log, onStop }: Pick<ServiceLife, "log" | "onStop">,
  service: string,
  settings: TraceSettings | undefined,
): Promise<Tracer> {
  if (!settings) return noTracer;
  const { openOtlpTracer } = await import("./otlp.ts");
  const tracer = openOtlpTracer({ service, ...settings, log });
  onStop("traces", tracer.close);
  log.info("Traces are kept", { collector: new URL(settings.url).host });
  return tracer;
}
