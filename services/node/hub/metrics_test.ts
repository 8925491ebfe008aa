import assert from "node:assert/strict";
import { createLogger, silentLogger } from "../../../shared/service/log.ts";
import { nodeMetricsSchema } from "../../../shared/node_protocol/metrics.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { createHub } from "./hub.ts";
import { measure, reportMetrics } from "./metrics.ts";

const dispatch = {} as Dispatch;
const measured = {
  folder: "/tmp",
  maxRuns: 2,
  since: performance.now() - 5000,
  journal: {
    open: new Map([
      ["1-1", { dispatch, state: "accepted" as const }],
      ["2-1", { dispatch, state: "started" as const }],
      ["3-1", { dispatch, state: "started" as const }],
    ]),
  },
};

Deno.test("measure() gives what the hub takes", async () => {
  const metrics = nodeMetricsSchema.parse(await measure(measured));
  assert.deepEqual(metrics.runs, { waiting: 1, under_way: 2, to_be_reported: 0 });
  assert.equal(metrics.max_runs, 2);
  assert.ok(metrics.uptime_seconds >= 5);
  assert.ok(metrics.cpus >= 1);
  const { memory, disk } = metrics;
  assert.ok(memory.agent_bytes > 0 && memory.agent_bytes < memory.total_bytes);
  assert.ok(memory.available_bytes <= memory.total_bytes);
  assert.ok(disk.free_bytes > 0 && disk.free_bytes <= disk.total_bytes);
});

Deno.test("reportMetrics() goes on while the hub does not take it, says so once, and ends when told", async () => {
  const claims = new TextEncoder().encode('{"sub":3,"exp":4000000000}').toBase64();
  const bodies: unknown[] = [];
  const enough = Promise.withResolvers<void>();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const body = await request.json();
      const path = new URL(request.url).pathname;
      if (path === "/api/token/node") return Response.json({ access_token: `e30.${claims}.x` });
      assert.equal(`${request.method} ${path}`, "PUT /api/node/3/metrics");
      bodies.push(body);
      if (bodies.length === 4) enough.resolve();
      return Response.json({ msg: "said" }, { status: bodies.length < 3 ? 404 : 200 });
    },
  );
  const lines: string[] = [];
  const stop = new AbortController();
  const reporting = reportMetrics({
    ...measured,
    everySeconds: 0.01,
    nodeId: 3,
    hub: createHub({
      api: `http://127.0.0.1:${server.addr.port}/api`,
      apiKey: "k",
      payloadFormats: [],
      log: silentLogger,
    }),
    log: createLogger("node", { write: (line) => lines.push(line) }),
    signal: stop.signal,
  });
  await enough.promise;
  stop.abort(new Error("stopping"));
  await reporting;
  await server.shutdown();
  for (const body of bodies) nodeMetricsSchema.parse(body);
  assert.equal(lines.length, 1, lines.join("\n"));
  assert.match(lines[0]!, /Cannot report metrics to the hub/);
});
