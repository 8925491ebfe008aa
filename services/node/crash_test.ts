/** The agent as a process, killed with -9 at every step of a run: the run ends exactly once. */
import assert from "node:assert/strict";
import { waitFor } from "../../tests/harness.ts";
import { API_KEY, type HubDouble, startHubDouble } from "../../tests/support/hub_double.ts";
import {
  type AgentProcess,
  nodeFolder,
  startAgentProcess,
} from "../../tests/support/node_agent.ts";
import { decodePayload } from "../../tests/support/decode_payload.ts";

const IMAGE = "deno:test@1.0";
const patient = { image: IMAGE, input: { method: "patient", kwargs: { kwargs: {} } } };
const echo = { image: IMAGE, input: { method: "echo", kwargs: { n: 1 } } };

async function withAgents(
  use: (hub: HubDouble, start: () => Promise<AgentProcess>, path: string) => Promise<void>,
): Promise<void> {
  const hub = await startHubDouble();
  const folder = await nodeFolder(hub, API_KEY);
  const agents: AgentProcess[] = [];
  try {
    await use(hub, async () => {
      const agent = startAgentProcess(folder.configPath);
      agents.push(agent);
      await agent.ready;
      return agent;
    }, folder.path);
  } finally {
    for (const agent of agents) await agent.kill9();
    await hub.stop();
    await folder.remove();
  }
}

/** How many of the algorithm's processes started, by what they print first. */
function startsOf(hub: HubDouble): number {
  return hub.logLines.filter((line) => line === "running" || line === "echoing").length;
}

Deno.test("Agent killed after accepting a dispatch carries it out when it is back", async () => {
  await withAgents(async (hub, start) => {
    const agent = await start();
    const starting = hub.hold("start");
    const result = await hub.post(echo);
    await starting.reached;
    await waitFor(() => result.accepted, { what: "the dispatch to be accepted" });
    await agent.kill9();
    // The start is committed, and the agent that asked for it never learns.
    starting.release();
    await waitFor(() => result.committed.start === 1, { what: "the start" });
    await start();
    await hub.final(result);
    assert.deepEqual([result.status, result.attempt], ["completed", 1]);
    assert.deepEqual(result.committed, { start: 2, finish: 1 });
    assert.equal(startsOf(hub), 1);
  });
});

Deno.test("Agent killed while an algorithm runs reports that attempt lost and does the next", async () => {
  await withAgents(async (hub, start) => {
    const agent = await start();
    const held = hub.hold("POST /task");
    const result = await hub.post(patient);
    await held.reached;
    const children = await childrenOf(agent.pid);
    assert.notEqual(children.length, 0);
    await agent.kill9();
    await waitFor(() => !children.some(isAlive), { what: "the algorithm to die with its agent" });
    held.release();
    await start();
    await hub.final(result);
    assert.deepEqual([result.status, result.attempt], ["completed", 2]);
    assert.deepEqual(result.committed, { start: 2, lost: 1, finish: 1 });
  });
});

Deno.test("Agent killed before its report was committed reports the same result again", async () => {
  await withAgents(async (hub, start) => {
    const agent = await start();
    const finishing = hub.hold("finish");
    const result = await hub.post(echo);
    await finishing.reached;
    await agent.kill9();
    finishing.drop();
    await start();
    await hub.final(result);
    assert.deepEqual(decodePayload(result.result!), { n: 1 });
    assert.equal(result.attempt, 1);
    assert.equal(result.committed.finish, 1);
    assert.equal(startsOf(hub), 1);
  });
});

Deno.test("Agent killed before it heard that its report was committed forgets it when it is back", async () => {
  await withAgents(async (hub, start, path) => {
    const agent = await start();
    const committed = hub.hold("committed finish");
    const result = await hub.post(echo);
    await committed.reached;
    await agent.kill9();
    committed.release();
    await start();
    await waitFor(async () => {
      const names = await Array.fromAsync(Deno.readDir(`${path}/node-data/reports`));
      return names.length === 0;
    }, { what: "the stored report to be gone" });
    assert.equal(result.committed.finish, 1);
    assert.equal(startsOf(hub), 1);
  });
});

