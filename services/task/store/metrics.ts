/**
 * The SQL of what the task service tells Prometheus.
 * @module
 */
import { gauge, gaugeBy, type Metric } from "../../../shared/messages/metric.ts";
import type { Tx } from "../../../shared/storage/db.ts";
import { refusedCounts } from "./refused_count.ts";

/**
 * Results that are looked at for how fast they were dispatched: the newest, and of these minutes.
 */
const NEWEST = 1_000;
const MINUTES = 5;

/** Results that are open, how long they wait, and what nodes sent that was not taken. */
export async function taskMetrics(tx: Tx): Promise<Metric[]> {
  const open = await tx<{ status: string; value: number }[]>`
    select status, count(*)::float8 as value from result where finished_at is null
    group by status order by status`;
  const [age] = await tx<{ waiting: number; unaccepted: number }[]>`
    select coalesce(extract(epoch from now() - min(assigned_at)), 0)::float8 as waiting,
      coalesce(extract(epoch from now() -
        min(dispatched_at) filter (where accepted_at is null)), 0)::float8 as unaccepted
    from result where finished_at is null and status = 'pending'`;
  const [latency] = await tx<{ half: number | null; most: number | null }[]>`
    select percentile_cont(0.5) within group (order by seconds) as half,
      percentile_cont(0.95) within group (order by seconds) as most
    from (
      select extract(epoch from accepted_at - dispatched_at)::float8 as seconds
      from (select accepted_at, dispatched_at from result order by id desc limit ${NEWEST}) as newest
      where accepted_at > now() - make_interval(mins => ${MINUTES})) as accepted`;
  const refused = await refusedCounts(tx);
  return [
    gaugeBy("status", {
      name: "sextant_results_open",
      help: "Results that have not ended, by their status.",
      rows: open,
    }),
    gauge(
      "sextant_results_oldest_pending_seconds",
      "How long the oldest result has waited that no node has begun with.",
      age!.waiting,
    ),
    gauge(
      "sextant_results_oldest_unaccepted_seconds",
      "How long the oldest result has waited that its node has not even taken in.",
      age!.unaccepted,
    ),
    gaugeBy("quantile", {
      name: "sextant_dispatch_seconds",
      help: `From dispatch to the node's acceptance, of the last ${MINUTES} minutes.`,
      rows: [{ quantile: "0.5", value: latency!.half }, { quantile: "0.95", value: latency!.most }]
        .flatMap(({ quantile, value }) => value === null ? [] : [{ quantile, value }]),
    }),
    {
      name: "sextant_hub_refused_total",
      help: "Messages and tokens that the hub did not take, since it was set up.",
      type: "counter",
      samples: refused.map(({ kind, count }) => ({ value: count, labels: { kind } })),
    },
  ];
}
