import assert from "node:assert/strict";
import { createLife } from "../service/life.ts";
import { silentLogger } from "../service/log.ts";
import { openTracer, readTraceSettings } from "./open_tracer.ts";
import { noTracer, traceparent, within } from "./tracer.ts";

const read = (env: Record<string, string>) => readTraceSettings({ env });

Deno.test("readTraceSettings() reads OpenTelemetry's variables, and nothing is kept without an address", () => {
  assert.equal(read({}), undefined);
  assert.equal(read({ OTEL_TRACES_SAMPLER: "parentbased_always_on" }), undefined);
  const OTEL_EXPORTER_OTLP_ENDPOINT = "http://collector:4318/";
  assert.deepEqual(read({ OTEL_EXPORTER_OTLP_ENDPOINT }), {
    url: "http://collector:4318/v1/traces",
    ratio: 1,
  });
  const OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = "https://traces.example/in";
  assert.deepEqual(
    read({
      OTEL_EXPORTER_OTLP_ENDPOINT,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0.1",
    }),
    { url: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, ratio: 0.1 },
  );
  assert.equal(read({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: "true" }), undefined);
  assert.equal(read({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: "none" }), undefined);
});

Deno.test("readTraceSettings() names what cannot be", () => {
  for (
    const [name, value] of [
      ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"],
      ["OTEL_TRACES_SAMPLER", "sometimes"],
      ["OTEL_TRACES_SAMPLER_ARG", "2"],
      ["OTEL_TRACES_EXPORTER", "jaeger"],
    ] as const
  ) {
    assert.throws(() => read({ [name]: value }), new RegExp(`${name}: `));
  }
});

Deno.test("openTracer() keeps nothing where nothing is set, and no place in a trace", async () => {
  const tracer = await openTracer(createLife(silentLogger), "task", undefined);
  assert.equal(tracer, noTracer);
  const seen = await tracer.span("work", {}, () => Promise.resolve(traceparent()));
  assert.equal(seen, undefined);
  const text = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const passed = within(text, () => tracer.span("work", {}, () => Promise.resolve(traceparent())));
  assert.equal(await passed, text, "a trace of others is passed on");
});
