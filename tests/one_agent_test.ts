/**
 * Two agents on copies of one configuration folder, in a whole system: only the first computes,
 * both logs and the doctor say so, and the second takes over when the first is gone.
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { createSite, type Member, type Site } from "./site.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { type AgentProcess, startAgentProcess } from "./support/node_agent.ts";
import { temporaryFolder } from "./support/folders.ts";

const stack = useTestStack();
const REFUSED = /another agent with this key has been connected since \d{4}-\S+Z from 127\.0\.0\.1/;
const TOLD = /Another agent with this key is refused while this one is connected/;

let site: Site;
let member: Member;
let copied: { path: string; remove(): Promise<void> };
const agents: AgentProcess[] = [];

Deno.test.beforeAll(async () => {
  site = await createSite(stack(), { data: ["x\n1\n2\n"] });
  member = site.members[0]!;
  copied = await temporaryFolder();
});
Deno.test.afterAll(async () => {
  for (const agent of agents) await agent.kill9();
  await copied?.remove();
});

function start(config: string): AgentProcess {
  const agent = startAgentProcess(config);
  agents.push(agent);
  return agent;
}

/**
 * A copy of the member's whole folder, the journal with it, and with other data, so that results
 * differ.
 */
async function copyFolder(): Promise<string> {
  const from = dirname(member.config);
  const { success } = await new Deno.Command("cp", { args: ["-r", `${from}/.`, copied.path] })
    .output();
  assert.equal(success, true);
  await Deno.writeTextFile(join(copied.path, "data.csv"), "x\n1000\n2000\n");
  return join(copied.path, "node.yaml");
}

async function average(): Promise<unknown> {
  const task = await site.post({
    image: "deno:average@1.0.0",
    method: "partial",
    kwargs: { column: "x" },
  });
  const { status, results } = await site.outcome(task.id);
  assert.equal(status, "completed");
  return results[0];
}

const said = (agent: AgentProcess, what: RegExp) =>
  agent.lines.filter((one) => what.test(one)).length;

Deno.test("a second agent with a copied folder computes nothing until the first is gone", async (t) => {
  const first = start(member.config);
  await first.ready;
  const ofFirst = await average();
  const second = start(await copyFolder());

  await t.step("both logs say so", async () => {
    await waitFor(() => said(second, REFUSED) > 0, {
      what: "the second to say so",
      timeout: 30_000,
    });
    await waitFor(() => said(first, TOLD) > 0, { what: "the first to say so" });
    assert.equal(said(second, TOLD), 0);
    const entry = /A second agent with a node's key is refused/;
    assert.equal(stack().log.filter((line) => entry.test(line)).length, 1);
  });

  await t.step("only the first computes", async () => {
    for (let n = 0; n < 4; n++) assert.deepEqual(await average(), ofFirst);
  });

  await t.step("a restart of the broker changes nothing", async () => {
    const refusals = said(second, REFUSED);
    await stack().part("nats").kill9();
    await stack().part("nats").restart();
    await waitFor(() => said(second, /lost; reconnecting/) > 0, { what: "the loss to be noticed" });
    await waitFor(() => said(second, REFUSED) > refusals, {
      what: "the second to be refused again",
      timeout: 60_000,
    });
    for (let n = 0; n < 2; n++) assert.deepEqual(await average(), ofFirst);
    assert.equal(said(second, /"message":"Connected"/), 0);
  });

  await t.step("after the first was killed the second takes over", async () => {
    await first.kill9();
    await waitFor(() => said(second, /"message":"Ready"/) > 0, {
      what: "the second to take over",
      timeout: 30_000,
    });
    assert.notDeepEqual(await average(), ofFirst);
  });
});
