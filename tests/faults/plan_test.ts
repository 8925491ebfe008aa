import assert from "node:assert/strict";
import { CLUSTER, planFaults, SERVICES } from "./plan.ts";

const options = { seed: 7, runs: 1000, faults: 30, nodes: 3, pauseMs: 30_000 };

Deno.test("planFaults() gives the same faults for the same seed and others for another", () => {
  assert.deepEqual(planFaults(options), planFaults(options));
  assert.notDeepEqual(planFaults(options), planFaults({ ...options, seed: 8 }));
});

Deno.test("planFaults() hits every service and the nodes, in order and in all ways", () => {
  const faults = planFaults(options);
  for (const service of SERVICES) assert.ok(faults.some((fault) => fault.target === service));
  for (const kind of ["kill -9", "pause", "cut off"]) {
    assert.ok(faults.some((fault) => fault.kind === kind));
  }
  const times = faults.map((fault) => fault.afterRuns);
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
});

Deno.test("planFaults() of a cluster hits each part, and the primary three times in 40 faults", () => {
  const faults = planFaults({ ...options, faults: 40, cluster: true });
  for (const part of CLUSTER) assert.ok(faults.some((fault) => fault.target === part));
  assert.ok(faults.filter((fault) => fault.target === "primary").length >= 3);
  const cut = faults.filter((fault) => fault.kind === "cut off");
  for (const kind of ["nats", "primary"]) {
    assert.ok(cut.some(({ target, ms }) => String(target).startsWith(kind) && ms === 30_000), kind);
  }
});
