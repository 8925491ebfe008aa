import { openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { DATABASE } from "../../services/stack/database.ts";
import { temporaryFolder, type TestStack, waitFor } from "../harness.ts";
import { makeNodes, postToAll } from "./fan_out.ts";
import type { BenchContext } from "./context.ts";
import { report } from "./measure.ts";
import { clock, startProgram } from "./programs.ts";

const NODES = 10_000;
/** The promises: what all of the hub takes, and until when all are back after the broker's restart. */
const GOAL_HUB_MIB = 1536;
const GOAL_BACK_S = 60;
const PARTS = ["gateway", "identity", "collaboration", "task", "nats", "postgres"];
const PATIENCE_MS = 600_000;

/**
 * Ten thousand connected nodes: a task to all of them, what each part of the hub takes of memory,
 * and a broker that is killed and comes back. All nodes are in one process, which signs and
 * verifies for all of them: its own share of the times is as large as the hub's.
 */
export async function benchManyNodes({ stack, quick }: BenchContext): Promise<void> {
  const count = quick ? NODES / 10 : NODES;
  const folder = await temporaryFolder();
  const db = openDatabase(stack.adminDatabaseUrl(DATABASE), {
    schema: "collaboration",
    log: silentLogger,
    max: 1,
  });
  const before = memoryOfParts(stack);
  const making = clock();
  const { site, nodes } = await makeNodes(stack, count);
  const connecting = clock();
  const program = await startProgram("./light_nodes.ts", {
    api: `${stack.gatewayUrl}/api`,
    folder: folder.path,
    nodes,
  });
  await program.tell(count);
  await program.hear(); // listening
  await program.tell("work");
  await program.hear(); // working

  const ids = nodes.map(({ id }) => id);
  async function online(): Promise<number> {
    const [row] = await db<{ count: number }[]>`
      select count(*)::integer as count from node
      where id = any(${ids}::integer[]) and status = 'online'`;
    return row!.count;
  }
  await waitFor(async () => await online() === count, {
    what: "all nodes to be shown online",
    timeout: PATIENCE_MS,
  });
  report(`${count.toLocaleString("en")} nodes`, {
    "made in s": (connecting - making) / 1000,
    "connected in s": (clock() - connecting) / 1000,
  });
  reportMemory(stack, before, "connected");

  /** The time of the next such event; others are passed over. */
  async function heard(event: string): Promise<number> {
    while (true) {
      const said = await program.hear();
      if (event in said) return said[event];
    }
  }

  async function taskToAll(): Promise<void> {
    const posted = clock();
    await postToAll(site, nodes);
    const accepted = clock();
    const dispatched = await heard("dispatched");
    const reported = await heard("reported");
    report("a task to all of them", {
      "POST s": (accepted - posted) / 1000,
      "to the last dispatch s": Math.max(0, dispatched - accepted) / 1000,
      "to the last report s": (reported - accepted) / 1000,
    });
  }
  await taskToAll();
  reportMemory(stack, before, "after the task");

  let fewest = count;
  let watching = true;
  const watched = (async () => {
    while (watching) fewest = Math.min(fewest, await online());
  })();
  await stack.part("nats").kill9();
  const down = clock();
  await stack.part("nats").restart();
  const back = await heard("back");
  await taskToAll();
  await waitFor(async () => await online() === count, {
    what: "all nodes to be shown online again",
    timeout: PATIENCE_MS,
  });
  watching = false;
  await watched;
  report("the broker was killed and came back", {
    "all back in s": (back - down) / 1000,
    "goal s": GOAL_BACK_S,
    "shown offline at most": count - fewest,
  });
  reportMemory(stack, before, "after the restart");
  await program.stop();
  await db.end();
  await folder.remove();
}

function reportMemory(stack: TestStack, before: Record<string, number>, when: string): void {
  const now = memoryOfParts(stack);
  report(`MiB ${when}`, {
    ...Object.fromEntries(PARTS.map((part) => [part, Math.round(now[part]!)])),
    all: Math.round(PARTS.reduce((sum, part) => sum + now[part]!, 0)),
    "before": Math.round(PARTS.reduce((sum, part) => sum + before[part]!, 0)),
    goal: GOAL_HUB_MIB,
  });
}

/** What each part takes for itself, with the processes that it has started. */
function memoryOfParts(stack: TestStack): Record<string, number> {
  return Object.fromEntries(PARTS.map((part) => [part, ownMemoryOfFamily(stack.part(part).pid)]));
}

function ownMemoryOfFamily(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const own = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    return children.split(" ").filter(Boolean).map(Number)
      .reduce((sum, child) => sum + ownMemoryOfFamily(child), own);
  } catch {
    return 0; // it has ended
  }
}
