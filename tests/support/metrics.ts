/** A report as a node's agent makes it. */
import type { NodeMetrics } from "../../shared/node_protocol/metrics.ts";

export const METRICS: NodeMetrics = {
  version: "0.1.0",
  uptime_seconds: 90,
  cpus: 4,
  load: [0.5, 0.25, 0],
  memory: { agent_bytes: 1e8, total_bytes: 8e9, available_bytes: 6e9 },
  disk: { total_bytes: 1e12, free_bytes: 5e11 },
  runs: { waiting: 2, under_way: 1, to_be_reported: 0 },
  max_runs: 4,
};