Deno.test("Agent removes, when it starts, what one that was killed has left of data it read", async () => {
  await withAgents(async (_hub, start, path) => {
    const data = `${path}/node-data`;
    const parts = [`${data}/tables/reading-one`, `${data}/algorithms`];
    for (const part of parts) await Deno.mkdir(part, { recursive: true });
    await Deno.writeTextFile(`${parts[0]}/lock`, "");
    await Deno.writeTextFile(`${parts[0]}/canonical.csv`, "Ada");
    await Deno.writeTextFile(`${parts[1]}/half.new`, "export");
    const agent = await start();
    const reads = `${data}/tables/reading-two`;
    await Deno.mkdir(reads);
    using lock = await Deno.open(`${reads}/lock`, { write: true, create: true });
    assert.ok(await lock.tryLock(false), "as a command beside the agent does");
    const names = async (folder: string) =>
      (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
    assert.ok(!(await names(`${data}/tables`)).includes("reading-one"));
    assert.ok(!(await names(parts[1]!)).includes("half.new"));
    await agent.kill9();
    await start();
    assert.ok((await names(`${data}/tables`)).includes("reading-two"), "still held");
  });
});

Deno.test("Agent killed again and again gives a result up after the attempts the hub allows", async () => {
  await withAgents(async (hub, start) => {
    const held = hub.hold("POST /task");
    const result = await hub.post(patient);
    for (const attempt of [1, 2, 3]) {
      const agent = await start();
      await waitFor(() => result.attempt === attempt && startsOf(hub) === attempt, {
        what: `attempt ${attempt} to run`,
      });
      await agent.kill9();
    }
    await start();
    await hub.final(result);
    assert.deepEqual([result.status, result.attempt], ["failed", 3]);
    assert.deepEqual(result.committed, { start: 3, lost: 3 });
    held.release();
  });
});

Deno.test("Agent killed twice amid many runs ends each of them exactly once", async () => {
  await withAgents(async (hub, start) => {
    const results = await Promise.all(
      Array.from(
        { length: 30 },
        (_, n) => hub.post({ image: IMAGE, input: { method: "echo", kwargs: { n } } }),
      ),
    );
    const over = () => results.filter(({ result }) => result !== null).length;
    for (const share of [8, 16]) {
      const agent = await start();
      await waitFor(() => over() >= share, { what: `${share} results` });
      await agent.kill9();
    }
    await start();
    for (const [n, result] of results.entries()) {
      await hub.final(result);
      assert.equal(result.status, "completed", `${result.id}: ${result.reason}`);
      assert.deepEqual(decodePayload(result.result!), { n });
      assert.equal(result.committed.finish, 1);
      assert.equal(result.attempt, 1 + (result.committed.lost ?? 0));
    }
  });
});

Deno.test("Agent stops on SIGTERM within its deadline and leaves no algorithm behind", async () => {
  await withAgents(async (hub, start) => {
    const agent = await start();
    const result = await hub.post({ image: IMAGE, input: { method: "forever" } });
    await waitFor(() => startsOf(hub) === 1, { what: "the run" });
    const children = await childrenOf(agent.pid);
    assert.notEqual(children.length, 0);
    agent.signal("SIGTERM");
    assert.equal((await agent.exited).code, 0);
    assert.equal(result.attempt, 2);
    assert.deepEqual(children.filter(isAlive), []);
  });
});

Deno.test("Agent can be stopped while it still waits for the hub or for the broker", async () => {
  await withAgents(async (hub, _start, path) => {
    async function stopsWhile(sign: RegExp) {
      const agent = startAgentProcess(`${path}/node.yaml`);
      await waitFor(() => sign.test(agent.lines.join("\n")), { what: `a line like ${sign}` });
      agent.signal("SIGTERM");
      assert.equal((await agent.exited).code, 0);
    }
    await hub.stopHttp();
    await stopsWhile(/Cannot log in at .* yet; trying on/);
    hub.startHttp();
    await hub.killBroker();
    await stopsWhile(/NATS does not answer yet/);
    await hub.startBroker();
  });
});

Deno.test("Agent leaves with exit code 2 when its configuration is wrong, 1 when its key is", async () => {
  await withAgents(async (hub) => {
    for (
      const [key, port, code, text] of [
        [API_KEY, 99_999, 2, /port must be a port/],
        [crypto.randomUUID(), hub.port, 1, /refuses this node's API key/],
      ] as const
    ) {
      const folder = await nodeFolder({ port }, key);
      const agent = startAgentProcess(folder.configPath);
      assert.equal((await agent.exited).code, code);
      assert.match(agent.lines.join("\n"), text);
      await folder.remove();
    }
  });
});

async function childrenOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (/^\d+$/.test(name) && parentOf(name) === pid) found.push(Number(name));
  }
  return found;
}

/**
 * The parent of a process, or `undefined` when there is no such process, or only what is left of
 * it.
 */
function parentOf(pid: number | string): number | undefined {
  try {
    const [state, parent] = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ").at(-1)!.split(
      " ",
    );
    return state === "Z" ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  return parentOf(pid) !== undefined;
}
