import type { Shell } from "../shell.ts";
import { type Finding, wrong } from "./finding.ts";

interface Seen {
  node_id: number;
  since: Date;
  second_address: string;
  second_seen_at: Date;
}

/** Nodes with whose API key a second agent wanted to work in the last hour, beside the first. */
export async function checkAgents({ databases }: Shell): Promise<Finding[]> {
  const seen = await databases.task<Seen[]>`
    select node_id, since, second_address, second_seen_at from node_speaker
    where second_seen_at > now() - interval '1 hour' order by node_id`;
  const nodes = await databases.collaboration<{ id: number; name: string }[]>`
    select id, name from node where id = any(${seen.map((one) => one.node_id)})`;
  const names = new Map(nodes.map(({ id, name }) => [id, name]));
  return seen.filter((one) => names.has(one.node_id)).map((one) =>
    wrong(
      `agent of node ${one.node_id}`,
      `${
        names.get(one.node_id)
      } has had one agent since ${one.since.toISOString()}, and a second ` +
        `with the same API key from ${one.second_address} was refused, last at ` +
        one.second_seen_at.toISOString(),
      "Have its data station stop one of the two: a configuration folder was copied. Whoever else " +
        "may have the key is shut out by a new one: POST /recover/node.",
    )
  );
}
