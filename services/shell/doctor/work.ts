import type { Shell } from "../shell.ts";
import { waiting } from "../show/words.ts";
import { type Finding, ok, wrong } from "./finding.ts";

/** Nodes that are offline while work waits for them, and results that nobody moves. */
export async function checkWork({ databases }: Shell): Promise<Finding[]> {
  const nodes = await databases.collaboration<
    { id: number; name: string; status: string; last_seen: Date | null }[]
  >`select id, name, status, last_seen from node order by id`;
  const open = await databases.task<{ node_id: number; count: number }[]>`
    select node_id, count(*)::integer as count from result
    where finished_at is null and node_id is not null group by node_id order by node_id`;
  const online = nodes.filter((node) => node.status === "online").length;
  const findings = [ok("nodes", `${online} of ${nodes.length} are online`)];
  for (const { node_id, count } of open) {
    const node = nodes.find((one) => one.id === node_id);
    if (node?.status === "online") continue;
    const check = `node ${node_id}`;
    const waits = `${waiting("results", count)} for it`;
    const seen = node?.last_seen ? `, last seen ${node.last_seen.toISOString()}` : "";
    findings.push(
      node
        ? wrong(
          check,
          `${node.name} is offline${seen}, and ${waits}`,
          "Have its data station start it; the work waits as long as it takes.",
        )
        : wrong(
          check,
          `does not exist any more, and ${waits}`,
          "Kill those tasks through the API, or delete them here: await task.delete().",
        ),
    );
  }
  return findings;
}
