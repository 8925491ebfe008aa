/**
 * How the agent and its machine are, told to the hub now and then where the owner wants that
 * (option `prometheus`).
 * @module
 */
import { statfs } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { NodeMetrics } from "../../../shared/node_protocol/metrics.ts";
import { VERSION } from "../../../shared/version.ts";
import type { Hub } from "./hub.ts";
import type { AttemptState } from "../../../shared/node_protocol/status.ts";
import type { Journal } from "../record/journal.ts";

export interface MeasureOptions {
  /** The data folder. */
  folder: string;
  journal: Pick<Journal, "open">;
  maxRuns: number;
  /** How many alarms about the hub's audit record there are. */
  alarms?: () => number;
  /** When the agent started, as `performance.now()` tells time. */
  since: number;
}

export interface ReportMetricsOptions extends MeasureOptions {
  everySeconds: number;
  hub: Pick<Hub, "request">;
  nodeId: number;
  log: Logger;
  /** Ends it. */
  signal: AbortSignal;
}

/** Reports until it is told to end. A report that fails is not repeated: the next one says more. */
export async function reportMetrics(
  { everySeconds, hub, nodeId, log, signal, ...measured }: ReportMetricsOptions,
): Promise<void> {
  let well = true;
  while (!signal.aborted) {
    try {
      const body = await measure(measured);
      await hub.request(`/node/${nodeId}/metrics`, z.unknown(), { method: "PUT", body, signal });
      well = true;
    } catch (error) {
      if (signal.aborted) return;
      if (well) log.warn("Cannot report metrics to the hub", { reason: messageOf(error) });
      well = false;
    }
    await delay(everySeconds * 1000, undefined, { signal }).catch(() => {});
  }
}

export async function measure(
  { folder, journal, maxRuns, since, alarms }: MeasureOptions,
): Promise<NodeMetrics> {
  const disk = await statfs(folder);
  const memory = Deno.systemMemoryInfo();
  const [one = 0, five = 0, fifteen = 0] = Deno.loadavg();
  const states = [...journal.open.values()].map(({ state }) => state);
  const runs = (state: AttemptState) => states.filter((one) => one === state).length;
  return {
    version: VERSION,
    uptime_seconds: Math.round((performance.now() - since) / 1000),
    cpus: navigator.hardwareConcurrency,
    load: [one, five, fifteen],
    memory: {
      agent_bytes: Deno.memoryUsage().rss,
      total_bytes: memory.total,
      available_bytes: memory.available,
    },
    disk: { total_bytes: disk.blocks * disk.bsize, free_bytes: disk.bavail * disk.bsize },
    runs: {
      waiting: runs("accepted"),
      under_way: runs("started"),
      to_be_reported: runs("finished"),
    },
    max_runs: maxRuns,
    ...(alarms ? { hub_record_alarms: alarms() } : {}),
  };
}
