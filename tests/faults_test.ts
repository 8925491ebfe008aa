/**
 * Three faults that deserve a closer look than `deno task faults` takes.
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startLink } from "./faults/link.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, type Json } from "./site.ts";

const stack = useTestStack();
const SLOW = "deno:slow@1.0.0";
const DATA = ["x\n1\n", "x\n2\n"];
/**
 * What is promised (design.md, "How things flow", 5): the broker's folder costs time, and this much
 * at most.
 */
const REDISPATCHED_WITHIN_MS = 30_000;
const OUTAGE_MS = 25_000;
const CUTS = 100;

/** The folder in which the broker keeps its streams. */
async function streamsFolder(folder: string): Promise<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory) continue;
    if (name === "jetstream") return join(folder, name);
    const below = await streamsFolder(join(folder, name)).catch(() => "");
    if (below) return below;
  }
  return "";
}

Deno.test("with the broker's streams deleted, every open run is dispatched again and none is doubled", async () => {
  const site = await createSite(stack(), { data: DATA });
  const [present, absent] = site.members;
  await site.startNode(present!);
  const kwargs = { ms: 4000 };
  const running = await site.post({ image: SLOW, method: "wait", kwargs, members: [present!] });
  await waitFor(
    async () => (await site.researcher.get(`/task/${running.id}/status`)).status === "active",
    { what: "the run to start" },
  );
  const waiting: Json[] = [];
  for (let n = 0; n < 5; n++) {
    waiting.push(await site.post({ image: SLOW, method: "now", members: [absent!] }));
  }
  await stack().part("nats").kill9();
  const folder = await streamsFolder(stack().folder);
  assert.notEqual(folder, "");
  await Deno.remove(folder, { recursive: true });
  await stack().part("nats").restart();
  const began = Date.now();
  await stack().addNode(absent!.node, absent!.config);
  for (const { id } of [running, ...waiting]) {
    const { status, runs } = await site.outcome(id, 60_000);
    assert.equal(status, "completed");
    assert.equal(runs[0].attempt, 1);
  }
  assert.ok(Date.now() - began < REDISPATCHED_WITHIN_MS, `took ${Date.now() - began} ms`);
});

Deno.test("with Postgres gone for a while, readiness tells the truth and everything goes on afterwards", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 1) });
  await site.startNode(site.members[0]!);
  const task = await site.post({ image: SLOW, method: "wait", kwargs: { ms: 2000 } });
  await stack().part("postgres").stop();
  await waitFor(async () => (await site.admin.request("GET", "/health")).status === 503, {
    what: "the truth about readiness",
  });
  const refused = await site.researcher.request("GET", "/task");
  assert.equal(refused.status, 503);
  assert.equal(typeof (await refused.json()).msg, "string");
  await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS)); // for so long, not until something
  await stack().part("postgres").restart();
  await waitFor(async () => (await site.admin.request("GET", "/health")).status === 200, {
    what: "readiness",
    timeout: 20_000,
  });
  const { status, runs } = await site.outcome(task.id);
  assert.equal(status, "completed");
  assert.equal(runs[0].attempt, 1);
});

Deno.test("a node that is cut off again and again resumes within 5 s, and what it runs is not killed", async () => {
  const site = await createSite(stack(), { data: DATA.slice(0, 1) });
  const [member] = site.members;
  const link = startLink(stack());
  try {
    const config = await Deno.readTextFile(member!.config);
    await Deno.writeTextFile(
      member!.config,
      config.replace(/^port: \d+$/m, `port: ${link.port}`),
    );
    await site.startNode(member!);
    // Longer than the rest of the test takes: what is under way at the end is what was begun before
    // the first cut.
    const long = await site.post({ image: SLOW, method: "wait", kwargs: { ms: 3_600_000 } });
    for (let round = 1; round <= CUTS; round++) {
      link.cut();
      await new Promise((resolve) => setTimeout(resolve, 50)); // a moment without a line
      link.heal();
      const began = Date.now();
      const quick = await site.post({ image: SLOW, method: "now" });
      const { status } = await site.outcome(quick.id, 15_000);
      assert.equal(status, "completed");
      assert.ok(Date.now() - began < 5000, `cut ${round}: ${Date.now() - began} ms`);
    }
    const [run] = (await site.researcher.get(`/run?task_id=${long.id}`)).data;
    assert.deepEqual([run.status, run.attempt], ["active", 1]);
    await site.researcher.post("/kill/task", { id: long.id });
    assert.equal((await site.outcome(long.id)).status, "killed by user");
  } finally {
    await link.stop();
  }
});
