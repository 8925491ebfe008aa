/**
 * What nodes report, in the text form that Prometheus collects.
 * @module
 */
import type { MeasuredNode, Report } from "../../store/metrics.ts";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Record<string, string | number>;
type Sample = [value: number, more?: Labels];

interface Family {
  name: string;
  help: string;
  samples: (node: MeasuredNode) => Sample[];
}

/** A family of what is in reports: nodes that have sent none have no samples of it. */
function reported(name: string, help: string, samples: (report: Report) => Sample[]): Family {
  return { name, help, samples: ({ report }) => report ? samples(report) : [] };
}

const FAMILIES: Family[] = [
  {
    name: "online",
    help: "Whether the node is connected.",
    samples: ({ online }) => [[online ? 1 : 0]],
  },
  reported(
    "report_age_seconds",
    "Since the node's last report, from which all below is.",
    (report) => [
      [report.age_seconds],
    ],
  ),
  reported("info", "The agent's version.", ({ metrics }) => [[1, { version: metrics.version }]]),
  reported("uptime_seconds", "Since the agent started.", ({ metrics }) => [
    [metrics.uptime_seconds],
  ]),
  reported("cpus", "Processors of the node's machine.", ({ metrics }) => [[metrics.cpus]]),
  reported("load", "Average load of the node's machine.", ({ metrics: { load } }) => [
    [load[0], { minutes: 1 }],
    [load[1], { minutes: 5 }],
    [load[2], { minutes: 15 }],
  ]),
  reported("agent_memory_bytes", "Memory of the agent itself.", ({ metrics }) => [
    [metrics.memory.agent_bytes],
  ]),
  reported("memory_total_bytes", "Memory of the node's machine.", ({ metrics }) => [
    [metrics.memory.total_bytes],
  ]),
  reported("memory_available_bytes", "Memory that is available there.", ({ metrics }) => [
    [metrics.memory.available_bytes],
  ]),
  reported("disk_total_bytes", "Size of the disk with the data folder.", ({ metrics }) => [
    [metrics.disk.total_bytes],
  ]),
  reported("disk_free_bytes", "What of that is free.", ({ metrics }) => [
    [metrics.disk.free_bytes],
  ]),
  reported(
    "runs",
    "Runs that the agent has, by state.",
    ({ metrics: { runs } }) => Object.entries(runs).map(([state, count]) => [count, { state }]),
  ),
  reported(
    "hub_record_alarms",
    "What the node says against the hub's audit record.",
    ({ metrics: { hub_record_alarms: alarms } }) => alarms === undefined ? [] : [[alarms]],
  ),
  reported("max_runs", "Runs that may compute at once.", ({ metrics }) => [[metrics.max_runs]]),
];

/** `organizations` holds their names by id. */
export function metricsText(nodes: MeasuredNode[], organizations: Map<number, string>): string {
  const lines: string[] = [];
  for (const { name, help, samples } of FAMILIES) {
    const full = `sextant_node_${name}`;
    lines.push(`# HELP ${full} ${help}`, `# TYPE ${full} gauge`);
    for (const node of nodes) {
      const labels = {
        node_id: node.id,
        node: node.name,
        organization: organizations.get(node.organization_id) ?? String(node.organization_id),
        collaboration: node.collaboration,
      };
      for (const [value, more] of samples(node)) {
        lines.push(`${full}{${labelText({ ...labels, ...more })}} ${value}`);
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

function labelText(labels: Labels): string {
  return Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(",");
}

/** Names are free text, and could otherwise end their label and go on with samples of their own. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
