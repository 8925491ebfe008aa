/**
 * How a node's agent and its machine are, as the agent tells the hub where its owner wants that.
 * @module
 */
import { z } from "zod";

/** A node's clock and counters are its own; only what could not be a measure at all is refused. */
const amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const number = amount.int();

export const nodeMetricsSchema = z.object({
  /** The agent's. */
  version: z.string().min(1).max(64).regex(/^[\x20-\x7e]+$/, "must be printable"),
  uptime_seconds: amount,
  cpus: number,
  /** Processes that ran or waited to run, on average over 1, 5 and 15 minutes. */
  load: z.tuple([amount, amount, amount]),
  memory: z.object({
    /** The agent alone, without the algorithms. */
    agent_bytes: amount,
    total_bytes: amount,
    available_bytes: amount,
  }),
  /** Where the agent's data folder is. */
  disk: z.object({ total_bytes: amount, free_bytes: amount }),
  runs: z.object({ waiting: number, under_way: number, to_be_reported: number }),
  /** How many runs may compute at once. */
  max_runs: number,
  /**
   * What the node says against the hub's audit record; agents of the version before do not tell.
   */
  hub_record_alarms: number.optional(),
});
export type NodeMetrics = z.infer<typeof nodeMetricsSchema>;
