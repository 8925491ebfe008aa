/** The ledger of an agent that runs as a process: what differs by a person does not leave. */
import assert from "node:assert/strict";
import { decodePayload } from "../../../../tests/support/decode_payload.ts";
import {
  API_KEY,
  type HeldResult,
  type HubDouble,
  startHubDouble,
} from "../../../../tests/support/hub_double.ts";
import {
  type AgentProcess,
  nodeFolder,
  startAgentProcess,
} from "../../../../tests/support/node_agent.ts";

const OWN = new URL("../../algorithms", import.meta.url).pathname;
/** Asks the guarded table, as one that nobody knows. */
const GUARDED = `
export async function counts(context, { where }) {
  const { n } = await context.table().groups([], { where });
  return n;
}
`;

interface Site {
  hub: HubDouble;
  /** The mean's sum of those whose age lies above a limit, at most so many years. */
  above(min: number, options?: { user?: number }): Promise<HeldResult>;
  counts(where: string): Promise<HeldResult>;
  /** The library's sums of products of two columns, of the rows that meet a condition. */
  products(where?: string, columns?: string[]): Promise<HeldResult>;
  start(): Promise<AgentProcess>;
  write(rows: string[]): Promise<void>;
}

async function withSite(
  disclosure: Record<string, unknown>,
  use: (site: Site) => Promise<void>,
): Promise<void> {
  const hub = await startHubDouble();
  const folder = await nodeFolder(hub, API_KEY, {
    algorithm_folders: ["algorithms", OWN],
    algorithm_library: true,
    disclosure: { profile: "datashield", ...disclosure },
  });
  await Deno.writeTextFile(`${folder.path}/algorithms/guarded@1.0.ts`, GUARDED);
  const agents: AgentProcess[] = [];
  try {
    await use({
      hub,
      async above(min, { user = 1 } = {}) {
        const parameters = { column: "age", min_: min };
        const databases = [{
          label: "default",
          preprocessing: [{ function: "filter_range", parameters }],
        }];
        const image = "deno:average@1.0.0";
        const input = { method: "partial", kwargs: { column: "age" } };
        const change = { databases, init_user_id: user };
        return await hub.final(await hub.post({ image, input, change }));
      },
      async counts(where) {
        const input = { method: "counts", args: [{ where }] };
        const work = { image: "deno:guarded@1.0", input, databases: ["default"] };
        return await hub.final(await hub.post(work));
      },
      async products(where, columns = ["age", "weight"]) {
        const input = { method: "partial", kwargs: { columns, ...where ? { where } : {} } };
        const work = { image: "deno:correlation@1.0.0", input, databases: ["default"] };
        return await hub.final(await hub.post(work));
      },
      async start() {
        const agent = startAgentProcess(folder.configPath);
        agents.push(agent);
        await agent.ready;
        return agent;
      },
      write: (rows) => Deno.writeTextFile(`${folder.path}/data.csv`, `${rows.join("\n")}\n`),
    });
  } finally {
    for (const agent of agents) await agent.kill9();
    await hub.stop();
    await folder.remove();
  }
}

function isLet({ status, result, reason }: HeldResult): boolean {
  assert.equal(status, "completed", reason ?? "");
  const part = decodePayload(result!) as Record<string, unknown>;
  assert.ok(!("selections" in part), "which rows were used is taken out");
  return "sum" in part || "n" in part;
}

Deno.test("two results whose rows differ by one person do not both leave, whoever asks, and after kill -9", async () => {
  await withSite({}, async ({ above, start, write }) => {
    await write(["age", ...Array.from({ length: 20 }, (_, i) => `${20 + i}`)]);
    const agent = await start();
    const whole = await above(0);
    assert.ok(isLet(whole), whole.reason ?? "");
    const without = await above(20, { user: 2 });
    assert.ok(!isLet(without));
    const { withheld } = decodePayload(without.result!) as { withheld: { rule: string }[] };
    assert.match(withheld[0]!.rule, /^min_subset/);
    assert.ok(!/\b(19|20|1)\b/.test(withheld[0]!.rule), "no number of persons");
    await agent.kill9();
    await start();
    assert.ok(!isLet(await above(21)));
    assert.ok(isLet(await above(22)), "three fewer");
    assert.ok(isLet(await above(0)), "the same again");
  });
});

Deno.test("persons are counted where the owner names their column: one with many rows is one", async () => {
  await withSite({ persons: "id" }, async ({ above, start, write }) => {
    // The youngest has five rows, all others two.
    const rows = Array.from({ length: 20 }, (_, i) => [`${20 + i},p${i}`, `${20 + i},p${i}`]);
    await write(["age,id", ...rows.flat(), "20,p0", "20,p0", "20,p0"]);
    await start();
    assert.ok(isLet(await above(0)));
    assert.ok(!isLet(await above(20)), "five rows of one person");
    assert.ok(!isLet(await above(21)));
    assert.ok(isLet(await above(22)));
  });
});

Deno.test("what a guarded table tells is in the same ledger as what the node's own algorithms let out", async () => {
  await withSite({}, async ({ above, counts, start, write }) => {
    await write(["age", ...Array.from({ length: 20 }, (_, i) => `${20 + i}`)]);
    await start();
    assert.ok(isLet(await above(0)));
    const one = await counts("age > 20");
    assert.notEqual(one.status, "completed");
    const enough = await counts("age > 25");
    assert.equal(enough.status, "completed", enough.reason ?? "");
    assert.equal(decodePayload(enough.result!), 14);
    assert.ok(!isLet(await above(26)), "it differs from what the guarded table told");
  });
});

Deno.test("a condition and rows left out for a missing value isolate nobody in the library's parts", async () => {
  await withSite({}, async ({ products, start, write }) => {
    const rows = Array.from({ length: 30 }, (_, i) => `${20 + i},${60 + i % 7},${i % 5}`);
    // Of the last one the third column is missing.
    await write(["age,weight,score", ...rows.slice(0, -1), "49,61,"]);
    const agent = await start();
    assert.ok(isLet(await products()));
    assert.ok(!isLet(await products("age > 20")), "all but the youngest");
    assert.ok(!isLet(await products("not (age = 33)")), "all but one in the middle");
    assert.ok(!isLet(await products(undefined, ["age", "score"])), "all but who lacks a score");
    assert.ok(isLet(await products("age > 22")), "all but three");
    await agent.kill9();
    await start();
    assert.ok(!isLet(await products("age > 23")), "all but one of those");
    assert.ok(isLet(await products("age > 22")), "the same again");
    assert.ok(isLet(await products("age < 30")), "other persons");
  });
});
