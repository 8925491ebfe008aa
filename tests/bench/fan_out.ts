import { subjects } from "../../shared/broker/subjects.ts";
import { temporaryFolder, type TestStack } from "../harness.ts";
import { connectAsTask, trustOf } from "./behind.ts";
import { createSite, encodeInput, type Site } from "../site.ts";
import type { BenchContext } from "./context.ts";
import { percentile, report } from "./measure.ts";
import { clock, startProgram } from "./programs.ts";

const SIZES = [100, 1000];
/** The promise: at most so many times a raw fan-out. */
const GOAL = 2;
/** Bytes of a raw message: about those of a dispatch. */
const MESSAGE = 600;
const MAKING_AT_ONCE = 8;
const ROUNDS = 5;

/**
 * One task to many connected nodes: from the accepted POST until the last node has its dispatch and
 * believes it. The floor is as many raw messages to the same connections. All nodes are in one
 * process, which verifies every signature.
 */
export async function benchFanOut({ stack, quick }: BenchContext): Promise<void> {
  const folder = await temporaryFolder();
  const nc = await connectAsTask(stack.natsUrl, await trustOf(stack));
  for (const size of quick ? [SIZES[0]!] : SIZES) {
    const { site, nodes } = await makeNodes(stack, size);
    const program = await startProgram("./light_nodes.ts", {
      api: `${stack.gatewayUrl}/api`,
      folder: folder.path,
      nodes,
    });
    await program.tell(size);
    await program.hear(); // listening
    const samples: number[] = [];
    for (let n = 0; n < ROUNDS; n++) {
      const began = clock();
      for (const { id } of nodes) nc.publish(subjects.kill(id), new Uint8Array(MESSAGE));
      samples.push(await program.hear() - began);
    }
    const raw = percentile(samples, 0.5);
    await program.tell("work");
    await program.hear(); // working
    for (let n = 0; n < ROUNDS; n++) {
      const posted = clock();
      const task = await postToAll(site, nodes);
      const accepted = clock();
      // Messages can be faster than the answer to the POST.
      const took = Math.max(0, await program.hearTimeOf("dispatched") - accepted);
      let over = false;
      const reporting = program.hearTimeOf("reported").finally(() => over = true);
      const reads: number[] = [];
      while (!over) {
        const asked = clock();
        await site.researcher.get(`/task/${task.id}`);
        reads.push(clock() - asked);
      }
      const reported = await reporting;
      report(`one task to ${size.toLocaleString("en")} nodes`, {
        "POST ms": accepted - posted,
        "to the last dispatch ms": took,
        "raw fan-out ms": raw,
        "ratio": took / raw,
        "goal": GOAL,
        "to the last report ms": reported - accepted,
        "GET task meanwhile p50 ms": percentile(reads, 0.5),
        "p99 ms": percentile(reads, 0.99),
      });
    }
    await program.stop();
  }
  await nc.close();
  await folder.remove();
}

export interface LightNode {
  id: number;
  key: string;
  organization: number;
}

/** A task whose algorithm does nothing, at all nodes. */
// deno-lint-ignore no-explicit-any -- what the API answers, each caller knows
export function postToAll(site: Site, nodes: LightNode[]): Promise<any> {
  const input = encodeInput({ method: "now" });
  return site.researcher.post("/task", {
    name: "to all",
    image: "deno:slow@1.0.0",
    collaboration_id: site.collaborationId,
    organizations: nodes.map(({ organization }) => ({ id: organization, input })),
    databases: [{ label: "default" }],
  });
}

/** A collaboration of so many organizations with a node each. */
export async function makeNodes(
  stack: TestStack,
  size: number,
): Promise<{ site: Site; nodes: LightNode[] }> {
  const site = await createSite(stack, { data: [""] });
  const { admin, collaborationId } = site;
  const organizations = await times(
    size,
    (n) => admin.post("/organization", { name: `${site.login.username} ${n}` }),
  );
  const organization_ids = [site.members[0]!.id, ...organizations.map(({ id }) => id)];
  await admin.patch(`/collaboration/${collaborationId}`, { organization_ids });
  const nodes = await times(size, async (n) => {
    const organization = organizations[n].id;
    const { id, api_key } = await admin.post("/node", {
      organization_id: organization,
      collaboration_id: collaborationId,
    });
    return { id, key: api_key, organization };
  });
  return { site, nodes };
}

/** Does something so often, several at a time; the results in order. */
async function times<T>(count: number, make: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = new Array(count);
  let next = 0;
  await Promise.all(Array.from({ length: MAKING_AT_ONCE }, async () => {
    for (let n; (n = next++) < count;) results[n] = await make(n);
  }));
  return results;
}
