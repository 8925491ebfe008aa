/**
 * A second replica is the whole of scaling out: both share the requests, and either may go.
 * @module
 */
import assert from "node:assert/strict";
import { HUB_SERVICES } from "../shared/broker/subjects.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite } from "./site.ts";

const stack = useTestStack();

for (const service of HUB_SERVICES) {
  Deno.test(`two replicas of ${service} share the requests, and one alone goes on`, async () => {
    const site = await createSite(stack(), { data: ["x\n1\n"] });
    const second = await stack().addReplica(service);
    const path = {
      identity: `/organization/${site.members[0]!.id}`,
      collaboration: `/node/${site.members[0]!.nodeId}`,
      task: "/task",
    }[service];
    const before = { first: cpu(service), second: cpu(second) };
    // Both are asked: the processor time of each grows with the requests it answers.
    await waitFor(async () => {
      await Promise.all(Array.from({ length: 50 }, () => site.admin.get(path)));
      return cpu(service) > before.first && cpu(second) > before.second;
    }, { what: `both replicas of ${service} to answer` });
    await stack().part(service).kill9();
    for (let round = 0; round < 20; round++) await site.admin.get(path);
    await stack().part(service).restart();
    await stack().part(second).stop();
    assert.ok(await site.admin.get(path));
  });
}

/** Clock ticks that a part has used. */
function cpu(part: string): number {
  const stat = Deno.readTextFileSync(`/proc/${stack().part(part).pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
