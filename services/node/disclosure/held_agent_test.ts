/** Held results of an agent that runs as a process, killed with -9 while they wait. */
import assert from "node:assert/strict";
import { waitFor } from "../../../tests/harness.ts";
import { decodePayload } from "../../../tests/support/decode_payload.ts";
import { API_KEY, type HubDouble, startHubDouble } from "../../../tests/support/hub_double.ts";
import {
  type AgentProcess,
  nodeFolder,
  startAgentProcess,
} from "../../../tests/support/node_agent.ts";
import { runHeld, type Said } from "./held_commands.ts";

const work = {
  image: "deno:test@1.0",
  input: { method: "mean", kwargs: { column: "age" } },
  databases: ["default"],
};

interface Site {
  hub: HubDouble;
  path: string;
  start(): Promise<AgentProcess>;
  type(...words: string[]): Promise<Said>;
  release(id: number): Promise<Said>;
}

async function withSite(use: (site: Site) => Promise<void>): Promise<void> {
  const hub = await startHubDouble();
  const folder = await nodeFolder(hub, API_KEY, {
    disclosure: { profile: "datashield", unlisted: "hold" },
  });
  const agents: AgentProcess[] = [];
  const dataFolder = `${folder.path}/node-data`;
  const release = (id: number) =>
    runHeld({ dataFolder, words: ["release", `${id}`], reason: "looked at" });
  try {
    await use({
      hub,
      path: dataFolder,
      release,
      type: (...words) => runHeld({ dataFolder, words, reason: "one person" }),
      async start() {
        const agent = startAgentProcess(folder.configPath);
        agents.push(agent);
        await agent.ready;
        return agent;
      },
    });
  } finally {
    for (const agent of agents) await agent.kill9();
    await hub.stop();
    await folder.remove();
  }
}

Deno.test("an agent killed while a result is held has it still, and sends it once when it is released", async () => {
  await withSite(async ({ hub, path, start, release, type }) => {
    const agent = await start();
    const result = await hub.post(work);
    await waitFor(() => result.heldSince !== null, { what: "the hub to be told" });
    assert.deepEqual([result.status, result.result], ["active", null]);
    const since = result.heldSince;
    await agent.kill9();
    assert.match((await type("show", `${result.id}`)).text, /\b30\b/);

    const second = await start();
    await waitFor(() => result.committed.held === 2, { what: "the hub to be told again" });
    assert.equal(result.heldSince, since);
    // As many more run as there are slots: it takes none.
    const others = await Promise.all([1, 2, 3].map(() => hub.post(work)));
    await waitFor(() => others.every((one) => one.heldSince !== null), { what: "others to wait" });
    const finishing = hub.hold("finish");
    assert.match((await release(result.id)).text, /its result leaves now/);
    await finishing.reached;
    await second.kill9();
    finishing.drop();

    await start();
    await hub.final(result);
    assert.equal(result.status, "completed");
    assert.equal(decodePayload(result.result!), 30);
    assert.deepEqual([result.attempt, result.committed.finish], [1, 1]);
    assert.equal((await release(result.id)).code, 1);
    const audit = await Deno.readTextFile(`${path}/audit.log`);
    assert.ok(audit.includes('"event":"held result released"'));
    assert.match(
      (await type("refuse", `${others[0]!.id}`)).text,
      /is refused: whoever asked is told/,
    );
    const refused = await hub.final(others[0]!);
    assert.deepEqual([refused.status, refused.result], ["not allowed", null]);
    assert.match(refused.reason!, /^Refused at release: one person \(It was held: /);
  });
});

Deno.test("an agent sends what was released while it did not run, and drops what was killed meanwhile", async () => {
  await withSite(async ({ hub, path, start, release }) => {
    const agent = await start();
    const [kept, killed] = [await hub.post(work), await hub.post(work)];
    await waitFor(() => kept.heldSince !== null && killed.heldSince !== null, { what: "both" });
    await agent.kill9();
    assert.match((await release(kept.id)).text, /when the agent runs again; it does not now|now/);
    hub.kill(killed);
    await start();
    await hub.final(kept);
    assert.equal(decodePayload(kept.result!), 30);
    const left = async () =>
      (await Array.fromAsync(Deno.readDir(`${path}/held`))).map(({ name }) => name);
    await waitFor(async () => (await left()).length === 0, { what: "the files to be gone" });
    assert.deepEqual([killed.status, killed.result], ["killed by user", null]);
    assert.ok((await Deno.readTextFile(`${path}/audit.log`)).includes("held result dropped"));
  });
});

Deno.test("a kill ends a held result at once, and an older hub is done without being told", async () => {
  await withSite(async ({ hub, path, start, release, type }) => {
    hub.knowsHeld = false;
    await start();
    const [one, other] = [await hub.post(work), await hub.post(work)];
    await waitFor(async () => (await type()).text.startsWith("2 results wait"), { what: "both" });
    assert.equal(one.heldSince, null);
    hub.kill(one);
    await waitFor(async () => (await type()).text.startsWith("1 result waits"), { what: "one" });
    await release(other.id);
    await hub.final(other);
    assert.equal(decodePayload(other.result!), 30);
    assert.equal(one.result, null);
    assert.ok((await Deno.readTextFile(`${path}/audit.log`)).includes("held result dropped"));
  });
});
