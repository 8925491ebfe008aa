import type { Shell } from "../shell.ts";
import { waiting } from "../show/words.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

/** Work that is dispatched should be in the journal of a node that is online after seconds. */
const ACCEPTED_WITHIN = "1 minute";

/** Nodes that are offline while work waits for them, and nodes that do not accept theirs. */
export async function checkWork({ databases }: Shell): Promise<Finding[]> {
  const nodes = await databases.collaboration<
    { id: number; name: string; status: string; last_seen: Date | null }[]
  >`select id, name, status, last_seen from node order by id`;
  const open = await databases.task<{ node_id: number; count: number }[]>`
    select node_id, count(*)::integer as count from result
    where finished_at is null and node_id is not null group by node_id order by node_id`;
  const offline = nodes.filter((node) => node.status !== "online");
  const online = `${nodes.length - offline.length} of ${nodes.length} are online`;
  const names = offline.slice(0, 10).map((node) => node.name).join(", ") +
    (offline.length > 10 ? ` and ${offline.length - 10} more` : "");
  const findings = [
    offline.length === 0 ? ok("nodes", online) : note(
      "nodes",
      `${online}; offline: ${names}`,
      "Ask their data stations whether that is meant; what they are asked waits for them.",
    ),
  ];
  const late = await databases.task<{ node_id: number; count: number }[]>`
    select node_id, count(*)::integer as count from result
    where status = 'pending' and accepted_at is null and node_id is not null
      and dispatched_at < now() - ${ACCEPTED_WITHIN}::interval
    group by node_id`;
  for (const { node_id, count } of open) {
    const node = nodes.find((one) => one.id === node_id);
    if (node?.status === "online") {
      const unaccepted = late.find((one) => one.node_id === node_id);
      if (!unaccepted) continue;
      findings.push(note(
        `node ${node_id}`,
        `${node.name} is online and has not accepted ${
          waiting("results", unaccepted.count)
        } for it`,
        "See its log: it may be full of work, or of a version before the hub's.",
      ));
      continue;
    }
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
          "Kill those tasks through the API, or delete them here: await task.delete({yes: true}).",
        ),
    );
  }
  return findings;
}
