/**
 * The SQL of what nodes report of themselves.
 * @module
 */
import { gaugeBy, type Metric } from "../../../shared/messages/metric.ts";
import type { Tx } from "../../../shared/storage/db.ts";
import { type NodeMetrics, nodeMetricsSchema } from "../../../shared/node_protocol/metrics.ts";

/** What a node reported, and how long ago that was. */
export interface Report {
  reported_at: Date;
  age_seconds: number;
  metrics: NodeMetrics;
}

/** A node with its last report, if this version can read it. */
export interface MeasuredNode {
  id: number;
  name: string;
  organization_id: number;
  collaboration_id: number;
  collaboration: string;
  online: boolean;
  report: Report | undefined;
}

interface ReportRow {
  reported_at: Date | null;
  age_seconds: number | null;
  metrics: unknown;
}

const reportColumns = (tx: Tx) =>
  tx`reported_at, extract(epoch from now() - reported_at)::float8 as age_seconds, metrics`;

function readReport({ reported_at, age_seconds, metrics }: ReportRow): Report | undefined {
  const parsed = nodeMetricsSchema.safeParse(metrics);
  if (!parsed.success || reported_at === null || age_seconds === null) return undefined;
  return { reported_at, age_seconds: Math.max(0, age_seconds), metrics: parsed.data };
}

/** Replaces the last report. Nothing happens for a node that is gone. */
export async function keepMetrics(tx: Tx, nodeId: number, metrics: NodeMetrics): Promise<void> {
  await tx`
    insert into node_metrics (node_id, reported_at, metrics)
    select id, now(), ${tx.json(metrics)} from node where id = ${nodeId}
    on conflict (node_id) do update
      set reported_at = excluded.reported_at, metrics = excluded.metrics`;
}

export async function lastReport(tx: Tx, nodeId: number): Promise<Report | undefined> {
  const [row] = await tx<ReportRow[]>`
    select ${reportColumns(tx)} from node_metrics where node_id = ${nodeId}`;
  return row && readReport(row);
}

export async function measuredNodes(tx: Tx): Promise<MeasuredNode[]> {
  const rows = await tx<(Omit<MeasuredNode, "report"> & ReportRow)[]>`
    select node.id, node.name, organization_id, collaboration_id, collaboration.name as collaboration,
      coalesce(status = 'online', false) as online, ${reportColumns(tx)}
    from node join collaboration on collaboration.id = collaboration_id
      left join node_metrics on node_id = node.id
    order by node.id`;
  return rows.map(({ reported_at, age_seconds, metrics, ...node }) => ({
    ...node,
    report: readReport({ reported_at, age_seconds, metrics }),
  }));
}

/** How many nodes there are, by whether they are connected. */
export async function nodeCounts(tx: Tx): Promise<Metric> {
  const [row] = await tx<{ online: number; all: number }[]>`
    select count(*) filter (where status = 'online')::float8 as online,
      count(*)::float8 as all from node`;
  const { online, all } = row!;
  return gaugeBy("status", {
    name: "sextant_nodes",
    help: "Nodes, by whether they are connected.",
    rows: [{ status: "online", value: online }, { status: "offline", value: all - online }],
  });
}
