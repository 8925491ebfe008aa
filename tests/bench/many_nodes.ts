import { setTimeout as delay } from "node:timers/promises";
import { DATABASE } from "../../services/stack/names.ts";
import { openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { temporaryFolder, type TestStack, waitFor } from "../harness.ts";
import { type LightNode, makeNodes, postToAll } from "./fan_out.ts";
import { openTaskDatabase } from "./behind.ts";
import type { BenchContext } from "./context.ts";
import { report } from "./measure.ts";
import { clock, type Program, startProgram } from "./programs.ts";

const NODES = 10_000;
/**
 * Nodes in one process: with many more its event loop answers the broker's pings too late, and what
 * is measured then is that process.
 */
const NODES_A_PROCESS = 1250;
/** The promises: what all of the hub takes, and until when all are back after a restart. */
const GOAL_HUB_MIB = 1536;
const GOAL_BACK_S = 60;
const PARTS = ["gateway", "identity", "collaboration", "task", "nats", "postgres"];
const PATIENCE_MS = 600_000;
const LOOK_EVERY_MS = 250;

/**
 * Ten thousand connected nodes: a task to all of them, what each part of the hub takes of memory,
 * and a broker that is killed and comes back. The nodes are in a few processes, which sign and
 * verify for all of them: their own share of the times is as large as the hub's.
 */
export async function benchManyNodes({ stack, quick }: BenchContext): Promise<void> {
  const count = quick ? NODES / 10 : NODES;
  const folder = await temporaryFolder();
  const db = openDatabase(stack.adminDatabaseUrl(DATABASE), {
    schema: "collaboration",
    log: silentLogger,
    max: 1,
  });
  const tasks = openTaskDatabase(stack);
  const before = memoryOfParts(stack);
  const making = clock();
  const { site, nodes } = await makeNodes(stack, count);
  const connecting = clock();
  const programs = await startLightNodes(nodes, {
    api: `${stack.gatewayUrl}/api`,
    folder: folder.path,
  });

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

  /** When the last process told of this, after `since`; what else is told is passed over. */
  async function heard(event: string, since: number): Promise<number> {
    const times = programs.map(async (program) => {
      while (true) {
        const said = await program.hear();
        if (said[event] > since) return said[event] as number;
      }
    });
    return Math.max(...await Promise.all(times));
  }

  async function taskToAll(): Promise<void> {
    const posted = clock();
    await postToAll(site, nodes);
    const accepted = clock();
    const dispatched = await heard("dispatched", posted);
    const reported = await heard("reported", posted);
    report("a task to all of them", {
      "POST s": (accepted - posted) / 1000,
      "to the last dispatch s": Math.max(0, dispatched - accepted) / 1000,
      "to the last report s": (reported - accepted) / 1000,
    });
  }
  /** Looks until it is stopped; that tells how many nodes were shown offline at most. */
  function watchPresence(): { stop(): Promise<number> } {
    const over = new AbortController();
    let fewest = count;
    const watching = (async () => {
      while (!over.signal.aborted) {
        fewest = Math.min(fewest, await online());
        await delay(LOOK_EVERY_MS, undefined, { signal: over.signal }).catch(() => {});
      }
    })();
    return {
      async stop() {
        over.abort();
        await watching;
        return count - fewest;
      },
    };
  }

  const calm = watchPresence();
  await taskToAll();
  report("meanwhile", { "shown offline at most": await calm.stop() });
  reportMemory(stack, before, "after the task");

  const watched = watchPresence();
  const down = clock();
  await stack.part("nats").kill9();
  await stack.part("nats").restart();
  const back = await heard("back", down);
  await taskToAll();
  await waitFor(async () => await online() === count, {
    what: "all nodes to be shown online again",
    timeout: PATIENCE_MS,
  });
  // A node whose link broke once more has its share as the next attempt.
  const notCompleted = async () => {
    const [row] = await tasks<{ open: number; failed: number }[]>`
      select count(*) filter (where finished_at is null)::integer as open,
        count(*) filter (where finished_at is not null)::integer as failed
      from result where node_id = any(${ids}::integer[]) and status <> 'completed'`;
    return row!;
  };
  await waitFor(async () => (await notCompleted()).open === 0, {
    what: "all results to end",
    timeout: PATIENCE_MS,
  });
  report("the broker was killed and came back", {
    "all back in s": (back - down) / 1000,
    "goal s": GOAL_BACK_S,
    "shown offline at most": await watched.stop(),
    "results failed": (await notCompleted()).failed,
  });
  reportMemory(stack, before, "after the restart");
  await Promise.all(programs.map((program) => program.stop()));
  await Promise.all([db.end(), tasks.end()]);
  await folder.remove();
}

/** Starts the nodes in processes of their own, connected and waiting for work. */
async function startLightNodes(
  nodes: LightNode[],
  settings: { api: string; folder: string },
): Promise<Program[]> {
  const parts: LightNode[][] = [];
  for (let at = 0; at < nodes.length; at += NODES_A_PROCESS) {
    parts.push(nodes.slice(at, at + NODES_A_PROCESS));
  }
  return await Promise.all(parts.map(async (part) => {
    const program = await startProgram("./light_nodes.ts", { ...settings, nodes: part });
    await program.tell(part.length);
    await program.hear(); // listening
    await program.tell("work");
    await program.hear(); // working
    return program;
  }));
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
