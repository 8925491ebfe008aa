/**
 * What this gateway has counted since it started, beside what the services tell of themselves, in
 * the text form that Prometheus collects.
 * @module
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { SextantEvent } from "../../../shared/messages/events.ts";
import type { Metric } from "../../../shared/messages/metric.ts";

export interface Request {
  /** The first part of its path, of those that there are; else `other`. */
  noun: string;
  method: string;
  status: number;
  /** Undefined where the caller asked to be kept waiting. */
  seconds?: number | undefined;
}

export interface OwnMetrics {
  answered(request: Request): void;
  hear(event: SextantEvent): void;
  /** All that was counted here, and `others`, as text. */
  text(others: readonly Metric[]): Promise<string>;
}

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Seconds: from what a cache answers to what people give up on. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createOwnMetrics(): OwnMetrics {
  const registers = [new Registry()];
  const requests = new Counter({
    name: "sextant_http_requests_total",
    help: "Requests that this gateway has answered.",
    labelNames: ["noun", "method", "status"],
    registers,
  });
  const durations = new Histogram({
    name: "sextant_http_request_duration_seconds",
    help: "Until the answer begins, but of those that ask to be kept waiting.",
    labelNames: ["noun"],
    buckets: BUCKETS,
    registers,
  });
  const statuses = new Counter({
    name: "sextant_result_status_total",
    help: "Results that came to a status while this gateway ran: the last ones say how they ended.",
    labelNames: ["status"],
    registers,
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "When this gateway started, in seconds since 1970.",
    registers,
  }).set((Date.now() - performance.now()) / 1000);
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Memory of this gateway.",
    registers,
    collect() {
      this.set(Deno.memoryUsage().rss);
    },
  });

  return {
    answered({ noun, method, status, seconds }) {
      requests.inc({ noun, method, status: String(status) });
      if (seconds !== undefined) durations.observe({ noun }, seconds);
    },
    hear(event) {
      if (event.name === "result.status") statuses.inc({ status: event.data.status });
    },
    async text(others) {
      return `${await registers[0]!.metrics()}${await textOf(others)}`;
    },
  };
}

async function textOf(metrics: readonly Metric[]): Promise<string> {
  const registers = [new Registry()];
  for (const { name, help, type, samples } of merged(metrics)) {
    const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))];
    const options = { name, help, labelNames, registers };
    if (type === "counter") {
      const counter = new Counter(options);
      for (const { labels, value } of samples) counter.inc(labels, value);
    } else {
      const gauge = new Gauge(options);
      for (const { labels, value } of samples) gauge.set(labels, value);
    }
  }
  return await registers[0]!.metrics();
}

/** Three services tell figures of one name, which may stand only once. */
function merged(metrics: readonly Metric[]): Metric[] {
  const byName = new Map<string, Metric>();
  for (const metric of metrics) {
    const samples = [...byName.get(metric.name)?.samples ?? [], ...metric.samples];
    byName.set(metric.name, { ...metric, samples });
  }
  return [...byName.values()];
}
