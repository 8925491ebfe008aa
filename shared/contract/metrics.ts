/**
 * Beyond v6's API: how a node's agent and its machine are, as the agent last told.
 * @module
 */
import { z } from "zod";
import { nodeMetricsSchema } from "../node_protocol/metrics.ts";

/** The last report of a node. */
export const nodeMetrics = nodeMetricsSchema.extend({
  reported_at: z.string(),
  age_seconds: z.number().min(0),
}).meta({ id: "NodeMetrics" });
